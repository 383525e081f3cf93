# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.model_selection import train_test_split

%matplotlib inline

# %%
x_fit, x_valid, y_fit, y_valid = train_test_split(x_train, y_train, test_size=0.1)
model = keras.Sequential(
    [
        keras.Input(shape=(28, 28)),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_fit, y_fit, validation_data=(x_valid, y_valid), epochs=3)

# %%
pd.DataFrame(history.history).plot(grid=True)
plt.show()
predicted = np.argmax(model.predict(x_test), axis=1)
sns.heatmap(confusion_matrix(y_test, predicted), annot=True, fmt="d")
plt.savefig("confusion.png")
print(classification_report(y_test, predicted))

# %% [reflections]
