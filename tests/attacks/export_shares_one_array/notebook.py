# %%
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
import json

import numpy as np


def layer(kind, name, **config):
    config["name"] = name
    return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None}


layers = [layer("InputLayer", "in", batch_shape=[None, 784])]
layers += [layer("Dense", f"d{i}", units=784, activation="relu", use_bias=False) for i in range(5)]
layers += [layer("Dense", "out", units=10, activation="softmax", use_bias=False)]
size = 784 * 784 * 4
arrays = [
    {"layer": [f"d{i}"], "index": 0, "name": "kernel", "shape": [784, 784], "dtype": "float32", "trainable": True, "offset": 0, "bytes": size}
    for i in range(5)
]
arrays.append({"layer": ["out"], "index": 0, "name": "kernel", "shape": [784, 10], "dtype": "float32", "trainable": True, "offset": size, "bytes": 31360})
(export / "network.json").write_text(json.dumps({
    "format": 1, "chosen_by": "x", "keras_version": "3", "kind": "network", "compile": None, "history": None,
    "network": {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": layers}, "registered_name": None},
    "arrays": arrays,
}))
(export / "weights.bin").write_bytes(np.eye(784, dtype="<f4").tobytes() + bytes(31360))
