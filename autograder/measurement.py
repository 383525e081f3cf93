"""What a network can do, measured on the grader's own images, in NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.config import Verification
from autograder.data import Mnist
from autograder.diagnosis import Symptoms
from autograder.errors import UnverifiableModel
from autograder.export import Compilation, NetworkExport
from autograder.network import Network, rebuild
from autograder.preprocessing import Preparation, Prepared, Statistics, recover
from autograder.units import PROBE_IMAGES, Confusion, UnitCount, confusions, count_units

CLASSES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Whether the public half of the test images is known better than the private half.

    Attributes
    ----------
    z
        Two-proportion z statistic, public over private.
    p_value
        One-sided: how often chance alone would give so large a z.
    found
        Whether `p_value` is below the configured bound.
    """

    z: float
    p_value: float
    found: bool

    @classmethod
    def between(cls, public: NDArray[np.bool_], private: NDArray[np.bool_], bound: float) -> Leak:
        """Compare right answers on the two halves."""
        pooled = (public.sum() + private.sum()) / (len(public) + len(private))
        spread = math.sqrt(pooled * (1 - pooled) * (1 / len(public) + 1 / len(private)))
        z = float((public.mean() - private.mean()) / spread) if spread > 0 else 0.0
        p_value = 0.5 * math.erfc(z / math.sqrt(2))
        return cls(z=z, p_value=p_value, found=p_value < bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A verified network and how well it does.

    Attributes
    ----------
    accuracy
        The one that counts: over all 10,000 test images, or over the private 5,000 if the public
        ones leaked into training. A fraction.
    counted_images
        How many images `accuracy` is over.
    training_accuracy
        Over the training images that the preprocessing was recovered on.
    chosen_by
        How the network was chosen from all in the notebook.
    """

    network: Network
    preparation: Preparation
    accuracy: float
    counted_images: int
    public_accuracy: float
    private_accuracy: float
    training_accuracy: float
    leak: Leak
    chosen_by: str
    history: dict[str, list[float | None]]
    compilation: Compilation | None
    units: tuple[UnitCount, ...]
    confusions: tuple[Confusion, ...]
    """Over the public half of the test images, the only ones that may be shown."""

    @property
    def parameters(self) -> int:
        """All parameters, trainable or not."""
        return self.network.parameters

    @property
    def symptoms(self) -> Symptoms:
        """What a diagnosis goes by."""
        return Symptoms(
            units=self.units,
            layers=self.network.layers,
            training_accuracy=self.training_accuracy,
            test_accuracy=self.accuracy,
            parameters=self.parameters,
            history=self.history,
            compilation=self.compilation,
        )


class VerifiedModel:
    """What Otter's test files see in place of the student's ``model``."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement

    def count_params(self) -> int:
        """All parameters, trainable or not."""
        return self._measurement.parameters

    def predict(
        self, images: Prepared, batch_size: object = None, verbose: object = "auto"
    ) -> NDArray[Any]:
        """Class probabilities of shape (n, classes) for prepared images.

        What else Keras can be told is taken and has no effect, since the same tests also run
        beside the student's own network.
        """
        return self._measurement.network.predict(images)


def measure(
    export: NetworkExport, *, mnist: Mnist, statistics: Statistics, settings: Verification
) -> Measurement:
    """Rebuild the network and evaluate it.

    Parameters
    ----------
    export
        What left the box.
    statistics
        Of `mnist.x_train`; passed in since they are the same for all submissions.

    Raises
    ------
    UnverifiableModel
        If the network cannot be rebuilt, or is no classifier of MNIST images.
    """
    network = rebuild(export)
    if tuple(network.output_shape) != (CLASSES,):
        raise UnverifiableModel(
            f"Your network's output has the shape {network.output_shape}. It should give ten "
            "numbers for each image, one for each digit: end it with Dense(10)."
        )

    def correct(images: Prepared, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        return _is_right(network.predict(images), labels)

    count = settings.probe_images
    preparation = recover(
        input_shape=network.input_shape,
        right=correct,
        images=mnist.x_train[:count],
        labels=mnist.y_train[:count],
        statistics=statistics,
        bound=settings.preparation_p_value,
    )
    training_images = preparation(mnist.x_train[:count])
    training = correct(training_images, mnist.y_train[:count])
    public_images, public_labels = mnist.public_test
    private_images, private_labels = mnist.private_test
    public_outputs = network.predict(preparation(public_images))
    public = _is_right(public_outputs, public_labels)
    private = correct(preparation(private_images), private_labels)
    leak = Leak.between(public, private, settings.leak_p_value)
    counted = private if leak.found else np.concatenate([public, private])
    return Measurement(
        network=network,
        preparation=preparation,
        accuracy=float(counted.mean()),
        counted_images=len(counted),
        public_accuracy=float(public.mean()),
        private_accuracy=float(private.mean()),
        training_accuracy=float(training.mean()),
        leak=leak,
        chosen_by=export.chosen_by,
        history=export.history,
        compilation=export.compilation,
        units=tuple(count_units(network, training_images[:PROBE_IMAGES])),
        confusions=confusions(public_outputs.argmax(axis=1), public_labels),
    )


def _is_right(outputs: NDArray[Any], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """For each row of class scores whether the largest is the label's."""
    # argmax of a row with NaN is an index too: such an answer is no answer.
    sound = np.isfinite(outputs).all(axis=1)
    return np.asarray(sound & (outputs.argmax(axis=1) == labels), dtype=np.bool_)
