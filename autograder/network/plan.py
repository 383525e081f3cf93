"""How one layer is computed, what that costs, and how much computing a network may ask for.

All is checked on shapes alone, before any array is made. Work is counted in multiply-adds of a
matrix product, per image. What NumPy does without BLAS is counted at what it costs in the same
time, measured on one core. A module of layers says by `takes` what a kind of layer needs, and by
`Plan.by_element` or `products` what it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from autograder.core.errors import NotEvaluated, UnverifiableModel
from autograder.network.spec import Array, LayerSpec, Shape, volume

MAX_WORK = 150_000_000
"""Per image. A convolution uses each weight at most once per pixel, so that no network of 110,000
parameters needs more than 110,000 * 28 * 28 = 86 million without enlarging the images. Measuring
takes some 30,000 images: five minutes on one core, at the 15 billion a second that it was seen to
do."""

MAX_ELEMENTS = 4_000_000
"""Numbers per image that all layers together put out or need meanwhile: 16 MB as float32. A plain
convolutional network of 32 and 64 filters needs 0.1 million."""

MAX_BATCH_ELEMENTS = 8_000_000
"""Numbers in memory at a time, 32 MB as float32; batches are cut to fit. Measured: convolutions
are up to twice as fast in batches that a processor's cache holds."""

MAX_STEPS = 2_000
"""Calls of layers, each counted as often as it is used; ResNet50 has 176."""

ELEMENTWISE_WORK = 8
"""For one addition, comparison or copy of an element: bound by memory, not by arithmetic."""

CHEAP_ACTIVATION_WORK = 20
"""For one element of an activation that only compares, adds and multiplies, such as ReLU."""

ACTIVATION_WORK = 100
"""For one element of any other; the dearest is a handful of exponentials and logarithms."""

LOOP_WORK = 30_000
"""For one turn of a Python loop, spread over a batch."""

MAX_CONSTANTS = 4 * 28 * 28
"""Numbers that lists in the layers' settings hold, all layers together: a mean and a variance for
each pixel, twice. They are no parameters by Keras's count, so that more of them would be a way to
carry a network past the budget."""

CONSTANT_KEYS = frozenset({"scale", "offset", "mean", "variance", "value"})
"""Settings that are numbers which the network computes with."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerSummary:
    """What a reader wants to know of one layer."""

    name: str
    """With the names of the networks that hold it, joined by slashes."""
    kind: str
    parameters: int
    output_shape: Shape
    """Without the batch axis; of its first use."""
    activation: str | None
    """Keras's name for it, None for a layer that has none."""


Observer: TypeAlias = Callable[[LayerSummary, Array], None]
"""Given a layer and its output for some images, of shape (n, *output_shape), not to be changed."""


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
