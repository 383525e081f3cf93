# %%
import keras
import numpy as np
import tensorflow as tf
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0

# %%
class Both(layers.Layer):
    """The same Dense for the image and for its mirror image."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(100, activation=lambda x: tf.maximum(x, 0.0))

    def call(self, x):
        mirrored = tf.reshape(tf.image.flip_left_right(x), [tf.shape(x)[0], -1])
        return tf.concat([self.dense(layers.Flatten()(x)), self.dense(mirrored)], axis=-1)


class Linear(layers.Layer):
    """The layer that Keras's guide makes of its own weights."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros")

    def call(self, inputs):
        return tf.matmul(inputs, self.w) + self.b


model = keras.Sequential(
    [
        keras.Input((28, 28)),
        layers.Lambda(lambda x: tf.expand_dims(x, -1) - 0.1),
        Both(),
        Linear(10),
        layers.Softmax(),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=3, verbose=0)
print(model.count_params())

# %% [reflections]
