"""What single units of a network do, and which digits it mixes up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

CLASSES = 10
PROBE_IMAGES = 1000
"""A unit that is silent for a thousand images of all digits is silent for all practical ends."""
SATURATED_SHARE = 0.98
"""Of the images for which a unit sits in the flat end of its curve, to be called saturated."""
RECTIFIERS = frozenset({"relu", "relu6"})
FLAT_ENDS: dict[str, tuple[float, float]] = {"sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99)}
"""Outputs beyond these lie where the curve's slope is below 2 % of its largest."""


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


class Observed(Protocol):
    """A network whose layers can be watched, see ``rebuild.Network``."""

    def observe(self, images: NDArray[Any], observer: Observer, /) -> object:
        """Show every layer's output to `observer`, batch after batch."""


def count_units(network: Observed, images: NDArray[Any]) -> list[UnitCount]:
    """Dead or saturated units of each layer that has an activation which can be either.

    Parameters
    ----------
    images
        Prepared for the network, of shape (n, *input_shape).
    """
    idle: dict[str, NDArray[np.int64]] = {}
    layers: dict[str, LayerSummary] = {}
    seen: dict[str, int] = {}

    def observe(layer: LayerSummary, output: NDArray[Any]) -> None:
        units = output.reshape(-1, output.shape[-1])
        if is_rectifier(layer):
            silent = units <= 0
        elif layer.activation in FLAT_ENDS:
            low, high = FLAT_ENDS[layer.activation]
            silent = (units < low) | (units > high)
        else:
            return
        layers[layer.name] = layer
        idle[layer.name] = idle.get(layer.name, 0) + silent.sum(axis=0)
        seen[layer.name] = seen.get(layer.name, 0) + len(units)

    network.observe(images, observe)
    counts = []
    for name, layer in layers.items():
        share = 1.0 if is_rectifier(layer) else SATURATED_SHARE
        silent = int((idle[name] >= share * seen[name]).sum())
        counts.append(UnitCount(layer=layer, units=len(idle[name]), silent=silent))
    return counts


def is_rectifier(layer: LayerSummary) -> bool:
    """Whether a unit of this layer can die."""
    return layer.activation in RECTIFIERS or layer.kind == "ReLU"


def confusions(
    answers: NDArray[Any], labels: NDArray[np.uint8], most: int = 5
) -> tuple[Confusion, ...]:
    """The pairs of digits that are mixed up most often, the most frequent first.

    Parameters
    ----------
    answers, labels
        Digits of shape (n,).
    """
    pairs = np.bincount(labels.astype(np.int64) * CLASSES + answers, minlength=CLASSES**2)
    pairs[:: CLASSES + 1] = 0
    found = []
    for pair in np.argsort(-pairs, kind="stable")[:most]:
        if pairs[pair] == 0:
            break
        digit, taken_for = divmod(int(pair), CLASSES)
        places = np.flatnonzero((labels == digit) & (answers == taken_for))
        found.append(
            Confusion(
                digit=digit,
                taken_for=taken_for,
                count=int(pairs[pair]),
                examples=tuple(int(place) for place in places[:3]),
            )
        )
    return tuple(found)
