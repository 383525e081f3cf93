# %%
import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Flatten, Input, Dropout
from tensorflow.keras.datasets import mnist
import matplotlib.pyplot as plt

print("TensorFlow", tf.__version__)
print("GPUs:", len(tf.config.list_physical_devices("GPU")))

# %%
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0

# %%
model = Sequential(
    [
        Input(shape=(28, 28)),
        Flatten(),
        Dense(128, activation="relu"),
        Dropout(0.2),
        Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

# %%
EPOCHS = 5
history = model.fit(x_train, y_train, epochs=EPOCHS, validation_split=0.2)

# %%
test_loss, test_acc = model.evaluate(x_test, y_test, verbose=2)
print("\nTest accuracy:", test_acc)

# %%
predictions = model.predict(x_test)
print(predictions[0])

# %%
plt.figure()
plt.imshow(x_test[0], cmap=plt.cm.binary)
plt.title(f"Predicted: {predictions[0].argmax()}")
plt.show()

# %%
plt.figure(figsize=(12, 4))
for place, name in enumerate(("accuracy", "loss"), start=1):
    plt.subplot(1, 2, place)
    plt.plot(history.history[name])
    plt.plot(history.history["val_" + name])
    plt.title(f"Model {name}")
    plt.xlabel("Epoch")
    plt.legend(["Train", "Validation"])
plt.show()

# %%
model_dropout = Sequential(
    [
        Input(shape=(28, 28)),
        Flatten(),
        Dense(128, activation="relu"),
        Dropout(0.5),
        Dense(10, activation="softmax"),
    ]
)
model_dropout.compile(
    optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
history_dropout = model_dropout.fit(x_train, y_train, epochs=EPOCHS, validation_split=0.2)
test_loss_dropout, test_acc_dropout = model_dropout.evaluate(x_test, y_test, verbose=2)
print("\nTest accuracy with dropout:", test_acc_dropout)
