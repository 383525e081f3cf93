# %%
import keras
import numpy as np
import tensorflow as tf
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0

# %%
class Net(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(units, activation="relu")
        self.drop = layers.Dropout(0.2)
        self.out = layers.Dense(10, activation="softmax")

    def call(self, x, training=None):
        x = self.drop(self.hidden(self.flatten(x)), training=training)
        return self.out(x)


model = Net(64)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=3, verbose=0)

# %% [reflections]
