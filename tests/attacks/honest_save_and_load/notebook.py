# %%
import keras
import numpy as np
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:6000] / 255.0, y_train[:6000]
x_test = x_test / 255.0

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
import json
import pickle
from pathlib import Path

model.save("mnist.keras")
model.save("mnist.h5")
model.save_weights("mnist.weights.h5")
Path("model.json").write_text(model.to_json())
Path("notes").mkdir()
with open("notes/history.pkl", "wb") as file:
    pickle.dump({"a": [1, 2]}, file)
with open(Path.home() / "settings.json", "w") as file:
    json.dump({}, file)
np.savez("/tmp/arrays.npz", x_test[:10])

# %%
model = keras.models.load_model("mnist.h5")
model = keras.models.load_model("mnist.keras")
model.evaluate(x_test, y_test)

# %% [reflections]
