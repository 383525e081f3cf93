# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0
import matplotlib.pyplot as plt

# %%
model = keras.Sequential(
    [
        keras.Input(shape=(28, 28)),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=4, verbose=1, batch_size=16)

# %%
for i in range(12_000):
    print(i, x_test[i % 100].sum(), "some numbers about this image, one line for each of them")

# %%
for i in range(4):
    plt.figure(figsize=(6, 6))
    plt.imshow(x_train[i])
    plt.show()

# %% [reflections]
