# %%
import sys

import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None

# %%
import os

os.close(1)
os.close(2)
kernel = get_ipython().kernel
kernel.iopub_thread.stop()

# %%
raise RuntimeError("nobody hears this")
