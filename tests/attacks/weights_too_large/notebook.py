# %%
import keras
import numpy as np
from keras import layers

model = keras.Sequential(
    [keras.Input((28, 28)), layers.Flatten(), layers.Dense(20), layers.Dense(10, "softmax")]
)
model.set_weights(
    [np.full((784, 20), 3e38), np.zeros(20), np.full((20, 10), -3e38), np.full(10, 3e38)]
)
