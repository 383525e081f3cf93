# %%
import time

import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
time.sleep(2)

# %%
time.sleep(2)

# %%
time.sleep(2)

# %%
time.sleep(2)
