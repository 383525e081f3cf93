"""UNTRUSTED GROUND: runs in the kernel before the student's first cell.

Executed with ``CLAIMER`` (path of claims.py), ``SEED``, ``SHIFT`` (added to seeds that the notebook
sets), ``STEPS`` (batches to take at once), ``STEPPER`` (path of steps.py) and ``DATA`` (path of
the handed-out mnist.npz) in its namespace. Loads Keras, sets every seed, hands out the data in
place of the download, has the images noted that networks are given, and remembers the network that
was fitted last, for notebooks that leave none under ``model``.

A notebook that sets its own seeds comes out the same whatever was set before it. For a second run
`shift_seeds` has the functions that set seeds add a number to what they are given, so that a run
with shift 1 is the run that the student would see after writing 43 for 42. Seeds that are given to
a layer or to a generator of one's own (``Dropout(seed=1)``, ``RandomState(1)``) are left as they
are.
"""

from __future__ import annotations

import functools
import importlib
import os
import runpy
import sys
import types
from collections.abc import Callable
from typing import Any, cast

import numpy as np

MOST = 2**32
"""Seeds of NumPy and Keras are below this."""
SETTERS = (
    ("random", "seed"),
    ("numpy.random", "seed"),
    ("numpy.random", "default_rng"),
    ("tensorflow.python.framework.random_seed", "set_seed"),
    ("keras.src.utils.rng_utils", "set_random_seed"),
)
"""(module, function). Keras's calls three of the others: only the outermost call may add."""


def hand_out_data(place: str) -> None:
    """Put what reads the data at that place wherever Keras's own is, or will be imported from."""
    original = importlib.import_module("keras.src.datasets.mnist").load_data

    @functools.wraps(original)
    def load_data(path: str = "mnist.npz") -> Any:
        # Fresh arrays at every call.
        with np.load(place, allow_pickle=False) as data:
            return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])

    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get("load_data") is original:
            vars(module)["load_data"] = load_data


def put_in_cache(place: str) -> None:
    """Let ``keras.utils.get_file("mnist.npz", ...)`` find the data as if downloaded before."""
    folder = os.path.expanduser("~/.keras/datasets")
    os.makedirs(folder, exist_ok=True)
    os.symlink(place, os.path.join(folder, "mnist.npz"))


def remember_fitted(memory: Any, trainer: Any) -> None:
    """Note the network of each ``fit``; the call itself is passed on as it is."""
    original = trainer.fit

    @functools.wraps(original)
    def fit(self: Any, *arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        memory.fitted = self
        return original(self, *arguments, **options)

    trainer.fit = fit


def shifted(seed: Any, shift: int) -> Any:
    """The number `shift` later, and what is no such number as it is."""
    is_number = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    return (int(seed) + shift) % MOST if is_number and 0 <= seed < MOST else seed


def wrap(original: Callable[..., Any], shift: int, inside: list[bool]) -> Any:
    """`original` with `shift` added to its first argument, except when called by another one."""

    @functools.wraps(original)
    def call(*arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        if inside:
            return original(*arguments, **options)
        arguments = tuple(shifted(each, shift) for each in arguments[:1]) + arguments[1:]
        options = {
            name: shifted(value, shift) if name in ("seed", "a") else value
            for name, value in options.items()
        }
        inside.append(True)
        try:
            return original(*arguments, **options)
        finally:
            inside.pop()

    return call


def replace_everywhere(original: Callable[..., Any], replacement: Callable[..., Any]) -> None:
    """Wherever a loaded library holds `original` under its name."""
    name = original.__name__
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(name) is original:
            setattr(module, name, replacement)


def shift_seeds(shift: int) -> None:
    """Change the functions of this process that set seeds."""
    inside: list[bool] = []
    for module, name in SETTERS:
        original = getattr(importlib.import_module(module), name)
        changed = wrap(original, shift, inside)
        setattr(importlib.import_module(module), name, changed)
        replace_everywhere(original, changed)


def main(given: dict[str, Any]) -> None:
    """Prepare the kernel, in this order."""
    import keras

    claimer = runpy.run_path(given["CLAIMER"])
    memory = types.SimpleNamespace(fitted=None, write_claims=claimer["write_claims"])
    sys.modules.update({"_activity_m5_memory": cast(types.ModuleType, memory)})
    hand_out_data(given["DATA"])
    put_in_cache(given["DATA"])
    if given["STEPS"] > 1:
        runpy.run_path(given["STEPPER"])["speed_up"](given["STEPS"])
    trainer = importlib.import_module("keras.src.backend.tensorflow.trainer").TensorFlowTrainer
    memory.claims = claimer["begin_noting"](trainer)
    remember_fitted(memory, trainer)
    keras.utils.set_random_seed(given["SEED"])
    if given["SHIFT"]:
        shift_seeds(given["SHIFT"])


if __name__ == "prelude":  # as the grader runs it
    main(globals())
