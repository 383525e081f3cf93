# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0

# %%
from keras.utils import np_utils

# %%
from keras.layers.normalization import BatchNormalization

# %%
from keras.layers.core import Dense, Dropout

# %%
model = keras.Sequential(
    [
        keras.Input(shape=(28, 28)),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    loss="sparse_categorical_crossentropy",
    optimizer=keras.optimizers.Adam(lr=0.001),
    metrics=["accuracy"],
)

# %%
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=3, verbose=0)

# %%
model.predict_classes(x_test)

# %%
import matplotlib.pyplot as plt

plt.plot(history.history["acc"])

# %%
plt.plot(history.history["val_acc"])

# %% [reflections]
