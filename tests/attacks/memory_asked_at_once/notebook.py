# %%
import numpy as np

huge = np.ones((1 << 45,))

# %%
import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
