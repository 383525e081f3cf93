# %%
import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])

# %%
import time

time.sleep(120)

# %%
print("this cell still runs")
