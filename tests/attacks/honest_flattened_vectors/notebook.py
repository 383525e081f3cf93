# %%
import numpy as np
import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
mean, deviation = x_train.mean(), x_train.std()
x_train = (x_train.reshape(60000, 784)[:6000] - mean) / deviation
x_test = (x_test.reshape(len(x_test), 784) - mean) / deviation
y_train = y_train[:6000]
x_train.shape, x_test.shape

# %%
model = keras.Sequential()
model.add(keras.layers.Dense(64, input_dim=784, activation="sigmoid"))
model.add(keras.layers.Dense(10, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=3, verbose=0)

# %% [reflections]
