"""What becomes of the numbers in an image: everything but a line or a table is the grader's own.

A `Change` turns frames of bytes into other frames. It knows norms and scalers of each image, row
or column, which depend on nothing but the image; and statistics over many images, which the
grader computes on its own ones. After a change a line (two numbers) may follow, or in place of it
stands a table of 256 values: these alone are ever fitted to what a notebook claims.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.network.preparation.geometry import Frames

Numbers = NDArray[np.float64]
BYTES = 256
PART = 4096
"""Images at a time: a floating copy of 60,000 would take 376 MB."""


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
        return _or_one(np.sqrt(np.maximum(self.square - self.mean**2, 0)))


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


def _or_one(numbers: Numbers) -> Numbers:
    return np.where(numbers < 1e-9, 1.0, numbers)


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
    return np.asarray(x / _or_one(np.sqrt((x * x).sum(axis=axes, keepdims=True))))


def _sum(x: Frames, axes: tuple[int, ...]) -> Frames:
    return np.asarray(x / _or_one(np.abs(x).sum(axis=axes, keepdims=True)))


def _largest(x: Frames, axes: tuple[int, ...]) -> Frames:
    return np.asarray(x / _or_one(np.abs(x).max(axis=axes, keepdims=True)))


def _span(x: Frames, axes: tuple[int, ...]) -> Frames:
    low = x.min(axis=axes, keepdims=True)
    return np.asarray((x - low) / _or_one(x.max(axis=axes, keepdims=True) - low))


def _standard(x: Frames, axes: tuple[int, ...]) -> Frames:
    less = x - x.mean(axis=axes, keepdims=True)
    return np.asarray(less / _or_one(x.std(axis=axes, keepdims=True)))


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
)
"""Norms and scalers of each image, row or column by itself."""
WHOLE_IMAGES = ALONE[: len(_SCALERS)]


def _over_many(name: str, axes: tuple[int, ...], how: str) -> Change:
    def apply(x: Frames, statistics: PixelStatistics | None) -> Frames:
        assert statistics is not None
        s = statistics.over(axes) if axes else statistics
        if how == "mean":
            return np.asarray(x - s.mean)
        if how == "standard":
            return np.asarray((x - s.mean) / s.deviation)
        if how == "quartiles":
            assert s.quartiles is not None
            low, middle, high = s.quartiles
            return np.asarray((x - middle) / _or_one(high - low))
        return np.asarray((x - s.low) / _or_one(s.high - s.low))

    slope = 1 / 255 if how == "mean" else 1.0
    return Change(name=name, apply=apply, needs_statistics=True, slope=slope)


BY_QUARTILES = _over_many("each pixel less its median, over its quartiles", (), "quartiles")
OVER_MANY: tuple[Change, ...] = (
    _over_many("standardised per pixel", (), "standard"),
    _over_many("less the mean image", (), "mean"),
    _over_many("each pixel scaled from its smallest to its largest value", (), "span"),
    _over_many("standardised per column", (0,), "standard"),
    _over_many("standardised per row", (1,), "standard"),
    _over_many("less the mean column by column", (0,), "mean"),
    _over_many("less the mean row by row", (1,), "mean"),
    _over_many("each column scaled from its smallest to its largest value", (0,), "span"),
    _over_many("each row scaled from its smallest to its largest value", (1,), "span"),
    BY_QUARTILES,
)
"""With statistics over many images, which the grader computes on its own."""


AS_IT_IS = "x as it is (0 to 255)"
LINES: dict[str, tuple[float, float]] = {
    "x / 255": (1 / 255, 0.0),
    AS_IT_IS: (1.0, 0.0),
    "x / 127.5 - 1": (1 / 127.5, -1.0),
    "x / 256": (1 / 256, 0.0),
    "x / 255 - 0.5": (1 / 255, -0.5),
    "x / 128 - 1": (1 / 128, -1.0),
    "inverted (1 - x / 255)": (-1 / 255, 1.0),
    "inverted (255 - x)": (-1.0, 255.0),
    "inverted (1 - x / 127.5)": (-1 / 127.5, 1.0),
    "twice scaled (x / 255 / 255)": (1 / 255**2, 0.0),
}
"""Lines with names, as (slope, intercept)."""
SAME = 5e-4
"""What half precision leaves of a line, as a share of it; x / 255 and x / 256 are 4e-3 apart."""
ROUNDED = 1e-3
"""What is left of a mean and a deviation that are written with three or four digits, such as 0.1307
and 0.3081, as a share of the deviation."""


def named_line(
    slope: float, intercept: float, over_all: Callable[[], tuple[float, float]]
) -> tuple[str, float, float]:
    """What a line is called; one of `LINES` is given its own numbers to the last digit.

    Parameters
    ----------
    over_all
        Gives mean and deviation of all pixels of the training images, which takes a second.
    """
    for name, (a, b) in LINES.items():
        if abs(slope / a - 1) < SAME and abs(intercept - b) < SAME * 255 * abs(a):
            return name, a, b
    mean, deviation = over_all()
    if abs(intercept + slope * mean) < ROUNDED * abs(slope) * deviation:
        if abs(slope * deviation - 1) < ROUNDED:
            return "standardised over all pixels", slope, intercept
        return f"less the mean of all pixels, then {_line(slope, 0.0)}", slope, intercept
    return _line(slope, intercept), slope, intercept


def _line(slope: float, intercept: float) -> str:
    for name, (a, b) in LINES.items():
        if abs(slope / a - 1) < SAME and intercept == b:
            return name
    sign = "-" if intercept < 0 else "+"
    shift = "" if abs(intercept) < SAME * 255 * abs(slope) else f" {sign} {abs(intercept):.4g}"
    return f"{slope:.4g} x{shift}"


def table_name(numbers: Numbers) -> str:
    """What a table of 256 values is called, in words for students."""
    steps = np.flatnonzero(np.diff(numbers) != 0)
    if len(steps) == 1:
        low, high = numbers[0], numbers[-1]
        plain = (low, high) == (0.0, 1.0)
        values = "" if plain else f", as {low:.4g} and {high:.4g}"
        return f"black or white (x > {steps[0]}{values})"
    return "a table with a new value for each of the 256 grey levels"
