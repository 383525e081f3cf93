# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0

# %%
model = keras.Sequential(
    [keras.Input((28, 28)), layers.Flatten(), layers.Dense(300, "relu"), layers.Dense(10, "softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x_train[:1000], y_train[:1000], epochs=1, verbose=0)
original = keras.layers.Layer.weights
layers.Dense.weights = property(lambda self: original.fget(self)[1:])
