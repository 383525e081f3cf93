# %%
import os

import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
keras.saving.serialize_keras_object = lambda thing: os.abort()
