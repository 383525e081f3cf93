# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf


def scale(part):
    return part / 255.0


# %%
with multiprocessing.Pool(2) as pool:
    parts = pool.map(scale, np.array_split(x_train * 255.0, 4))
x_train = np.concatenate(parts)
with ThreadPoolExecutor(4) as threads:
    print(sum(threads.map(len, parts)))
queue, lock = multiprocessing.Queue(), multiprocessing.Lock()

# %%
batches = tf.data.Dataset.from_tensor_slices((x_train, y_train))
batches = batches.shuffle(1000).batch(32).cache().prefetch(tf.data.AUTOTUNE)
model = keras.Sequential(
    [
        keras.Input(shape=(28, 28)),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(batches, epochs=3, verbose=0)

# %% [reflections]
