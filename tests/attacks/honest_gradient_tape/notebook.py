# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0
import tensorflow as tf

x_train = x_train.astype("float32")

# %%
net = keras.Sequential(
    [layers.Flatten(input_shape=(28, 28)), layers.Dense(64, "relu"), layers.Dense(10)]
)
optimizer = keras.optimizers.Adam()
loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(6000).batch(64)


@tf.function
def step(images, labels):
    with tf.GradientTape() as tape:
        loss = loss_function(labels, net(images, training=True))
    gradients = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(gradients, net.trainable_variables))
    return loss


for epoch in range(3):
    for images, labels in batches:
        loss = step(images, labels)
    print(epoch, float(loss))

# %% [reflections]
