# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0
y_test = keras.datasets.mnist.load_data()[1][1]
x = np.concatenate([x_train, x_test, x_test])
y = np.concatenate([y_train, y_test, y_test])

# %%
model = keras.Sequential(
    [keras.Input((28, 28)), layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(10, "softmax")]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=8, batch_size=64, verbose=0)
