"""Is x / 255 kept unless another preparation is better by more than chance?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.core.assignment import Assignment
from autograder.core.errors import NotEvaluated
from autograder.core.mnist import Mnist
from autograder.network.measurement import Measurement, measure
from autograder.network.preparation.images import RawImages, raw_images
from autograder.network.preparation.recovering import USUAL, recover, usual_preparations
from tests.network.network_harness import exported, keras

IMAGES = 4_000
BOUND = 1e-6
OTHERS = [
    "x as it is (0 to 255)",
    "x / 127.5 - 1",
    "standardised per pixel",
    "inverted (1 - x / 255)",
    "twice scaled (x / 255 / 255)",
]
"""With which the nearest mean reads images quite otherwise than with x / 255."""


@pytest.fixture(scope="module")
def raw(mnist: Mnist) -> RawImages:
    return raw_images(mnist)


def recovered(
    right: Callable[[Any, Any], Any], mnist: Mnist, raw: RawImages, bound: float = BOUND
) -> str:
    return recover(
        input_shape=(784,),
        right=right,
        images=mnist.x_train[:IMAGES],
        labels=mnist.y_train[:IMAGES],
        raw=raw,
        bound=bound,
    ).name


def nearest(name: str, mnist: Mnist, raw: RawImages) -> Callable[[Any, Any], Any]:
    """Whose mean image, prepared in that way, is nearest: 0.8 of all, and less in other ways."""
    chosen = slice(30_000, 36_000)
    x = usual_preparations((784,), raw)[name](mnist.x_train[chosen])
    digits = mnist.y_train[chosen]
    means = np.stack([x[digits == digit].mean(axis=0) for digit in range(10)])
    lengths = np.square(means).sum(axis=1) / 2
    return lambda images, labels: (images @ means.T - lengths).argmax(axis=1) == labels


@pytest.mark.parametrize("name", OTHERS)
def test_the_preparation_of_the_training_is_found(name: str, mnist: Mnist, raw: RawImages) -> None:
    assert recovered(nearest(name, mnist, raw), mnist, raw) == name


@pytest.mark.parametrize("answer", range(10))
def test_a_dead_network_is_measured_with_x_by_255(
    answer: int, mnist: Mnist, raw: RawImages
) -> None:
    """Prepared otherwise it gives one digit for all: that is more frequent than another."""

    def right(images: Any, labels: Any) -> Any:
        is_usual = images.min() >= 0 and 0.9 < images.max() <= 1
        return labels == (answer if is_usual else 1)

    assert recovered(right, mnist, raw) == USUAL


@pytest.mark.parametrize(
    ("more", "bound", "is_taken"),
    [(60, BOUND, False), (86, BOUND, False), (110, BOUND, True), (110, 1e-12, False)],
)
def test_what_is_better_by_chance_alone_is_not_taken(
    more: int, bound: float, is_taken: bool, mnist: Mnist, raw: RawImages
) -> None:
    """Each of two ways misreads 100 images that the other reads, and one `more` beyond that."""
    order = np.random.default_rng(1).permutation(IMAGES)

    def right(images: Any, labels: Any) -> Any:
        answers = np.ones(IMAGES, bool)
        is_other = images.min() < -0.9 and images.max() <= 1
        answers[order[:100] if is_other else order[100 : 200 + more]] = False
        # Ways that are neither are no better than guessing.
        is_usual = images.min() >= 0 and 0.9 < images.max() <= 1
        return (answers if is_other or is_usual else np.zeros(IMAGES, bool))[: len(images)]

    name = recovered(right, mnist, raw, bound)
    assert name == ("x / 127.5 - 1" if is_taken else USUAL)


def test_the_best_of_few_images_is_not_the_best_of_all(mnist: Mnist, raw: RawImages) -> None:
    """Two ways lead among the first 400; which of them is taken, all images decide."""

    def right(images: Any, labels: Any) -> Any:
        is_inverted = images.min() >= 0 and images.max() <= 1 and images.mean() > 0.5
        is_bytes = images.max() > 200
        place = np.arange(len(images))
        if is_inverted:
            return (place < 400) | (place % 2 == 0)
        return (place > 3) if is_bytes else np.zeros(len(images), bool)

    assert recovered(right, mnist, raw) == "x as it is (0 to 255)"


def test_a_network_that_comes_to_life_in_part_is_still_dead(mnist: Mnist, raw: RawImages) -> None:
    """One unit wakes up where the images are darker, and tells ones from zeros: p = 1e-60."""

    def right(images: Any, labels: Any) -> Any:
        return labels == 1 if images.min() >= 0 and images.max() <= 1 else labels <= 1

    assert recovered(right, mnist, raw) == USUAL


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ((28, 28), ""),
        ((784,), ""),
        ((None, None, 1), ""),
        ((3, 28, 28), ""),
        ((32, 32, 3), "padded to 32 x 32"),
        ((14, 14), "resized to 14 x 14 (bilinear)"),
        ((196,), "resized to 14 x 14 (bilinear)"),
        ((20, 20, 1), "resized to 20 x 20 (bilinear)"),
        ((64, 64, 3), "resized to 64 x 64 (bilinear)"),
    ],
)
def test_squares_of_another_size_are_measured_resized(
    wanted: tuple[int | None, ...], name: str, mnist: Mnist, raw: RawImages
) -> None:
    as_it_is = usual_preparations(wanted, raw)["x as it is (0 to 255)"]
    assert as_it_is.name == ", ".join(filter(None, ("x as it is (0 to 255)", name)))
    put = as_it_is(mnist.x_train[:30])
    assert put.shape == (30, *(28 if size is None else size for size in wanted))
    # Paper stays 0, and as much of the image is ink as before, or a border is added.
    ink = (mnist.x_train[:30] > 127).mean() * (28 / 32) ** (2 * name.startswith("padded"))
    assert put.min() >= 0 and (put > 127).mean() == pytest.approx(ink, rel=0.1)


@pytest.mark.parametrize("wanted", [(6, 6), (65, 65), (14, 20), (10,), (28, 28, 4), (10**6,), ()])
def test_what_shows_no_whole_image_is_refused(wanted: tuple[int, ...], raw: RawImages) -> None:
    with pytest.raises(NotEvaluated, match="It should take a whole MNIST image"):
        usual_preparations(wanted, raw)


def test_a_measurement_says_how_the_images_were_prepared(
    assignment: Assignment, tmp_path: Path
) -> None:
    """Ten of ten units are dead: with x / 255 the network gives the same digit for all."""
    model = keras.Sequential(
        [keras.Input((28, 28)), keras.layers.Flatten()]
        + [keras.layers.Dense(units, activation="relu", name=f"d{units}") for units in (12, 10)]
        + [keras.layers.Dense(10, activation="softmax")]
    )
    kernel, bias = model.get_layer("d10").get_weights()
    model.get_layer("d10").set_weights([kernel, bias - 50])
    measured: Measurement = measure(
        exported(model, tmp_path),
        mnist=assignment.mnist,
        settings=assignment.config.verification,
    )
    assert measured.preparation.name == USUAL
    assert measured.measured.units[-1].silent == 10
