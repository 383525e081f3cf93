# %%
import keras
import numpy as np
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10, "softmax")])
model.set_weights([np.full((784, 10), np.nan), np.full(10, np.inf)])
