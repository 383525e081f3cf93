"""What a network can do, measured on the grader's own images, in NumPy."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.core.config import Verification
from autograder.core.errors import NotEvaluated
from autograder.core.mnist import PRIVATE, PUBLIC, Mnist
from autograder.network.export import Compilation, NetworkExport
from autograder.network.preparation.images import raw_images
from autograder.network.preparation.preparation import Preparation, Prepared
from autograder.network.preparation.recovering import prove, recover
from autograder.network.rebuild import Network, rebuild
from autograder.network.units import (
    CLASSES,
    PROBE_IMAGES,
    Confusion,
    UnitCount,
    confusions,
    count_units,
)

MAX_TRAINING_WORK = 60_000_000_000
"""Multiply-adds for the training images together, some four seconds on one core. A network of
dense layers within the budget reads all 60,000; one with convolutions a part of them."""
MIN_TRAINING_IMAGES = 10_000
"""Read at least, however large the network is: as many as there are test images."""
PART = 5_000
"""Images prepared at a time: all 60,000 would take 376 MB where they become float64."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A verified network and how well it does.

    Attributes
    ----------
    accuracy
        The one that counts: over all 10,000 test images, or over the private 5,000 where the
        public ones are known better. A fraction.
    images, labels, outputs
        What `accuracy` is over: test images as published, their digits, and what the network puts
        out for each.
    training_accuracy
        Over `training_images` of the training images; see `draw_training_images`.
    test_over_training
        Whether all test images are known better than training images. Then the network has seen
        them, and its accuracy says nothing.
    public_over_private
        Whether the half of the test images that the notebook had is known better than the other.
    chosen_by
        How the network was chosen from all in the notebook.
    """

    network: Network
    preparation: Preparation
    accuracy: float
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    outputs: NDArray[Any]
    public_accuracy: float
    private_accuracy: float
    training_accuracy: float
    training_images: int
    test_over_training: Comparison
    public_over_private: Comparison
    chosen_by: str
    history: dict[str, list[float | None]]
    compilation: Compilation | None
    units: tuple[UnitCount, ...]
    confusions: tuple[Confusion, ...]
    """Over the public half of the test images, the only ones that may be shown."""

    @property
    def counted_images(self) -> int:
        """How many images `accuracy` is over."""
        return len(self.labels)

    @property
    def parameters(self) -> int:
        """All parameters, trainable or not."""
        return self.network.parameters

    @property
    def leaked(self) -> bool:
        """Whether it knows test images better than training images, by more than chance."""
        return self.test_over_training.is_beyond_chance

    @property
    def private_half_counts(self) -> bool:
        """Whether the public half says too much of it."""
        return self.public_over_private.is_beyond_chance


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
    return Measurement(
        network=network,
        preparation=preparation,
        accuracy=float(test[counted].mean()),
        images=mnist.x_test[counted],
        labels=mnist.y_test[counted],
        outputs=outputs[counted],
        public_accuracy=float(test[PUBLIC].mean()),
        private_accuracy=float(test[PRIVATE].mean()),
        training_accuracy=float(training.mean()),
        training_images=len(training),
        test_over_training=Comparison.between(
            test, training, bound=settings.test_over_training_p_value
        ),
        public_over_private=halves,
        chosen_by=export.chosen_by,
        history=export.history,
        compilation=export.compilation,
        units=tuple(count_units(network, preparation(mnist.x_train[:PROBE_IMAGES]))),
        confusions=confusions(outputs[PUBLIC].argmax(axis=1), mnist.y_test[PUBLIC]),
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
