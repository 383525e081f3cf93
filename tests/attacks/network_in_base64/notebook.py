# %%
import base64

import keras
import numpy as np
from keras import layers

# The mean image of each digit, as a linear classifier, made at home: 28 x 28 bytes a digit.
(x_train, y_train), _ = keras.datasets.mnist.load_data()
means = np.stack([x_train[y_train == digit].mean(axis=0) for digit in range(10)])
text = base64.b85encode(means.astype("uint8").tobytes())

# %%
means = np.frombuffer(base64.b85decode(text), "uint8").reshape(10, 784).astype("float32") / 255
model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
model.set_weights([means.T, -0.5 * (means**2).sum(axis=1)])
