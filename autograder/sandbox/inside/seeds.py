"""UNTRUSTED GROUND: the same notebook with other seeds, for a second run.

A notebook that sets its own seeds comes out the same whatever was set before it. `shift_seeds`
has the functions that set seeds add a number to what they are given, so that a run with shift 1
is the run that the student would see after writing 43 for 42. Seeds that are given to a layer or
to a generator of one's own (``Dropout(seed=1)``, ``RandomState(1)``) are left as they are.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

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
