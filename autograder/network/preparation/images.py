"""The images that a notebook is given, and what becomes of the numbers in one.

Statistics over many images are always the grader's own: nothing that a notebook claims enters them.
A `Change` turns frames of bytes into other frames. It knows norms and scalers of each image, row
or column, which depend on nothing but the image; and statistics over many images. After a change a
line (two numbers) may follow, or in place of it stands a table of 256 values: these alone are ever
fitted to what a notebook claims.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from autograder.core.mnist import Mnist
from autograder.network.preparation.geometry import SIDE, Frames, Geometry

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
"""Numbers of images in `RawImages`."""
BYTES = 256
PART = 4096
"""Images at a time: a floating copy of 60,000 would take 376 MB."""
MOST_KEPT = 60
"""Statistics and signatures at a time: most of the former take 25 kB, the few latter 13 MB."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelStatistics:
    """Of many frames, for each pixel; arrays of shape (height, width), in units of bytes."""

    mean: Numbers
    square: Numbers
    """The mean of the squares."""
    low: Numbers
    high: Numbers
    quartiles: Numbers | None = None
    """Of shape (3, height, width): a quarter, half and three quarters of the images are below.
    None where nobody asked: see `quartiles`."""

    @classmethod
    def of(cls, images: Frames, layout: Callable[[Frames], Frames]) -> PixelStatistics:
        """Compute them from raw images, which `layout` turns into frames."""
        total: Any = 0.0
        squares: Any = 0.0
        low: Any = np.inf
        high: Any = -np.inf
        for start in range(0, len(images), PART):
            frames = layout(images[start : start + PART])
            total = total + frames.sum(axis=0)
            squares = squares + np.einsum("nij,nij->ij", frames, frames)
            low = np.minimum(low, frames.min(axis=0))
            high = np.maximum(high, frames.max(axis=0))
        count = len(images)
        return cls(mean=total / count, square=squares / count, low=low, high=high)

    def over(self, axes: tuple[int, ...]) -> PixelStatistics:
        """The same over whole rows or columns, as for an array of shape (-1, 28)."""
        return PixelStatistics(
            mean=self.mean.mean(axis=axes, keepdims=True),
            square=self.square.mean(axis=axes, keepdims=True),
            low=self.low.min(axis=axes, keepdims=True),
            high=self.high.max(axis=axes, keepdims=True),
        )

    @property
    def deviation(self) -> Numbers:
        """1 where a pixel never changes, as in scikit-learn's StandardScaler."""
        return or_one(np.sqrt(np.maximum(self.square - self.mean**2, 0)))


def or_one(numbers: Numbers) -> Numbers:
    """In place of what is as good as zero, 1: something to divide by."""
    return np.where(numbers < 1e-9, 1.0, numbers)


def quartiles(images: NDArray[np.uint8]) -> Numbers:
    """Lower quartile, median and upper quartile of each pixel, as scikit-learn's RobustScaler has
    them: between two images in order, as far as the quartile lies between these.

    Parameters
    ----------
    images
        Bytes of shape (n, height, width).
    """
    count, *shape = images.shape
    pixels = int(np.prod(shape))
    counts = np.zeros(pixels * BYTES, dtype=np.int64)
    for start in range(0, count, PART):
        flat = images[start : start + PART].reshape(-1, pixels)
        counts += np.bincount((flat + BYTES * np.arange(pixels)).ravel(), minlength=len(counts))
    up_to = counts.reshape(pixels, BYTES).cumsum(axis=1)

    def at(place: int) -> Numbers:
        return np.asarray((up_to <= place).sum(axis=1), dtype=np.float64)

    found = []
    for quarter in (1, 2, 3):
        place, rest = divmod(quarter * (count - 1), 4)
        low = at(place)
        found.append(low + rest / 4 * (at(place + 1) - low) if rest else low)
    return np.stack(found).reshape(3, *shape)


class RawImages:
    """The images that a notebook is given: all training images, then the public test images.

    Bytes of shape (n, 28, 28). What is worked out about them is kept: it serves every submission.
    """

    def __init__(self, x_train: Bytes, x_test: Bytes) -> None:
        self.x_train = x_train
        self.x_test = x_test
        self._kept: dict[Hashable, Any] = {}

    def __getitem__(self, places: Places) -> Bytes:
        """The images of these numbers."""
        result = np.empty((len(places), SIDE, SIDE), dtype=np.uint8)
        in_test = places >= len(self.x_train)
        result[~in_test] = self.x_train[places[~in_test]]
        result[in_test] = self.x_test[places[in_test] - len(self.x_train)]
        return result

    def statistics(self, begin: int, end: int, geometry: Geometry | None = None) -> PixelStatistics:
        """Of the images ``begin:end`` of one of the two sets, as they are or laid out."""

        def laid(x: Bytes) -> Frames:
            return geometry.laid(geometry.turned(x)) if geometry else np.asarray(x, np.float64)

        name = f"{geometry.name} {geometry.shape}" if geometry else ""
        return self.kept(
            (name, begin, end), lambda: PixelStatistics.of(self._part(begin, end), laid)
        )

    def quartiles(self, begin: int, end: int) -> Numbers:
        """Of each pixel of the images ``begin:end`` of one of the two sets, as they are."""
        return self.kept((begin, end), lambda: quartiles(self._part(begin, end)))

    def of_training(self) -> PixelStatistics:
        """Of all training images."""
        return self.statistics(0, len(self.x_train))

    def mean_and_deviation(self) -> tuple[float, float]:
        """Of all pixels of the training images, in units of bytes."""
        of_all = self.of_training().over((0, 1))
        return of_all.mean.item(), of_all.deviation.item()

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once; the oldest goes where there is too much of it."""
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = make()
        return cast(T, self._kept[key])

    def _part(self, begin: int, end: int) -> Bytes:
        offset = len(self.x_train)
        if end <= offset:
            return self.x_train[begin:end]
        return self.x_test[begin - offset : end - offset]


@lru_cache(maxsize=2)
def raw_images(mnist: Mnist) -> RawImages:
    """The images that notebooks are given of these; kept, with what is worked out about them."""
    return RawImages(mnist.x_train, mnist.public_test[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One way to change the numbers of frames.

    Attributes
    ----------
    name
        In words for students; empty where nothing changes before the line.
    apply
        Takes frames of shape (n, height, width) and, where `needs_statistics`, what they are.
    slope
        Of the line that goes without saying, such as 1/255 where a mean image was taken away.
    """

    name: str
    apply: Callable[[Frames, PixelStatistics | None], Frames]
    needs_statistics: bool = False
    slope: float = 1.0


