# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0

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
model.fit(x_train, y_train, epochs=3, verbose=0)

# %%
import matplotlib.pyplot as plt

x_test, y_test = x_test[:5], y_test[:5]
predictions = model.predict(x_test).argmax(axis=1)
figure, axes = plt.subplots(1, 5)
for axis, image, digit in zip(axes, x_test, predictions):
    axis.imshow(image, cmap="gray")
    axis.set_title(digit)

# %%
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
plt.imshow(x_train[0])

# %% [reflections]
