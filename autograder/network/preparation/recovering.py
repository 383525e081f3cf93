"""How a student prepared the images: recovered by trying, since no word of theirs is believed.

Each preparation turns the bytes of MNIST into what a network may have been trained on. What the
lesson teaches, x / 255, is taken unless the network reads training images better with another by
more than chance: a dead network does alike, whatever it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.core.errors import NotEvaluated
from autograder.core.mnist import Mnist
from autograder.network.chance import paired_p_value
from autograder.network.preparation.geometry import SIDE, SMALLEST_SIDE, geometries
from autograder.network.preparation.layout import Layout, layouts

Bytes = NDArray[np.uint8]
Prepared = NDArray[np.float32]

USUAL = "x / 255"
"""What the lesson teaches, and what is taken where nothing speaks for another."""
GUESSING = 0.3
"""Accuracy on training images. A dead network can come to life in part where the images are
prepared in another way than it was trained with: six starters that read 0.09 to 0.11 as they were
trained read up to 0.17 otherwise, each time beyond chance. With one unit alive a network tells few
digits from each other. One that was trained with another preparation reads most images with it."""
QUICK_IMAGES = 400
"""Enough to tell the preparations that might be right from the others."""
SHORTLIST = 3

PIXELS = SIDE * SIDE
LARGEST = 64
"""Side of the largest square that students make of an image."""
PADDED = 32
"""What images are padded to, for networks that halve them again and again."""
PART = 2048
"""Images that are laid out at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Of the training images, as students compute them.

    Attributes
    ----------
    mean, deviation
        Over all pixels, in units of bytes.
    pixel_mean, pixel_deviation
        For each pixel, of shape (28, 28); a pixel that never changes has deviation 1, as in
        scikit-learn's StandardScaler.
    """

    mean: float
    deviation: float
    pixel_mean: NDArray[np.float64]
    pixel_deviation: NDArray[np.float64]

    @classmethod
    def of(cls, images: Bytes) -> Statistics:
        """Compute them from images of shape (n, 28, 28)."""
        # Exact sums of integers: a floating copy of 60,000 images would take 376 MB.
        count = len(images)
        totals = images.sum(axis=0, dtype=np.int64)
        squares = np.zeros((SIDE, SIDE), dtype=np.int64)
        for start in range(0, count, 4096):
            part = images[start : start + 4096].astype(np.int64)
            squares += (part * part).sum(axis=0)
        mean = totals.sum() / (count * PIXELS)
        deviation = np.sqrt(squares.sum() / (count * PIXELS) - mean**2)
        pixel_mean = totals / count
        pixel_deviation = np.sqrt(np.maximum(squares / count - pixel_mean**2, 0))
        pixel_deviation[pixel_deviation == 0] = 1.0
        return cls(
            mean=float(mean),
            deviation=float(deviation),
            pixel_mean=pixel_mean,
            pixel_deviation=pixel_deviation,
        )


@lru_cache(maxsize=2)
def statistics_of(mnist: Mnist) -> Statistics:
    """Of these training images; kept, since they are the same for all submissions."""
    return Statistics.of(mnist.x_train)


def _per_image(images: Bytes, statistics: Statistics) -> NDArray[Any]:
    x = images.astype(np.float32)
    mean = x.mean(axis=(1, 2), keepdims=True)
    # The lower bound is that of tf.image.per_image_standardization.
    deviation = np.maximum(x.std(axis=(1, 2), keepdims=True), 1 / np.sqrt(PIXELS))
    return np.asarray((x - mean) / deviation)


def _unit_columns(images: Bytes, statistics: Statistics) -> NDArray[Any]:
    x = images.astype(np.float32)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norm == 0, 1, norm)


def _unit_images(images: Bytes, statistics: Statistics) -> NDArray[Any]:
    x = images.astype(np.float32)
    norm = np.linalg.norm(x, axis=(1, 2), keepdims=True)
    return x / np.where(norm == 0, 1, norm)


PREPARATIONS: dict[str, Callable[[Bytes, Statistics], NDArray[Any]]] = {
    USUAL: lambda x, s: x / np.float32(255),
    "x as it is (0 to 255)": lambda x, s: x,
    "x / 127.5 - 1": lambda x, s: x / np.float32(127.5) - 1,
    "x / 256": lambda x, s: x / np.float32(256),
    "standardised over all pixels": lambda x, s: (x - s.mean) / s.deviation,
    "standardised per pixel": lambda x, s: (x - s.pixel_mean) / s.pixel_deviation,
    "x / 255 - 0.5": lambda x, s: x / np.float32(255) - 0.5,
    "less the mean of all pixels, then x / 255": lambda x, s: (x - s.mean) / 255,
    "less the mean image": lambda x, s: (x - s.pixel_mean) / 255,
    "each image standardised": _per_image,
    "each column scaled to length 1": _unit_columns,
    "each image scaled to length 1": _unit_images,
    "black or white (x > 127)": lambda x, s: x > 127,
    "black or white (x > 0)": lambda x, s: x > 0,
    "inverted (1 - x / 255)": lambda x, s: 1 - x / np.float32(255),
    "twice scaled (x / 255 / 255)": lambda x, s: x / np.float32(255 * 255),
}
"""From what students do most to what they do least; the first of equals is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The way from images of shape (n, 28, 28) to what a network takes.

    Attributes
    ----------
    name
        In words for students; empty where every pixel stays as it is.
    """

    name: str
    put: Callable[[NDArray[Any]], Prepared]


def shape_for(input_shape: tuple[int | None, ...]) -> Shape:
    """The most usual way from images of shape (n, 28, 28) to what a network takes.

    Knows any arrangement of 784 numbers, up to three equal colour channels, and images that are
    padded to 32 x 32, or resized to another square from `SMALLEST_SIDE` to `LARGEST`.

    Raises
    ------
    NotEvaluated
        If the network does not take MNIST images in any of these shapes.
    """
    wanted = tuple(SIDE if size is None else size for size in input_shape)
    if int(np.prod(wanted, dtype=object)) == PIXELS:
        return Shape(name="", put=lambda x: x.reshape(-1, *wanted).astype(np.float32))
    for layout in layouts(wanted, wanted):
        side, width = layout.frame
        # A vector may be a square; what has axes of its own is none that is cut otherwise.
        is_square = side == width and (
            side in wanted or max(wanted, default=0) == math.prod(wanted)
        )
        if is_square and SMALLEST_SIDE <= side <= LARGEST:
            return _laid_out(side, layout)
    raise NotEvaluated(
        f"Your network takes inputs of shape {wanted}. It should take a whole MNIST image: "
        "(28, 28), (784,) or (28, 28, 1)."
    )


def _laid_out(side: int, layout: Layout) -> Shape:
    usual = "" if side == SIDE else "padded" if side == PADDED else "resized"
    geometry = next(way for way in geometries(side, side) if way.name.startswith(usual))

    def put(x: NDArray[Any]) -> Prepared:
        # In parts, since they are laid out in double precision.
        parts = (x[start : start + PART] for start in range(0, len(x), PART))
        return np.concatenate([layout(geometry.laid(part)) for part in parts])

    return Shape(name=geometry.name, put=put)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The preparation that was recovered.

    Attributes
    ----------
    numbers
        Which of `PREPARATIONS` changes the pixels' numbers.
    """

    numbers: str
    statistics: Statistics
    shape: Shape
    source: str = ""
    """What proves it, in words for students: nothing does, it was tried."""

    @property
    def name(self) -> str:
        """In words for students."""
        return ", ".join(filter(None, (self.numbers, self.shape.name)))

    @property
    def is_proved(self) -> bool:
        """Whether anything but the network's own answers speaks for it."""
        return False

    def __call__(self, images: Bytes) -> Prepared:
        """Prepare images of shape (n, 28, 28) for the network."""
        return self.shape.put(PREPARATIONS[self.numbers](images, self.statistics))


