"""UNTRUSTED GROUND: copies the images that a notebook gives to its networks, as they pass.

A network can be measured only on images that are prepared as those it was trained on. What the
notebook gave to ``fit``, ``evaluate`` and ``predict`` shows how: the first rows are copied when
the call is made, since a notebook may change an array in place afterwards. These copies are a
*claim*: nobody outside believes them, see ``autograder/network/preparation``.

Of a dataset or a generator the first batches are copied when Keras has taken them, see passing.py:
none is ever drawn, which would take it from training.

`begin_noting` starts it, `write_claims` writes them into a folder: ``claims.json`` describes the
arrays, ``claims.bin`` holds them one after the other, little-endian, C order, without gaps.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import math
import os
import runpy
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

PASSING = runpy.run_path(os.path.join(os.path.dirname(__file__), "passing.py"))
FORMAT = 1
MOST_ROWS = 1500
MOST_BYTES = 32 << 20
"""Of all copies together."""
MOST_BYTES_OF_ONE = 4 << 20
LEAST_ROWS = 20
"""Fewer prove nothing, and calls with one image at a time shall cost nothing."""
MOST_SECONDS = 1.0
"""For all copying together."""
MOST_VARIABLES = 4
ROWS_OF_A_VARIABLE = 10_000
"""As many as there are test images."""
KINDS = "biuf"
"""Kinds of NumPy's dtypes that are numbers or truth values."""
SOURCES = ("fit", "validation_data", "evaluate", "predict")
"""What was given to the last call counts most, in this order."""
OTHERS = 3
"""Networks whose claims are written beside those of the one that counts."""


class Copy:
    """The first rows of an array.

    Attributes
    ----------
    rows
        Of shape (n, ...), a copy.
    total
        How many rows the array had; 0 where that is not known.
    """

    def __init__(self, rows: Any, total: int) -> None:
        self.rows = rows
        self.total = total

    def equals(self, other: Any) -> Any:
        """Whether both hold the same rows of arrays of the same length."""
        return (
            self.total == other.total
            and self.rows.dtype == other.rows.dtype
            and np.array_equal(self.rows, other.rows)
        )


def copy_of(x: Any) -> Any:
    """The first rows of what may be an array; None where it is none, or has too few rows."""
    if isinstance(x, (list, tuple)) and len(x) == 1:
        x = x[0]
    if not is_array(x):
        return None
    if isinstance(x, np.ndarray):
        x = np.asarray(x)
    shape = [int(size) for size in x.shape]
    # Known before anything is copied; other kinds may become numbers of double precision.
    size = x.itemsize if isinstance(x, np.ndarray) else 8
    most = MOST_BYTES_OF_ONE // max(1, math.prod(shape[1:]) * size)
    count = min(shape[0] if shape else 0, MOST_ROWS, most)
    if count < LEAST_ROWS:
        return None
    rows = np.array(x.iloc[:count] if hasattr(x, "iloc") else x[:count], order="C")
    if rows.dtype.kind not in KINDS or rows.dtype.itemsize > 8:
        return None
    return Copy(rows, shape[0])


def is_array(x: Any) -> bool:
    """Whether it is an array of NumPy's, a tensor with values, or a table of pandas."""
    module = type(x).__module__.partition(".")[0]
    return isinstance(x, np.ndarray) or (
        module in ("pandas", "tensorflow") and isinstance(getattr(x, "ndim", None), int)
    )


class Claims:
    """What each network was given last; a network that goes takes its claims with it."""

    def __init__(self) -> None:
        self.of: weakref.WeakKeyDictionary[Any, dict[str, Copy]] = weakref.WeakKeyDictionary()
        self.seconds_left = MOST_SECONDS

    def note(self, model: Any, source: str, x: Any, is_whole: Any = True) -> None:
        """Copy what was given to a call, in the place of what such a call was given before.

        Parameters
        ----------
        is_whole
            Whether `x` is all that the call was given, not its first batches.
        """
        if self.seconds_left <= 0 or x is None:
            return
        started = time.perf_counter()
        with contextlib.suppress(Exception):
            copy = copy_of(x)
            if copy is not None:
                copy.total *= is_whole
                given = self.of.pop(model, {})
                given.pop(source, None)
                given[source] = self._shared(copy)
                self.of[model] = given  # the one used last comes last
                self._forget_the_oldest()
        self.seconds_left -= time.perf_counter() - started

    def passed(self, model: Any, source: str, x: Any) -> Any:
        """Note what is given to a call; what to give to Keras in its place."""
        if self.seconds_left <= 0 or x is None:
            return x
        self.note(model, source, x)
        started, of_model = time.perf_counter(), weakref.ref(model)
        x = PASSING["passing"](
            x, lambda images: self.note(of_model(), source, images, is_whole=False)
        )
        self.seconds_left -= time.perf_counter() - started
        return x

    def _all(self) -> Any:
        return [copy for given in self.of.values() for copy in given.values()]

    def _shared(self, copy: Any) -> Any:
        """A copy with the same rows that is there already, so that these are kept once."""
        return next((known for known in self._all() if known.equals(copy)), copy)

    def _forget_the_oldest(self) -> None:
        while len(self.of) > 1 and self._bytes() > MOST_BYTES:
            del self.of[next(iter(self.of))]

    def _bytes(self) -> Any:
        return sum({id(copy): copy.rows.nbytes for copy in self._all()}.values())

    def for_network(self, model: Any) -> Iterator[Any]:
        """(source, copy) of a network, then those of others, the latest first."""
        own = self.of.get(model, {})
        yield from ((source, own[source]) for source in SOURCES if source in own)
        others = [given for other, given in reversed(list(self.of.items())) if other is not model]
        for given in others[:OTHERS]:
            yield from ((source, given[source]) for source in SOURCES if source in given)


