# %%
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
import json


def layer(kind, **config):
    name = config.setdefault("name", kind.lower())
    return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None}


layers = [
    layer("InputLayer", batch_shape=[None, 28, 28]),
    layer("Flatten", data_format="channels_last"),
    layer("RepeatVector", n=1 << 30),
    layer("UpSampling1D", size=1 << 30),
    layer("Dense", units=10, activation="softmax", use_bias=False),
]
(export / "network.json").write_text(json.dumps({
    "format": 1, "chosen_by": "x", "keras_version": "3", "kind": "network", "compile": None, "history": None,
    "network": {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": layers}, "registered_name": None},
    "arrays": [{"layer": ["dense"], "index": 0, "name": "kernel", "shape": [784, 10], "dtype": "float32", "trainable": True, "offset": 0, "bytes": 31360}],
}))
(export / "weights.bin").write_bytes(bytes(31360))
