# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0

# %%
from google.colab import drive

drive.mount("/content/drive")

# %%
import wandb

wandb.init(project="mnist")

# %%
import keras_tuner as kt

# %%
model = keras.Sequential(
    [
        keras.Input(shape=(28, 28)),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=3, verbose=0)

# %%
from PIL import Image

Image.open("my_seven.png").resize((28, 28))

# %%
import cv2

cv2.imshow("digit", x_test[0])
cv2.waitKey(0)

# %%
keras.utils.plot_model(model, show_shapes=True, to_file="model.png")

# %%
import urllib.request

urllib.request.urlopen("https://example.com/digits.zip", timeout=5)

# %% [reflections]
