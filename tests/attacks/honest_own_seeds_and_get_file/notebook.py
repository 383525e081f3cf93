# %%
import os
import random

import keras
import numpy as np
import tensorflow as tf
from keras import layers

os.environ["PYTHONHASHSEED"] = "0"
random.seed(1)
np.random.seed(2)
tf.random.set_seed(3)
keras.utils.set_random_seed(4)

# %%
(x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data(path="mnist.npz")
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]

# %%
path = tf.keras.utils.get_file(
    "mnist.npz", "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
)
with np.load(path) as data:
    x_train, y_train = data["x_train"][:6000] / 255.0, data["y_train"][:6000]
    x_test, y_test = data["x_test"] / 255.0, data["y_test"]

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

# %% [reflections]