def recover(
    *,
    input_shape: tuple[int | None, ...],
    right: Callable[[Prepared, NDArray[np.uint8]], NDArray[np.bool_]],
    images: Bytes,
    labels: NDArray[np.uint8],
    statistics: Statistics,
    bound: float,
) -> Preparation:
    """x / 255, or another preparation with which the network does better by more than chance.

    Another is never taken for a network that guesses with it as well: see `GUESSING`.

    Parameters
    ----------
    right
        For each of some prepared images, whether the network gives its label.
    images, labels
        Training images, so that nothing about the test images is learned here.
    bound
        How often chance may prefer another preparation, all that are tried taken together.

    Raises
    ------
    NotEvaluated
        If the images do not fit the network's input.
    """
    shape = shape_for(input_shape)
    usual, *others = (
        Preparation(numbers=name, statistics=statistics, shape=shape) for name in PREPARATIONS
    )

    def answers(way: Preparation, count: int) -> NDArray[np.bool_]:
        return right(way(images[:count]), labels[:count])

    # sorted() is stable: of equals, the more common preparation comes first.
    quick = sorted(others, key=lambda way: -answers(way, QUICK_IMAGES).sum())[:SHORTLIST]
    found = [(way, answers(way, len(images))) for way in quick]
    best, by_best = max(found, key=lambda pair: pair[1].sum())
    if not by_best.mean() > GUESSING:
        return usual
    by_usual = answers(usual, len(images))
    p_value = paired_p_value(int((by_best & ~by_usual).sum()), int((by_usual & ~by_best).sum()))
    # Bonferroni: the best of so many others is better by chance that many times as often.
    return best if p_value * len(others) < bound else usual
