"""What becomes of the numbers in an image: everything but a line or a table is the grader's own.

A `Change` turns frames of bytes into other frames. It knows norms and scalers of each image, row
or column, which depend on nothing but the image; and statistics over many images, which the
grader computes on its own ones. After a change a line (two numbers) may follow, or in place of it
stands a table of 256 values: these alone are ever fitted to what a notebook claims.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.network.preparation.geometry import Frames
from autograder.network.preparation.raw_images import Numbers, PixelStatistics, or_one


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
