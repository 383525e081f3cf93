"""What a network can do, measured on the grader's own images, in NumPy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.core.config import Verification
from autograder.core.errors import NotEvaluated
from autograder.core.mnist import PRIVATE, PUBLIC, Mnist
from autograder.network import (
    CLASSES,
    Comparison,
    Confusion,
    LayerSummary,
    Measured,
    UnitCount,
    is_rectifier,
)
from autograder.network.export import NetworkExport
from autograder.network.preparation import Preparation, Prepared
from autograder.network.preparation.images import raw_images
from autograder.network.preparation.recovering import prove, recover
from autograder.network.rebuild import Network, rebuild

MAX_TRAINING_WORK = 60_000_000_000
"""Multiply-adds for the training images together, some four seconds on one core. A network of
dense layers within the budget reads all 60,000; one with convolutions a part of them."""
MIN_TRAINING_IMAGES = 10_000
"""Read at least, however large the network is: as many as there are test images."""
PART = 5_000
"""Images prepared at a time: all 60,000 would take 376 MB where they become float64."""
PROBE_IMAGES = 1000
"""A unit that is silent for a thousand images of all digits is silent for all practical ends."""
SATURATED_SHARE = 0.98
"""Of the images for which a unit sits in the flat end of its curve, to be called saturated."""
FLAT_ENDS: dict[str, tuple[float, float]] = {"sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99)}
"""Outputs beyond these lie where the curve's slope is below 2 % of its largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A verified network, how well it does, and what else it can be asked.

    Attributes
    ----------
    outputs
        What the network puts out for each of the images that count.
    """

    measured: Measured
    network: Network
    preparation: Preparation
    outputs: NDArray[Any]


def measure(export: NetworkExport, *, mnist: Mnist, settings: Verification) -> Measurement:
    """Rebuild the network and evaluate it.

    Parameters
    ----------
    export
        What left the box.

    Raises
    ------
    UnverifiableModel
        If the network cannot be rebuilt, or is no classifier of MNIST images.
    """
    network = rebuild(export)
    if tuple(network.output_shape) != (CLASSES,):
        raise NotEvaluated(
            f"Your network's output has the shape {network.output_shape}. It should give ten "
            "numbers for each image, one for each digit: end it with Dense(10)."
        )

    preparation = _preparation_of(export, network, mnist, settings)

    def read(images: NDArray[np.uint8], which: NDArray[np.int64]) -> NDArray[Any]:
        return np.concatenate(
            [network.predict(preparation(images[part])) for part in _parts(which)]
        )

    drawn = draw_training_images(export, network, len(mnist.x_train))
    training = _is_right(read(mnist.x_train, drawn), mnist.y_train[drawn])
    outputs = read(mnist.x_test, np.arange(len(mnist.x_test)))
    test = _is_right(outputs, mnist.y_test)
    halves = Comparison.between(test[PUBLIC], test[PRIVATE], bound=settings.public_half_p_value)
    counted = PRIVATE if halves.is_beyond_chance else slice(None)
    measured = Measured(
        accuracy=float(test[counted].mean()),
        counted_images=len(test[counted]),
        public_accuracy=float(test[PUBLIC].mean()),
        private_accuracy=float(test[PRIVATE].mean()),
        training_accuracy=float(training.mean()),
        training_images=len(training),
        test_over_training=Comparison.between(
            test, training, bound=settings.test_over_training_p_value
        ),
        public_over_private=halves,
        parameters=network.parameters,
        layers=network.layers,
        passages=tuple(sorted(network.passages)),
        remarks=network.remarks,
        preparation=preparation.name,
        proved_by=preparation.source,
        chosen_by=export.chosen_by,
        history=export.history,
        compilation=export.compilation,
        units=tuple(count_units(network, preparation(mnist.x_train[:PROBE_IMAGES]))),
        confusions=confusions(outputs[PUBLIC].argmax(axis=1), mnist.y_test[PUBLIC]),
    )
    return Measurement(
        measured=measured, network=network, preparation=preparation, outputs=outputs[counted]
    )


def _preparation_of(
    export: NetworkExport, network: Network, mnist: Mnist, settings: Verification
) -> Preparation:
    """What a claim proves; else what is usual, or does better by more than chance."""

    def correct(images: Prepared, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        return _is_right(network.predict(images), labels)

    count, raw = settings.probe_images, raw_images(mnist)
    return prove(export.claims, input_shape=network.input_shape, raw=raw) or recover(
        input_shape=network.input_shape,
        right=correct,
        images=mnist.x_train[:count],
        labels=mnist.y_train[:count],
        raw=raw,
        bound=settings.preparation_p_value,
    )


def draw_training_images(export: NetworkExport, network: Network, count: int) -> NDArray[np.int64]:
    """Which training images to compare the test images with.

    All of them, as long as that takes seconds; of a larger network as many as do. Then they are
    drawn by a hash of the exported weights: the same weights are always measured alike, and
    whoever trains on some images cannot foresee whether these are among those compared with.
    Never the first, nor every n-th: the training images of even index are unlike those of odd
    index.

    Parameters
    ----------
    count
        How many there are.

    Returns
    -------
    Their indices, in ascending order.
    """
    size = max(MIN_TRAINING_IMAGES, MAX_TRAINING_WORK // max(1, network.work))
    if size >= count:
        return np.arange(count)
    digest = hashlib.sha256()
    for array in export.arrays:
        digest.update(array.values.tobytes())
    random = np.random.default_rng(int.from_bytes(digest.digest(), "big"))
    return np.sort(random.choice(count, size, replace=False))


def _parts(indices: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(indices), PART):
        yield indices[start : start + PART]


def _is_right(outputs: NDArray[Any], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """For each row of class scores whether the largest is the label's."""
    # argmax of a row with NaN is an index too: such an answer is no answer.
    sound = np.isfinite(outputs).all(axis=1)
    return np.asarray(sound & (outputs.argmax(axis=1) == labels), dtype=np.bool_)


def count_units(network: Network, images: NDArray[Any]) -> list[UnitCount]:
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

    network.predict(images, observer=observe)
    counts = []
    for name, layer in layers.items():
        share = 1.0 if is_rectifier(layer) else SATURATED_SHARE
        silent = int((idle[name] >= share * seen[name]).sum())
        counts.append(UnitCount(layer=layer, units=len(idle[name]), silent=silent))
    return counts


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
