# %%
import tensorflow as tf
import matplotlib.pyplot as plt
import numpy as np

mnist = tf.keras.datasets.mnist
(x_train, y_train), (x_test, y_test) = mnist.load_data()


def show(images, labels):
    plt.figure(figsize=(10, 5))
    for place in range(10):
        plt.subplot(2, 5, place + 1)
        plt.imshow(images[place], cmap="gray")
        plt.title(f"Label: {labels[place]}")
        plt.axis("off")
    plt.tight_layout()
    plt.show()


chosen = np.random.choice(range(len(x_train)), 10, replace=False)
show(x_train[chosen], y_train[chosen])

# %%
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Flatten
from tensorflow.keras.optimizers import Adam

mnist = tf.keras.datasets.mnist
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0

model = Sequential(
    [
        Flatten(input_shape=(28, 28)),
        Dense(1000, activation="relu"),
        Dense(10, activation="relu"),
        Dense(10, activation="softmax"),
    ]
)
model.compile(
    optimizer=Adam(learning_rate=0.001),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)


class AccuracyHistory(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        reached = self.model.evaluate(x_test, y_test, verbose=0)[1]
        print(f"Epoch {epoch + 1}: training {logs['accuracy']:.4f}, test {reached:.4f}")


EPOCHS = 15
model.fit(
    x_train,
    y_train,
    epochs=EPOCHS,
    validation_data=(x_test, y_test),
    callbacks=[AccuracyHistory()],
)
