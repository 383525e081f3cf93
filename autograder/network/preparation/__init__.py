"""How a notebook prepared its images, proved on what it gave to its networks.

What a notebook gave is a *claim*. Each claimed row is matched to one of the grader's own images;
the grader's own family of label-free preparations is fitted to the pairs, proved on pairs that
were kept back, and applied to the grader's own images. A lie can only select another member of
the family, see docs/preparations.md. Here is one member, from bytes to what a network takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.network.preparation.geometry import SIDE, Frames, Geometry
from autograder.network.preparation.images import BYTES, PLAIN, Change, Numbers, PixelStatistics

Prepared = NDArray[np.float32]
MOST_CHANNELS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """From frames of shape (n, height, width) to what a network takes.

    Attributes
    ----------
    frame
        Height and width.
    channels
        Into how many equal channels the one of the image is repeated.
    channels_first
        Whether these come before height and width.
    shape
        Of one image as the network takes it.
    """

    frame: tuple[int, int]
    channels: int
    channels_first: bool
    shape: tuple[int, ...]

    def __call__(self, frames: Frames) -> Prepared:
        """Put frames into the network's shape."""
        x = frames.astype(np.float32)
        if self.channels > 1:
            axis = 1 if self.channels_first else -1
            x = np.repeat(np.expand_dims(x, axis), self.channels, axis)
        return x.reshape(len(frames), *self.shape)

    def back(self, rows: NDArray[Any]) -> Frames | None:
        """The frames that rows are made of; None where their channels are not equal."""
        split = (
            rows.reshape(len(rows), self.channels, *self.frame)
            if self.channels_first
            else np.moveaxis(rows.reshape(len(rows), *self.frame, self.channels), -1, 1)
        )
        return split[:, 0] if (split == split[:, :1]).all() else None


def layouts(row: tuple[int, ...], wanted: tuple[int | None, ...]) -> Iterator[Layout]:
    """All ways in which rows of a shape may hold images, for a network that takes `wanted`.

    Parameters
    ----------
    row
        Shape of one claimed row.
    wanted
        The network's input; None for an extent that it leaves open.
    """
    sizes = [size for size in row if size != 1]
    shape = _shape(sizes, wanted)
    if shape is None:
        return
    for frame, channels, first in _frames(sizes):
        yield Layout(frame=frame, channels=channels, channels_first=first, shape=shape)


def _shape(sizes: list[int], wanted: tuple[int | None, ...]) -> tuple[int, ...] | None:
    """The network's input with every extent filled in; None where rows do not fit."""
    left, shape = list(sizes), []
    for size in wanted:
        if size == 1:
            shape.append(1)
        elif left and size in (None, left[0]):
            shape.append(left.pop(0))
        elif size is None:
            shape.append(1)
        else:
            return None
    return None if left else tuple(shape)


