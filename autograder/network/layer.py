"""One layer: what the export says of it, checked as it is read, and how it is computed.

All is checked on shapes alone, before any array is made. Work is counted in multiply-adds of a
matrix product, per image. What NumPy does without BLAS is counted at what it costs in the same
time, measured on one core. A module of layers says by `takes` what a kind of layer needs, and by
`Plan.by_element` or `products` what it costs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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


MAX_WORK = 150_000_000
"""Per image. A convolution uses each weight at most once per pixel, so that no network of 110,000
parameters needs more than 110,000 * 28 * 28 = 86 million without enlarging the images. Measuring
takes some 30,000 images: five minutes on one core, at the 15 billion a second that it was seen to
do."""

ELEMENTWISE_WORK = 8
"""For one addition, comparison or copy of an element: bound by memory, not by arithmetic."""

CHEAP_ACTIVATION_WORK = 20
"""For one element of an activation that only compares, adds and multiplies, such as ReLU."""

ACTIVATION_WORK = 100
"""For one element of any other; the dearest is a handful of exponentials and logarithms."""

LOOP_WORK = 30_000
"""For one turn of a Python loop, spread over a batch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How one layer computes on inputs of known shape."""

    output_shape: Shape
    run: Callable[[Sequence[Array]], Array]
    """From inputs, each of shape (n, *input_shape), which it must not change, to the output of
    shape (n, *output_shape)."""
    work: int = 0
    """Per image; see ``MAX_WORK``. That the output is written is counted by the assembler."""
    scratch: int = 0
    """Numbers per image that are needed besides inputs and output."""
    activation: str | None = None

    @classmethod
    def by_element(
        cls,
        output_shape: Shape,
        run: Callable[[Array], Array],
        *,
        passes: int = 1,
        each: int = ELEMENTWISE_WORK,
        over: Shape | None = None,
        scratch: int = 0,
    ) -> Plan:
        """A layer of one input that goes `passes` times over all elements, at `each` of work.

        Parameters
        ----------
        over
            The shape whose elements are gone over, where it is not the output's.
        scratch
            In copies of these elements.
        """
        elements = volume(output_shape if over is None else over)
        return cls(
            output_shape=output_shape,
            run=lambda inputs: run(inputs[0]),
            work=passes * each * elements,
            scratch=scratch * elements,
        )


def products(kernel: Array, output_shape: Shape) -> int:
    """Multiply-adds of a matrix product: each output is one for each weight of its unit."""
    return int(kernel.size // kernel.shape[-1]) * volume(output_shape)


def too_large(what: str, amount: int, limit: int) -> UnverifiableModel:
    """The error for a network that would take the grader too long to compute."""
    # A hostile size can have more digits than may be written out.
    shown = f"{amount:,}" if amount < 10**18 else "more than 10^18"
    return NotEvaluated(
        f"The network needs {shown} {what} for each image, and the grader stops at {limit:,}. "
        "Use fewer filters or units, more pooling, and no pretrained network: a small one of "
        "Conv2D or Dense layers is enough for handwritten digits."
    )


Planner: TypeAlias = Callable[[LayerSpec, Sequence[Shape]], Plan]
"""Checks a layer against its inputs' shapes, and says how to compute it."""


def takes(
    check: Callable[[LayerSpec, Shape], None] | None = None, *, learns: bool = False
) -> Callable[[Callable[[LayerSpec, Shape], Plan]], Planner]:
    """A kind of layer that takes one input, with which the decorated function plans it.

    Parameters
    ----------
    check
        Raises unless the input's shape is of the right kind, such as ``LayerSpec.check_image``.
    learns
        Whether it may have weights, which the function then checks.
    """

    def decorate(plan: Callable[[LayerSpec, Shape], Plan]) -> Planner:
        def planner(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
            shape = spec.only_input(shapes)
            if check is not None:
                check(spec, shape)
            if not learns:
                spec.weights()
            return plan(spec, shape)

        return planner

    return decorate
