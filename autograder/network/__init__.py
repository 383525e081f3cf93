"""Rebuilds an exported network from an allow-list of Keras's layers, and computes it in NumPy.

Nothing of the student's runs here, and neither does TensorFlow: a layer is its settings, which
are checked, and its arrays, whose shapes must be those that the settings ask for.

Here is what is found out about a network: records of names and numbers alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from autograder.core.config import Record

Name = Annotated[str, Meta(max_length=200)]

CLASSES = 10
RECTIFIERS = frozenset({"relu", "relu6"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """What a reader wants to know of one layer."""

    name: str
    """With the names of the networks that hold it, joined by slashes."""
    kind: str
    parameters: int
    output_shape: tuple[int, ...]
    """Without the batch axis; of its first use."""
    activation: str | None
    """Keras's name for it, None for a layer that has none."""


Observer: TypeAlias = Callable[[LayerSummary, NDArray[Any]], None]
"""Given a layer and its output for some images, of shape (n, *output_shape), not to be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """A digit that is often taken for another.

    Attributes
    ----------
    digit, taken_for
        0 to 9.
    count
        Images of `digit` taken for `taken_for`.
    examples
        Indices, into the images given, of up to three of them.
    """

    digit: int
    taken_for: int
    count: int
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCount:
    """How the units of one layer do.

    Attributes
    ----------
    silent
        Units that give zero for every image (rectifiers), or sit in a flat end for nearly every
        image (sigmoid, tanh).
    """

    layer: LayerSummary
    units: int
    silent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Whether some images are known better than others: the two-proportion z test.

    Attributes
    ----------
    first, second
        Shares of right answers, fractions.
    z
        How many standard errors `first` is above `second`, if both were alike (pooled variance).
    p_value
        One-sided: how often chance alone gives so large a z, or a larger one.
    bound
        What `p_value` has to be below, to be taken for more than chance.
    """

    first: float
    second: float
    z: float
    p_value: float
    bound: float

    @classmethod
    def between(
        cls, first: NDArray[np.bool_], second: NDArray[np.bool_], *, bound: float
    ) -> Comparison:
        """Compare right answers on two sets of images, which need not be of the same size."""
        pooled = (first.sum() + second.sum()) / (len(first) + len(second))
        spread = math.sqrt(pooled * (1 - pooled) * (1 / len(first) + 1 / len(second)))
        # All right, or all wrong: the two do not differ.
        z = float((first.mean() - second.mean()) / spread) if spread > 0 else 0.0
        return cls(
            first=float(first.mean()),
            second=float(second.mean()),
            z=z,
            p_value=0.5 * math.erfc(z / math.sqrt(2)),
            bound=bound,
        )

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the first images are known better, by more than chance."""
        return self.p_value < self.bound


class Compilation(Record, frozen=True):
    """What ``model.compile`` was told; only ever used for hints."""

    loss: Name | None
    optimizer: Name
    learning_rate: float | None


class Measured(Record, frozen=True):
    """How well a verified network does.

    Attributes
    ----------
    accuracy
        The one that counts: over all 10,000 test images, or over the private 5,000 where the
        public ones are known better. A fraction.
    counted_images
        How many images that is over.
    training_accuracy
        Over `training_images` of the training images; see `draw_training_images`.
    test_over_training
        Whether all test images are known better than training images. Then the network has seen
        them, and its accuracy says nothing.
    public_over_private
        Whether the half of the test images that the notebook had is known better than the other.
    parameters
        All, trainable or not.
    passages
        Layers through which all must pass.
    remarks
        For staff: in what the network differs from that in the notebook.
    preparation, proved_by
        Of the images, in words, and what shows it; the latter is empty where nothing does.
    chosen_by
        How the network was chosen from all in the notebook.
    confusions
        Over the public half of the test images, the only ones that may be shown.
    """

    accuracy: float
    counted_images: int
    public_accuracy: float
    private_accuracy: float
    training_accuracy: float
    training_images: int
    test_over_training: Comparison
    public_over_private: Comparison
    parameters: int
    layers: tuple[LayerSummary, ...]
    passages: tuple[str, ...]
    remarks: tuple[str, ...]
    preparation: str
    proved_by: str
    chosen_by: str
    history: dict[str, list[float | None]]
    compilation: Compilation | None
    units: tuple[UnitCount, ...]
    confusions: tuple[Confusion, ...]

    @property
    def leaked(self) -> bool:
        """Whether it knows test images better than training images, by more than chance."""
        return self.test_over_training.is_beyond_chance

    @property
    def private_half_counts(self) -> bool:
        """Whether `accuracy` is over the private half of the test images alone."""
        return self.public_over_private.is_beyond_chance


def is_rectifier(layer: LayerSummary) -> bool:
    """Whether a unit of this layer can die."""
    return layer.activation in RECTIFIERS or layer.kind == "ReLU"
