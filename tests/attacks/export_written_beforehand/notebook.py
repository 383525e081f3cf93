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
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
import json

text = keras.saving.serialize_keras_object(model)
arrays, content = [], b""
for layer in model.layers:
    for index, weight in enumerate(layer.weights):
        values = weight.numpy().astype("<f4")
        arrays.append({
            "layer": [layer.name], "index": index, "name": weight.name, "shape": list(values.shape), "dtype": "float32",
            "trainable": True, "offset": len(content), "bytes": values.nbytes,
        })
        content += values.tobytes()
network = {key: text[key] for key in ("module", "class_name", "config", "registered_name")}
(export / "network.json").write_text(json.dumps({
    "format": 1, "chosen_by": "the variable model", "keras_version": "3", "kind": "network", "compile": None, "history": None,
    "network": network, "arrays": arrays,
}, default=str))
(export / "weights.bin").write_bytes(content)
os._exit(0)
