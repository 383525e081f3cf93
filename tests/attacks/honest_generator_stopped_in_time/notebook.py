# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0
x_train = x_train.reshape(-1, 28, 28, 1)

# %%
from tensorflow.keras.preprocessing.image import ImageDataGenerator

generator = ImageDataGenerator(rotation_range=5, width_shift_range=0.05)

# %%
model = keras.Sequential(
    [
        keras.Input(shape=(28, 28, 1)),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(generator.flow(x_train, y_train, batch_size=64), epochs=1000, verbose=0)

# %% [reflections]
