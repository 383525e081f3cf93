"""Is a network that has seen the test images told from one that has not?"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from autograder.core.assignment import Assignment
from autograder.core.mnist import PRIVATE
from autograder.network import Measured
from autograder.network.layer import MAX_WORK
from autograder.network.measurement import (
    MIN_TRAINING_IMAGES,
    Measurement,
    draw_training_images,
    measure,
)
from autograder.network.rebuild import Network, rebuild
from tests.network.network_harness import exported, keras


def trained(images: Any, labels: Any, *, units: int = 16, epochs: int = 12) -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=20)
    model.fit(images / np.float32(255), labels, epochs=epochs, batch_size=64, verbose=0)
    return model


def measurement(model: Any, assignment: Assignment, **settings: Any) -> Measurement:
    return measure(
        exported(model),
        mnist=assignment.mnist,
        settings=msgspec.structs.replace(assignment.config.verification, **settings),
    )


def measured(model: Any, assignment: Assignment, **settings: Any) -> Measured:
    return measurement(model, assignment, **settings).measured


pytestmark = pytest.mark.xdist_group("measurement")
"""In one process, so that each network is trained once."""


@pytest.fixture(scope="module")
def knows_all(assignment: Assignment) -> Any:
    """All 10,000 test images, as somebody may paste them, and 4,000 training images."""
    mnist = assignment.mnist
    images = np.concatenate([mnist.x_train[:4000], mnist.x_test])
    return trained(images, np.concatenate([mnist.y_train[:4000], mnist.y_test]))


@pytest.fixture(scope="module")
def knows_half(assignment: Assignment) -> Any:
    """The public half alone, which every notebook has."""
    return trained(*assignment.mnist.public_test)


@pytest.fixture(scope="module")
def honest(assignment: Assignment) -> Any:
    """Few training images: it reads neither kind well, and the training images a little better."""
    return trained(assignment.mnist.x_train[:1000], assignment.mnist.y_train[:1000])


def test_who_has_seen_all_test_images_is_found_out(knows_all: Any, assignment: Assignment) -> None:
    found = measured(knows_all, assignment)
    assert found.leaked and found.test_over_training.z > 8
    assert not found.private_half_counts, "both halves were pasted"
    assert found.counted_images == 10_000 and found.accuracy == found.test_over_training.first


def test_who_has_seen_the_public_half_is_measured_on_the_other(
    knows_half: Any, assignment: Assignment
) -> None:
    found = measured(knows_half, assignment)
    assert found.private_half_counts
    assert (found.counted_images, found.accuracy) == (5_000, found.private_accuracy)
    assert found.public_accuracy > found.private_accuracy


def test_an_honest_network_is_neither(honest: Any, assignment: Assignment) -> None:
    found = measured(honest, assignment)
    assert not found.leaked and not found.private_half_counts
    assert found.counted_images == 10_000
    halves = (found.public_accuracy + found.private_accuracy) / 2
    assert found.accuracy == pytest.approx(halves)
    assert found.training_images == 60_000


def test_each_output_belongs_to_its_image_and_its_label(
    knows_half: Any, assignment: Assignment
) -> None:
    """Also where only the private half counts."""
    found = measurement(knows_half, assignment)
    mnist = assignment.mnist
    right = found.outputs.argmax(axis=1) == mnist.y_test[PRIVATE]
    assert right.mean() == found.measured.accuracy
    again = found.network.predict(found.preparation(mnist.x_test[PRIVATE][:99]))
    np.testing.assert_allclose(again, found.outputs[:99], rtol=1e-5)


def test_both_bounds_are_the_configurations(knows_half: Any, assignment: Assignment) -> None:
    bounds = {"test_over_training_p_value": 1e-300, "public_half_p_value": 1e-300}
    found = measured(knows_half, assignment, **bounds)
    assert not found.leaked and not found.private_half_counts
    assert max(found.test_over_training.p_value, found.public_over_private.p_value) < 1e-6


@pytest.mark.parametrize("name", ["test_over_training_p_value", "public_half_p_value"])
def test_each_bound_is_that_of_its_own_comparison(
    name: str, knows_half: Any, assignment: Assignment
) -> None:
    """Beyond both, as configured; with one bound out of reach, beyond the other alone."""
    settings = {"test_over_training_p_value": 1e-3, "public_half_p_value": 1e-3, name: 1e-300}
    found = measured(knows_half, assignment, **settings)
    beyond = {
        "test_over_training_p_value": found.leaked,
        "public_half_p_value": found.private_half_counts,
    }
    assert beyond == {each: each != name for each in beyond}


def test_what_is_no_number_is_no_answer(assignment: Assignment) -> None:
    """Infinite sums, whose shares are NaN: as good as a guess to `argmax`."""
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(10, "softmax", kernel_initializer=keras.initializers.Constant(3e38)),
        ]
    )
    found = measured(model, assignment)
    assert found.accuracy == found.training_accuracy == found.public_accuracy == 0


def test_pairs_of_digits_are_those_of_the_public_half(honest: Any, assignment: Assignment) -> None:
    _, labels = assignment.mnist.public_test
    found = measured(honest, assignment)
    examples = [(pair.digit, labels[i]) for pair in found.confusions for i in pair.examples]
    assert len(examples) > 5 and all(digit == label for digit, label in examples)


def of_work(model: Any, work: int) -> Network:
    network = rebuild(exported(model))
    object.__setattr__(network, "work", work)
    return network


def test_the_training_images_of_a_large_network_are_drawn_by_its_weights(honest: Any) -> None:
    """Bounded in work; the same for the same weights, others for others; not every n-th."""
    heavy = of_work(honest, MAX_WORK)
    drawn = draw_training_images(exported(honest), heavy, 60_000)
    assert len(drawn) == len(set(drawn)) == MIN_TRAINING_IMAGES
    assert drawn.min() >= 0 and drawn.max() < 60_000 and (np.diff(drawn) > 0).all()
    assert (draw_training_images(exported(honest), heavy, 60_000) == drawn).all()
    # As many of each sixth, and of odd ones, as chance gives: five standard errors.
    assert abs((drawn < 10_000).sum() - MIN_TRAINING_IMAGES / 6) < 200
    assert abs((drawn % 2).sum() - MIN_TRAINING_IMAGES / 2) < 250
    kernel, *others = honest.get_weights()
    changed = keras.models.clone_model(honest)
    changed.set_weights([kernel + (np.arange(kernel.size).reshape(kernel.shape) == 0), *others])
    other = draw_training_images(exported(changed), heavy, 60_000)
    assert len(np.intersect1d(other, drawn)) < MIN_TRAINING_IMAGES / 3


def test_a_network_of_dense_layers_reads_all_training_images(honest: Any) -> None:
    network = rebuild(exported(honest))
    assert (draw_training_images(exported(honest), network, 60_000) == np.arange(60_000)).all()
