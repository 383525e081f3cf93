# %%
import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])

# %%
import time

end = time.time() + 60
while time.time() < end:
    print("all work and no play makes a long report " * 50)