def wrap(original: Callable[..., Any], claims: Claims) -> Any:
    """One of ``fit``, ``evaluate`` and ``predict``, whose images are noted."""
    signature = inspect.signature(original)
    name = original.__name__

    @functools.wraps(original)
    def call(*arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        with contextlib.suppress(TypeError):  # a call that Keras will refuse: let it say so
            bound = signature.bind_partial(*arguments, **options)
            given = bound.arguments
            # That list is Keras's own, in a validation within fit.
            if not isinstance(given.get("callbacks"), keras.callbacks.CallbackList):
                model, validation = given.get("self"), given.get("validation_data")
                if "x" in given:
                    given["x"] = claims.passed(model, name, given["x"])
                if isinstance(validation, (list, tuple)) and validation:
                    claims.note(model, "validation_data", validation[0])
                elif validation is not None:
                    given["validation_data"] = claims.passed(model, "validation_data", validation)
                arguments, options = bound.args, bound.kwargs
        return original(*arguments, **options)

    return call


def begin_noting(trainer: Any) -> Any:
    """Note what all networks of this process are given, whose class `trainer` is Keras's own."""
    claims = Claims()
    PASSING["watch_py_datasets"]()
    for name in ("fit", "evaluate", "predict"):
        setattr(trainer, name, wrap(getattr(trainer, name), claims))
    return claims


def fits(shape: Any, wanted: Any) -> bool:
    """Whether rows of a shape can be what a network takes; sizes of 1 do not matter."""
    sizes = [int(size) for size in shape if size != 1]
    wanted = [size for size in wanted if size != 1]
    return len(sizes) == len(wanted) and all(
        want is None or size == want for size, want in zip(sizes, wanted, strict=True)
    )


def variables(names: dict[str, Any], model: Any) -> Iterator[Any]:
    """(name, copy) of a notebook's arrays with as many rows as there are test images."""
    wanted = getattr(model, "input_shape", None)
    if not isinstance(wanted, tuple):
        return
    count = 0
    for name, value in reversed(list(names.items())):
        if str(name).startswith("_") or not is_array(value) or value.ndim < 2:
            continue
        if value.shape[0] == ROWS_OF_A_VARIABLE and fits(value.shape[1:], wanted[1:]):
            copy = copy_of(value)
            if copy is not None:
                yield str(name), copy
                count += 1
        if count == MOST_VARIABLES:
            return


def write_claims(claims: Claims, model: Any, names: dict[str, Any], folder: str) -> None:
    """Write what is claimed about a network's images into an existing folder.

    Parameters
    ----------
    model
        The network that counts.
    names
        The notebook's variables by name.
    """
    found = [(source, "", copy) for source, copy in claims.for_network(model)]
    with contextlib.suppress(Exception):
        found += [("variable", name, copy) for name, copy in variables(names, model)]
    entries: list[dict[str, Any]] = []
    written: list[Copy] = []
    offset = 0
    with open(os.path.join(folder, "claims.bin"), "wb") as file:
        for source, name, copy in found:
            rows = copy.rows.astype(copy.rows.dtype.newbyteorder("<"), copy=False)
            if offset + rows.nbytes > MOST_BYTES or any(copy.equals(other) for other in written):
                continue
            entries.append(
                {
                    "source": source,
                    "name": name[:100],
                    "total": copy.total,
                    "shape": list(rows.shape),
                    "dtype": rows.dtype.name,
                    "offset": offset,
                    "bytes": rows.nbytes,
                }
            )
            file.write(rows.tobytes())
            offset += rows.nbytes
            written.append(copy)
    part = os.path.join(folder, "claims.json.part")
    with open(part, "w") as file:
        json.dump({"format": FORMAT, "claims": entries}, file)
    os.replace(part, os.path.join(folder, "claims.json"))
