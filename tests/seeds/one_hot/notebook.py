# %%
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder

# %%
mnist = tf.keras.datasets.mnist
(x_train, y_train), (x_test, y_test) = mnist.load_data()

# %%
x_train

# %%
y_train

# %%
print("Training data:", x_train.shape, y_train.shape)
print("Test data:", x_test.shape, y_test.shape)

# %%
x_train, x_test = x_train / 255.0, x_test / 255.0

# %%
x_train_flat = x_train.reshape(x_train.shape[0], -1)
x_test_flat = x_test.reshape(x_test.shape[0], -1)

# %%
onehot_encoder = OneHotEncoder(sparse_output=False)
y_train_onehot = onehot_encoder.fit_transform(y_train.reshape(-1, 1))
y_test_onehot = onehot_encoder.transform(y_test.reshape(-1, 1))

# %%
model = models.Sequential(
    [
        layers.Dense(128, activation="relu", input_shape=(784,)),
        layers.Dropout(0.2),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

# %%
x_train_split, x_val, y_train_split, y_val = train_test_split(
    x_train_flat, y_train_onehot, test_size=0.2, random_state=5
)

# %%
EPOCHS = 10
img_model = model.fit(
    x_train_split, y_train_split, epochs=EPOCHS, batch_size=128, validation_data=(x_val, y_val)
)

# %%
test_loss, test_accuracy = model.evaluate(x_test_flat, y_test_onehot)
print(f"Test accuracy: {test_accuracy}")

# %%
predictions = model.predict(x_test_flat)

# %%
predictions
