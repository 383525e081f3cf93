"""UNTRUSTED GROUND: runs in the kernel before the student's first cell.

Executed with ``CLAIMER`` (path of claims.py), ``SEED``, ``SHIFT`` (added to seeds that the notebook
sets), ``SEEDER`` (path of seeds.py), ``STEPS`` (batches to take at once), ``STEPPER`` (path of
steps.py) and ``DATA`` (path of the handed-out mnist.npz) in its namespace. Loads Keras, sets every
seed, hands out the data in place of the download, has the images noted that networks are given,
and remembers the network that was fitted last, for notebooks that leave none under ``model``.
"""

from __future__ import annotations

import functools
import importlib
import os
import runpy
import sys
import types
from typing import Any, cast

import numpy as np

CLAIMER = globals()["CLAIMER"]
DATA = globals()["DATA"]
SEED = globals()["SEED"]
SEEDER = globals()["SEEDER"]
SHIFT = globals()["SHIFT"]
STEPS = globals()["STEPS"]
STEPPER = globals()["STEPPER"]


def load_data(path: str = "mnist.npz") -> Any:
    """MNIST as ((x_train, y_train), (x_test, y_test)), uint8: fresh arrays at every call."""
    with np.load(DATA, allow_pickle=False) as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])


def hand_out_data() -> None:
    """Put `load_data` wherever Keras's own is, or will be imported from."""
    source = importlib.import_module("keras.src.datasets.mnist")
    original = source.load_data
    functools.update_wrapper(load_data, original)
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get("load_data") is original:
            vars(module)["load_data"] = load_data


def put_in_cache() -> None:
    """Let ``keras.utils.get_file("mnist.npz", ...)`` find the data as if downloaded before."""
    folder = os.path.expanduser("~/.keras/datasets")
    os.makedirs(folder, exist_ok=True)
    os.symlink(DATA, os.path.join(folder, "mnist.npz"))


def remember_fitted(memory: Any, trainer: Any) -> None:
    """Note the network of each ``fit``; the call itself is passed on as it is."""
    original = trainer.fit

    @functools.wraps(original)
    def fit(self: Any, *arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        memory.fitted = self
        return original(self, *arguments, **options)

    trainer.fit = fit


def main() -> None:
    import keras

    claimer = runpy.run_path(CLAIMER)
    memory = types.SimpleNamespace(fitted=None, write_claims=claimer["write_claims"])
    sys.modules.update({"_activity_m5_memory": cast(types.ModuleType, memory)})
    hand_out_data()
    put_in_cache()
    if STEPS > 1:
        runpy.run_path(STEPPER)["speed_up"](STEPS)
    trainer = importlib.import_module("keras.src.backend.tensorflow.trainer").TensorFlowTrainer
    memory.claims = claimer["begin_noting"](trainer)
    remember_fitted(memory, trainer)
    keras.utils.set_random_seed(SEED)
    if SHIFT:
        runpy.run_path(SEEDER)["shift_seeds"](SHIFT)


main()