def _frames(sizes: list[int]) -> Iterator[tuple[tuple[int, int], int, bool]]:
    """(height and width, channels, whether these come first) for rows of these sizes."""
    count = math.prod(sizes)
    if count == SIDE * SIDE:
        yield (SIDE, SIDE), 1, False
    if len(sizes) == 2 and sizes != [SIDE, SIDE]:
        yield (sizes[0], sizes[1]), 1, False
    if len(sizes) == 3 and sizes[2] <= MOST_CHANNELS:
        yield (sizes[0], sizes[1]), sizes[2], False
    if len(sizes) == 3 and sizes[0] <= MOST_CHANNELS:
        yield (sizes[1], sizes[2]), sizes[0], True
    if len(sizes) == 2 and sizes[0] == sizes[1]:
        return
    # Vectors, whole or cut into pieces of any length.
    for channels in range(1, MOST_CHANNELS + 1):
        side = math.isqrt(count // channels)
        if channels * side * side == count and side != SIDE * (channels == 1):
            yield (side, side), channels, False
            if channels > 1:
                yield (side, side), channels, True


PART = 2048
"""Images that are prepared at a time, so that little is held in double precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A preparation that fits a claim.

    Attributes
    ----------
    change_first
        Whether numbers are changed before the image is laid out in its frame, or after.
    table
        Of shape (256,), in place of the line; None for a line.
    slope, intercept
        Of the line that follows the change.
    statistics
        What the change needs, in the order of the pixels that it is applied to.
    error
        What it is off on pairs kept back; see `TIGHT`.
    """

    geometry: Geometry
    change: Change
    change_first: bool
    slope: float = 1.0
    intercept: float = 0.0
    table: Numbers | None = None
    statistics: PixelStatistics | None = None
    error: float = np.inf

    def feature(self, images: Frames) -> Frames:
        """The frames before the line."""
        turned = self.geometry.turned(images)
        if self.change_first:
            return self.geometry.laid(self._changed(turned))
        return self._changed(self.geometry.laid(turned))

    def _changed(self, frames: Frames) -> Frames:
        if self.table is not None:
            return self.table[np.clip(np.rint(frames), 0, BYTES - 1).astype(np.intp)]
        return self.change.apply(frames.astype(np.float64), self.statistics)

    @property
    def ground(self) -> Any:
        """What the line's intercept is multiplied by: 0 in a border that was added later."""
        return self.geometry.inside if self.change_first else 1.0

    @property
    def by_byte(self) -> NDArray[np.float32] | None:
        """What becomes of each of the 256 bytes; None where that is not all that counts."""
        if self.change is not PLAIN or not self.geometry.is_whole:
            return None
        line = self.slope * np.arange(BYTES) + self.intercept
        return (line if self.table is None else self.table).astype(np.float32)

    def __call__(self, images: Frames) -> Frames:
        """Prepare raw images; of shape (n, height, width)."""
        frames = self.feature(images)
        if self.table is not None:
            return frames
        return np.asarray(self.slope * frames + self.intercept * self.ground)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """From raw images to what a network takes.

    Attributes
    ----------
    name
        In words for students.
    source
        Which claim proved it, in words for students; empty where nothing did, and it was tried.
    """

    name: str
    fit: Fit
    layout: Layout
    source: str = ""

    def __call__(self, images: NDArray[np.uint8]) -> Prepared:
        """Prepare images of shape (n, 28, 28) for the network."""
        if (by_byte := self.fit.by_byte) is not None:
            return self.layout(by_byte[self.fit.geometry.turned(images)])
        result = np.empty((len(images), *self.layout.shape), dtype=np.float32)
        for start in range(0, len(images), PART):
            part = slice(start, start + PART)
            result[part] = self.layout(self.fit(images[part]))
        return result


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


def named(
    fit: Fit, layout: Layout, source: str, over_all: Callable[[], tuple[float, float]]
) -> Preparation:
    """Put it into words, and give a line with a name its own numbers to the last digit.

    Parameters
    ----------
    over_all
        Gives mean and deviation of all pixels of the training images, which takes a second.
    """
    change, where = fit.change.name, fit.geometry.name
    if fit.table is not None:
        numbers = _table_name(fit.table)
    elif not change:
        numbers, slope, intercept = _named_line(fit.slope, fit.intercept, over_all)
        fit = replace(fit, slope=slope, intercept=intercept)
    else:
        usual = abs(fit.slope / fit.change.slope - 1) < 1e-3 and abs(fit.intercept) < 1e-3
        line = "" if usual else _named_line(fit.slope, fit.intercept, over_all)[0]
        numbers = f"{change}, then {line}" if line else change
    if fit.geometry.rounding:
        where += f", {fit.geometry.rounding}"
    after = not fit.change_first and (fit.intercept != 0 or fit.table is not None or change)
    name = (
        f"{where}, then {numbers}" if where and after else ", ".join(filter(None, (numbers, where)))
    )
    if layout.channels > 1:
        name += f", repeated to {layout.channels} channels"
    return Preparation(name=name, source=source, fit=fit, layout=layout)


def _named_line(
    slope: float, intercept: float, over_all: Callable[[], tuple[float, float]]
) -> tuple[str, float, float]:
    """What a line is called; one of `LINES` is given its own numbers to the last digit."""
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


def _table_name(numbers: Numbers) -> str:
    """What a table of 256 values is called, in words for students."""
    steps = np.flatnonzero(np.diff(numbers) != 0)
    if len(steps) == 1:
        low, high = numbers[0], numbers[-1]
        plain = (low, high) == (0.0, 1.0)
        values = "" if plain else f", as {low:.4g} and {high:.4g}"
        return f"black or white (x > {steps[0]}{values})"
    return "a table with a new value for each of the 256 grey levels"
