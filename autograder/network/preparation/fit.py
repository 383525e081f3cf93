"""A preparation with its numbers: fitted to half of some pairs of images, judged on the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.network.preparation.geometry import SIDE, Frames, Geometry
from autograder.network.preparation.layout import Layout, Prepared
from autograder.network.preparation.raw_images import BYTES, Numbers, PixelStatistics
from autograder.network.preparation.values import PLAIN, Change

TIGHT = 1e-3
"""Root mean square of what a proved preparation may be off on pairs that were kept back, over the
claim's standard deviation. Numbers of half precision are off by half of it."""
ROUNDED = 6e-3
"""The same where bytes were resized, by a library that rounds otherwise in the last place: half a
grey level is 0.004 of the standard deviation."""
STATISTICS = 0.015
"""The same for statistics over many images, which a notebook may have computed over a part of them
that nobody knows (0.003 to 0.005 for 48,000 at random). The grader's own take their place."""
KEPT_SHARE = 0.95
"""Of the images kept back, how many have to be within the tolerance."""
FEW = 8
"""Images that show whether a fit is worth a closer look: whether its error on most of them is below
`POOR` times what is allowed."""
POOR = 5
PART = 2048
"""Images that are prepared at a time, so that little is held in double precision."""
SPIKES = 0.02
"""Share of the pixels that is left out where statistics of many images are compared: there are
pixels in which all but a few images are 0, and whose deviation depends on these few."""


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

    @property
    def is_proved(self) -> bool:
        """Whether anything but the network's own answers speaks for it."""
        return bool(self.source)

    def __call__(self, images: NDArray[np.uint8]) -> Prepared:
        """Prepare images of shape (n, 28, 28) for the network."""
        if (by_byte := self.fit.by_byte) is not None:
            return self.layout(by_byte[self.fit.geometry.turned(images)])
        result = np.empty((len(images), *self.layout.shape), dtype=np.float32)
        for start in range(0, len(images), PART):
            part = slice(start, start + PART)
            result[part] = self.layout(self.fit(images[part]))
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Raw images and what a notebook is said to have made of them.

    Attributes
    ----------
    images
        Bytes of shape (n, 28, 28).
    frames
        The claim, of shape (n, height, width).
    """

    images: NDArray[np.uint8]
    frames: Frames

    def half(self, which: int) -> Pairs:
        """The pairs to fit to (0), or those kept back (1)."""
        return Pairs(images=self.images[which::2], frames=self.frames[which::2])

    def first(self, count: int) -> Pairs:
        """The first few."""
        return Pairs(images=self.images[:count], frames=self.frames[:count])


def orders(geometry: Geometry) -> tuple[bool, ...]:
    """Whether numbers are changed first, in the order to be tried.

    Where nothing is laid out anew both are the same; so they are with the largest of some pixels,
    as long as the change keeps which of two is larger.
    """
    return (False,) if geometry.is_whole or geometry.pooled > 1 else (True, False)


def is_small(geometry: Geometry) -> bool:
    """Whether it enlarges nothing, so that numbers may as well be changed after it."""
    return geometry.shape[0] <= SIDE and geometry.shape[1] <= SIDE


def loose(fit: Fit) -> float:
    if fit.change.needs_statistics:
        return STATISTICS
    return TIGHT if fit.geometry.keeps_bytes or fit.change is not PLAIN else ROUNDED


def with_line(fit: Fit, pairs: Pairs) -> Fit:
    """The same with the line that fits the first half, and its error on the second."""
    # Most do not fit at all: a few images show it.
    few = pairs.first(FEW)
    if not _error(_line_of(fit, few), few, share=0.7) < POOR * loose(fit):
        return fit
    fit = _line_of(fit, pairs.half(0))
    return replace(fit, error=_error(fit, pairs.half(1)))


def _line_of(fit: Fit, pairs: Pairs) -> Fit:
    x = fit.feature(pairs.images)
    ground = np.broadcast_to(fit.ground, x.shape)
    xx, xg, gg = (float(np.vdot(a, b)) for a, b in ((x, x), (x, ground), (ground, ground)))
    xy, gy = (float(np.vdot(a, pairs.frames)) for a in (x, ground))
    determinant = xx * gg - xg * xg
    if not determinant > 1e-12 * xx * gg:
        return fit
    return replace(
        fit,
        slope=(xy * gg - gy * xg) / determinant,
        intercept=(xx * gy - xg * xy) / determinant,
    )


def with_table(fit: Fit, pairs: Pairs) -> Fit:
    """The same with a table of 256 values in place of the line."""
    few = pairs.first(FEW)
    if not _error(_table_of(fit, few), few, share=0.7) < POOR * loose(fit):
        return fit
    fit = _table_of(fit, pairs.half(0))
    error = _error(fit, pairs.half(1))
    return replace(_table_of(fit, pairs), error=error) if error < TIGHT else fit


def _table_of(fit: Fit, pairs: Pairs) -> Fit:
    geometry = fit.geometry
    numbers = np.rint(geometry.laid(geometry.turned(pairs.images))).astype(np.intp)
    if fit.change_first and geometry.has_border:
        # The border was added later: what stands there says nothing about the table.
        inside = geometry.inside > 0
        numbers, values = numbers[:, inside], pairs.frames[:, inside]
    else:
        values = pairs.frames
    numbers, values = np.clip(numbers.reshape(-1), 0, BYTES - 1), values.reshape(-1)
    counts = np.bincount(numbers, minlength=BYTES)
    # Away from the mean, sums of many equal numbers lose nothing.
    middle = values[0]
    sums = np.bincount(numbers, weights=values - middle, minlength=BYTES)
    seen = np.flatnonzero(counts)
    table = np.interp(np.arange(BYTES), seen, sums[seen] / counts[seen] + middle)
    return replace(fit, table=table)


def _error(fit: Fit, pairs: Pairs, share: float = KEPT_SHARE) -> float:
    """What a fit is off at most in a share of the images, over the claim's deviation."""
    off = fit(pairs.images) - pairs.frames
    frames = pairs.frames
    if fit.change.needs_statistics:
        worst = np.quantile(np.abs(off), 1 - SPIKES)
        if worst > 0:
            off = np.clip(off, -worst, worst)
            frames = np.clip(frames, *np.quantile(frames, [SPIKES / 2, 1 - SPIKES / 2]))
    scale = float(frames.std())
    errors = np.sqrt((off * off).mean(axis=(1, 2)))
    return float(np.quantile(errors, share)) / scale if scale > 0 else np.inf
