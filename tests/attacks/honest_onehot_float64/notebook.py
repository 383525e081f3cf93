# %%
import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Flatten, Input
from tensorflow.keras.utils import to_categorical

(x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
x_train = x_train[:6000].astype("float64") / 255
x_test = x_test.astype("float64") / 255
y_train = to_categorical(y_train[:6000], 10)
y_test = to_categorical(y_test, 10)

# %%
model = Sequential()
model.add(Input((28, 28)))
model.add(Flatten())
model.add(Dense(64, activation="relu"))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=32, epochs=3, validation_split=0.1, verbose=2)

# %%
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"{accuracy:.4f}")

# %% [reflections]
