"""Fits the grader's own family of preparations to claimed images, and proves the fit.

Pairs of a raw image and a claimed one are taken in two halves. What is fitted to the first, at
most 256 numbers for all pixels together, has to give the second, on which it was not fitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from autograder.network.preparation import Fit
from autograder.network.preparation.geometry import ROUNDINGS, Frames, Geometry, geometries
from autograder.network.preparation.images import (
    ALONE,
    BY_QUARTILES,
    BYTES,
    OVER_MANY,
    PLAIN,
    WHOLE_IMAGES,
    Numbers,
    PixelStatistics,
    Places,
    RawImages,
)
from autograder.network.preparation.matching import likely_layouts

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
SPIKES = 0.02
"""Share of the pixels that is left out where statistics of many images are compared: there are
pixels in which all but a few images are 0, and whose deviation depends on these few."""

LEAST_IMAGES = 16
"""Different images without which nothing is proved."""
MOST_WITH_STATISTICS = 2
"""Layouts that statistics are computed for."""
NEAR = 0.1
"""Error, see `TIGHT`, above which statistics over another part of the images are not tried."""
SCOUTS = 10_000
"""Images whose statistics show whether those of all are worth computing."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found about some pairs.

    Attributes
    ----------
    tight
        The first fit that is proved tightly.
    nearest
        Without one, the nearest of those that are proved otherwise: see `ROUNDED`, `STATISTICS`.
    likeness
        Correlation of raw and claimed images in the layout in which they are most alike.
    """

    tight: Fit | None = None
    nearest: Fit | None = None
    likeness: float = 0.0


def best_fit(frames: Frames, places: Places, raw: RawImages, total: int) -> Found:
    """What makes `frames` of the images at `places`.

    Parameters
    ----------
    frames
        Claimed images of shape (n, height, width), finite.
    total
        How many rows the claimed array had.
    """
    if len(np.unique(places)) < LEAST_IMAGES:
        return Found()
    pairs = Pairs(images=raw[places], frames=frames.astype(np.float64))
    likely, likeness = likely_layouts(pairs.images, pairs.frames)
    nearest: Fit | None = None
    for tries in (
        (fit for geometry in likely for fit in _plain(geometry, pairs)),
        (fit for geometry in likely for fit in _scaled_alone(geometry, pairs)),
        (
            fit
            for geometry in _most_usual(likely, pairs)
            for fit in _with_statistics(geometry, pairs, raw, total)
        ),
    ):
        for fit in tries:
            if fit.error < TIGHT:
                return Found(tight=fit, likeness=likeness)
            if fit.error < loose(fit) and (nearest is None or fit.error < nearest.error):
                nearest = fit
        if nearest is not None:
            break
    return Found(nearest=nearest, likeness=likeness)


def _most_usual(likely: list[Geometry], pairs: Pairs) -> list[Geometry]:
    """The likeliest layouts, and the most usual kernel: statistics blur which is the likeliest."""
    found = likely[:MOST_WITH_STATISTICS]
    for geometry in geometries(*pairs.frames.shape[1:]):
        if found and geometry.turn == found[0].turn and not geometry.keeps_bytes:
            return [*found, geometry]
    return found


def _plain(geometry: Geometry, pairs: Pairs) -> Iterator[Fit]:
    """A line, or a table, and nothing else."""
    for change_first in orders(geometry):
        plain = Fit(geometry=geometry, change=PLAIN, change_first=change_first)
        yield with_line(plain, pairs)
        if geometry.keeps_bytes:
            yield with_table(plain, pairs)
    if not geometry.keeps_bytes:
        yield from _rounded(geometry, pairs)


def _scaled_alone(geometry: Geometry, pairs: Pairs) -> Iterator[Fit]:
    """Each image, row or column scaled by itself."""
    for change_first in orders(geometry):
        # Rows and columns are changed before an image is enlarged; a whole image is scaled by
        # the same two numbers before and after.
        before = change_first or geometry.is_small
        for change in ALONE if before else WHOLE_IMAGES:
            fit = Fit(geometry=geometry, change=change, change_first=change_first)
            yield with_line(fit, pairs)


def _rounded(geometry: Geometry, pairs: Pairs) -> Iterator[Fit]:
    for rounding in ROUNDINGS[1:]:
        fit = Fit(geometry=replace(geometry, rounding=rounding), change=PLAIN, change_first=False)
        yield with_line(fit, pairs)
        if geometry.is_small:
            yield with_table(fit, pairs)


def _with_statistics(geometry: Geometry, pairs: Pairs, raw: RawImages, total: int) -> Iterator[Fit]:
    """Scaled by statistics over many images, which the grader computes on several parts of its own:
    all training images, the test images, and what the claimed array and the rest may have been."""
    train, test = len(raw.x_train), len(raw.x_test)
    parts = [(0, train), (train, train + test)]
    if 0 < total < train:
        # The claimed part first: a pixel that is white in all of it may not be in all images, and
        # then scaling by those is so far off that it looks hopeless.
        parts.insert(0, (0, total))
        parts += [(train - total, train), (0, train - total), (total, train)]
    for change_first in orders(geometry):
        if not (change_first or geometry.is_small):
            continue
        # Where pixels are mixed first, all images have to be laid out: a few show whether to.
        costly = not (change_first or geometry.picks)
        for change in OVER_MANY:
            if costly and change is BY_QUARTILES:
                continue
            fit = Fit(geometry=geometry, change=change, change_first=change_first)
            for part in [(0, SCOUTS), *parts] if costly else parts:
                tried = with_line(replace(fit, statistics=_statistics(fit, raw, part)), pairs)
                yield tried
                hopeless = part != (0, total) and not tried.error < NEAR
                if tried.error <= TIGHT or hopeless:
                    break


def _statistics(fit: Fit, raw: RawImages, part: tuple[int, int]) -> PixelStatistics:
    geometry, change_first = fit.geometry, fit.change_first
    if not (change_first or geometry.picks):
        return raw.statistics(*part, geometry)
    of_raw = raw.statistics(*part)

    def turn(numbers: Numbers) -> Numbers:
        turned = geometry.turned(numbers)
        return np.asarray(turned if change_first else geometry.laid(turned))

    mean, square, low, high = turn(np.stack([of_raw.mean, of_raw.square, of_raw.low, of_raw.high]))
    quartiles = turn(raw.quartiles(*part)) if fit.change is BY_QUARTILES else None
    return PixelStatistics(mean=mean, square=square, low=low, high=high, quartiles=quartiles)
