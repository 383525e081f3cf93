# %%
from tensorflow.keras.datasets import mnist

(train_images, train_labels), (test_images, test_labels) = mnist.load_data()

# %%
import matplotlib.pyplot as plt

plt.figure(figsize=(10, 4))
for place in range(10):
    plt.subplot(2, 5, place + 1)
    plt.imshow(train_images[place].reshape(28, 28), cmap="gray")
    plt.title(f"Label: {train_labels[place]}")
    plt.axis("off")
plt.show()

# %%
from tensorflow.keras.utils import to_categorical

train_images = train_images.reshape((60000, 28 * 28)).astype("float32") / 255
test_images = test_images.reshape((10000, 28 * 28)).astype("float32") / 255
train_labels = to_categorical(train_labels)
test_labels = to_categorical(test_labels)
val_images, val_labels = train_images[:10000], train_labels[:10000]
partial_train_images, partial_train_labels = train_images[10000:], train_labels[10000:]

# %%
from tensorflow.keras import models, layers

slp_model = models.Sequential(
    [layers.Input(shape=(28 * 28,)), layers.Dense(10, activation="softmax")]
)
slp_model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])

# %%
complex_model = models.Sequential(
    [
        layers.Input(shape=(28 * 28,)),
        layers.Dense(512, activation="relu"),
        layers.Dense(256, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)

# %%
from tensorflow.keras.callbacks import EarlyStopping
from tensorflow.keras.optimizers import RMSprop

EPOCHS = 100
early_stopping = EarlyStopping(monitor="val_loss", patience=10)
complex_model.compile(
    optimizer=RMSprop(learning_rate=0.001),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
history = complex_model.fit(
    partial_train_images,
    partial_train_labels,
    epochs=EPOCHS,
    batch_size=128,
    validation_data=(val_images, val_labels),
    callbacks=[early_stopping],
)

# %%
regularized_model = models.Sequential(
    [
        layers.Input(shape=(28 * 28,)),
        layers.Dense(512, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
regularized_model.compile(
    optimizer=RMSprop(learning_rate=0.001),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %%
best_val_accuracy = 0
best_params = {}
for lr in [0.001, 0.0001]:
    for batch_size in [128, 256]:
        model = regularized_model
        history = model.fit(
            partial_train_images,
            partial_train_labels,
            epochs=EPOCHS,
            batch_size=batch_size,
            validation_data=(val_images, val_labels),
            callbacks=[early_stopping],
            verbose=0,
        )
        val_accuracy = max(history.history["val_accuracy"])
        if val_accuracy > best_val_accuracy:
            best_val_accuracy = val_accuracy
            best_params = {"learning_rate": lr, "batch_size": batch_size}
print(f"Best validation accuracy: {best_val_accuracy} with {best_params}")
