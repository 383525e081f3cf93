"""One layer as the export describes it: its settings and arrays, checked when they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from autograder.core.errors import NotEvaluated, UnverifiableModel
from autograder.core.text import shown_name

Array: TypeAlias = npt.NDArray[np.float32]
Shape: TypeAlias = tuple[int, ...]
"""Without the batch axis, unless it says otherwise."""

MAX_EXTENT = 1 << 31
"""No configured size is larger; products of a few of these are still cheap in Python."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerSpec:
    """A layer's name, kind, configuration and arrays; nothing in them has been checked.

    The methods return a checked value of the configuration or raise ``UnverifiableModel``.
    """

    name: str
    """With the names of the networks that hold it, joined by slashes."""
    kind: str
    config: Mapping[str, object]
    arrays: tuple[Array, ...] = ()
    """In Keras's order of the layer's weights."""
    operands: tuple[float | None, ...] = field(default=())
    """For an operation such as ``x + 1``: its arguments in order, None where an input goes."""

    def refusal(self, why: str) -> UnverifiableModel:
        """The error for a layer that is not rebuilt; `why` continues the sentence naming it."""
        return NotEvaluated(self._sentence(why))

    def distrust(self, why: str) -> UnverifiableModel:
        """The error where there may be more to the layer than what left the box."""
        return UnverifiableModel(self._sentence(why))

    def _sentence(self, why: str) -> str:
        return f"Layer {shown_name(self.name)!r} ({shown_name(self.kind)}) {why}."

    def integer(
        self, key: str, *, low: int = 1, high: int = MAX_EXTENT, default: int | None = None
    ) -> int:
        """A whole number from `low` to `high`."""
        value = self.config.get(key, default)
        if type(value) is not int or not low <= value <= high:
            raise self.refusal(f"has a `{key}` that is not a whole number from {low} to {high}")
        return value

    def number(self, key: str, *, default: float | None = None) -> float:
        """A finite number."""
        value = finite(self.config.get(key, default))
        if value is None:
            raise self.refusal(f"has a `{key}` that is not a number")
        return value

    def optional_number(self, key: str) -> float | None:
        """A finite number, or None where it is null or missing."""
        return None if self.config.get(key) is None else self.number(key)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or False."""
        value = self.config.get(key, default)
        if type(value) is not bool:
            raise self.refusal(f"has a `{key}` that is neither True nor False")
        return value

    def choice(self, key: str, options: Sequence[str], *, default: str) -> str:
        """One of `options`."""
        value = self.config.get(key, default)
        if not isinstance(value, str) or value not in options:
            raise self.refusal(f"has a `{key}` that is none of {', '.join(options)}")
        return value

    def integers(self, key: str, *, low: int, high: int = MAX_EXTENT) -> tuple[int, ...]:
        """A list of up to 8 whole numbers; a single one counts as a list of one."""
        value = self.config.get(key)
        items = value if isinstance(value, list) else [value]
        if len(items) > 8 or not all(type(i) is int and low <= i <= high for i in items):
            raise self.refusal(f"has a `{key}` that is not a list of whole numbers from {low} on")
        return tuple(items)

    def pair(self, key: str, *, low: int = 1, default: int | None = None) -> tuple[int, int]:
        """Height and width; a single number stands for both."""
        if self.config.get(key) is None and default is not None:
            return default, default
        values = self.integers(key, low=low)
        if len(values) not in (1, 2):
            raise self.refusal(f"has a `{key}` that is not two whole numbers")
        return values[0], values[-1]

    def axes(self, key: str, rank: int) -> tuple[int, ...]:
        """Axes of the input counted from its first after the batch's, not sorted, from 0.

        `rank` is without the batch axis, which the configuration counts as axis 0.
        """
        axes = []
        for axis in self.integers(key, low=-rank, high=rank):
            if axis == 0:
                raise self.refusal(f"works across images (`{key}` is 0); use `{key}=-1`")
            axes.append(axis - 1 if axis > 0 else axis + rank)
        if len(set(axes)) != len(axes):
            raise self.refusal(f"names an axis twice in `{key}`")
        return tuple(axes)

    def check_channels_last(self) -> None:
        """Raise unless images are of shape (height, width, channels)."""
        if self.config.get("data_format", "channels_last") != "channels_last":
            raise self.refusal(
                "works on images with the channels first, which the grader does not rebuild. Use "
                "data_format='channels_last', Keras's default, and images of shape (28, 28, 1)"
            )

    def check_image(self, shape: Shape) -> None:
        """Raise unless `shape` is (height, width, channels)."""
        self.check_channels_last()
        if len(shape) != 3:
            raise self.refusal(
                f"needs images of shape (height, width, channels), but gets {shape}. "
                "Use keras.Input(shape=(28, 28, 1)) or a Reshape((28, 28, 1)) layer before it"
            )

    def check_sequence(self, shape: Shape, what: str = "features") -> None:
        """Raise unless `shape` is (steps, features)."""
        if len(shape) != 2:
            raise self.refusal(
                f"needs sequences of shape (steps, {what}), but gets {shape}. Use "
                "keras.Input(shape=(28, 28)), or a Reshape((28, 28)) layer before it"
            )

    def weights(self, *expected: tuple[str, Shape]) -> tuple[Array, ...]:
        """The layer's arrays, which must be exactly those `expected`, in order."""
        if len(self.arrays) != len(expected):
            names = ", ".join(name for name, _ in expected) or "none"
            raise self.distrust(
                f"was saved with {len(self.arrays)} arrays of weights where Keras has "
                f"{len(expected)} ({names})"
            )
        for array, (name, shape) in zip(self.arrays, expected, strict=True):
            if array.shape != shape:
                raise self.distrust(
                    f"has a {name} of shape {array.shape} where its settings and its input ask "
                    f"for {shape}"
                )
        return self.arrays

    def learned(self, size: Shape, **names: bool) -> dict[str, Array]:
        """The layer's arrays, all of shape `size`, by name: of `names` those that it has."""
        present = [name for name, has_it in names.items() if has_it]
        return dict(zip(present, self.weights(*((name, size) for name in present)), strict=True))

    def only_input(self, shapes: Sequence[Shape]) -> Shape:
        """The shape of the layer's one input."""
        if len(shapes) != 1:
            raise self.refusal(f"takes one input, but is given {len(shapes)}")
        return shapes[0]


def finite(value: object) -> float | None:
    """`value` as a float if it is a number of sensible size, else None."""
    if type(value) is not int and not isinstance(value, float):
        return None
    # Compared before it is converted: whole numbers in JSON have no bound. Float32's is 3.4e38.
    return float(value) if -3e38 <= value <= 3e38 else None


def volume(shape: Shape) -> int:
    """Numbers in an array of that shape; exact, however large."""
    return math.prod(shape)