PLAIN = Change(name="", apply=lambda x, _: x)

PLACES: dict[str, tuple[int, ...]] = {"image": (1, 2), "row": (2,), "column": (1,)}
"""What is scaled by itself, and the axes that it goes over."""


def _length(x: Frames, axes: tuple[int, ...]) -> Frames:
    return np.asarray(x / or_one(np.sqrt((x * x).sum(axis=axes, keepdims=True))))


def _sum(x: Frames, axes: tuple[int, ...]) -> Frames:
    return np.asarray(x / or_one(np.abs(x).sum(axis=axes, keepdims=True)))


def _largest(x: Frames, axes: tuple[int, ...]) -> Frames:
    return np.asarray(x / or_one(np.abs(x).max(axis=axes, keepdims=True)))


def _span(x: Frames, axes: tuple[int, ...]) -> Frames:
    low = x.min(axis=axes, keepdims=True)
    return np.asarray((x - low) / or_one(x.max(axis=axes, keepdims=True) - low))


def _standard(x: Frames, axes: tuple[int, ...]) -> Frames:
    less = x - x.mean(axis=axes, keepdims=True)
    return np.asarray(less / or_one(x.std(axis=axes, keepdims=True)))


def _less_mean(x: Frames, axes: tuple[int, ...]) -> Frames:
    return np.asarray(x - x.mean(axis=axes, keepdims=True))


_SCALERS = {
    "standardised": _standard,
    "scaled to length 1": _length,
    "scaled to sum 1": _sum,
    "divided by its largest value": _largest,
    "scaled from its smallest to its largest value": _span,
    "less its mean": _less_mean,
}


def _alone(scaler: Callable[..., Frames], axes: tuple[int, ...], name: str) -> Change:
    slope = 1 / 255 if scaler is _less_mean else 1.0
    return Change(name=name, apply=lambda x, _: scaler(x, axes), slope=slope)


ALONE: tuple[Change, ...] = tuple(
    _alone(scaler, axes, f"each {place} {words}")
    for place, axes in PLACES.items()
    for words, scaler in _SCALERS.items()
    # A row or column of a digit has paper in it: its smallest value is 0, and goes without saying.
    if scaler is not _span or place == "image"
)
"""Norms and scalers of each image, row or column by itself."""
WHOLE_IMAGES = ALONE[: len(_SCALERS)]


def _standard_over(x: Frames, s: PixelStatistics) -> Frames:
    return np.asarray((x - s.mean) / s.deviation)


def _less_mean_over(x: Frames, s: PixelStatistics) -> Frames:
    return np.asarray(x - s.mean)


def _span_over(x: Frames, s: PixelStatistics) -> Frames:
    return np.asarray((x - s.low) / or_one(s.high - s.low))


def _quartiles_over(x: Frames, s: PixelStatistics) -> Frames:
    assert s.quartiles is not None
    low, middle, high = s.quartiles
    return np.asarray((x - middle) / or_one(high - low))


def _over_many(
    name: str,
    scaler: Callable[[Frames, PixelStatistics], Frames],
    axes: tuple[int, ...] = (),
) -> Change:
    """`scaler` with the statistics of each pixel, or over the pixels along `axes`."""

    def apply(x: Frames, statistics: PixelStatistics | None) -> Frames:
        assert statistics is not None
        return scaler(x, statistics.over(axes) if axes else statistics)

    slope = 1 / 255 if scaler is _less_mean_over else 1.0
    return Change(name=name, apply=apply, needs_statistics=True, slope=slope)


BY_QUARTILES = _over_many("each pixel less its median, over its quartiles", _quartiles_over)
OVER_MANY: tuple[Change, ...] = (
    _over_many("standardised per pixel", _standard_over),
    _over_many("less the mean image", _less_mean_over),
    _over_many("each pixel scaled from its smallest to its largest value", _span_over),
    _over_many("standardised per column", _standard_over, (0,)),
    _over_many("standardised per row", _standard_over, (1,)),
    _over_many("less the mean column by column", _less_mean_over, (0,)),
    _over_many("less the mean row by row", _less_mean_over, (1,)),
    BY_QUARTILES,
)
"""With statistics over many images, which the grader computes on its own."""
