# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0
import tensorflow as tf

# %%
from tensorflow.examples.tutorials.mnist import input_data

# %%
session = tf.Session()

# %%
x = tf.placeholder(tf.float32, [None, 784])

# %%
from keras.preprocessing.image import ImageDataGenerator

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
from keras.wrappers.scikit_learn import KerasClassifier

# %%
model.fit_generator(None, steps_per_epoch=10, epochs=1)

# %%
from keras.utils.vis_utils import plot_model

# %%
from keras.models import save_model
from keras.layers.convolutional import Conv2D

# %% [reflections]
