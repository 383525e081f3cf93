# %%
import sys

sys.exit(0)

# %%
raise SystemExit("all tests passed: 100/100")

# %%
raise KeyboardInterrupt

# %%
import keras
from keras import layers

model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
