"""Fits the grader's own family of preparations to claimed images, and proves the fit.

Pairs of a raw image and a claimed one are taken in two halves. What is fitted to the first, at
most 256 numbers for all pixels together, has to give the second, on which it was not fitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.network.preparation.geometry import ROUNDINGS, SIDE, Frames, Geometry, geometries
from autograder.network.preparation.matching import Places, RawImages
from autograder.network.preparation.values import (
    ALONE,
    OVER_MANY,
    PLAIN,
    WHOLE_IMAGES,
    Change,
    Numbers,
    PixelStatistics,
)

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
LEAST_IMAGES = 16
"""Different images without which nothing is proved."""
LEAST_LIKENESS = 0.45
"""Mean correlation of raw and claimed images below which a layout is not looked at: unlike images
in the right layout have 0.4, a claim by any usual change 0.7 and more."""
MOST_LAYOUTS = 8
MOST_WITH_STATISTICS = 2
"""Layouts that statistics are computed for."""
FEW = 8
"""Images that show whether a fit is worth a closer look: whether its error on most of them is below
`POOR` times what is allowed."""
POOR = 5
NEAR = 0.1
"""The same above which statistics over another part of the images are not tried."""
SCOUTS = 10_000
"""Images whose statistics show whether those of all are worth computing."""
SPIKES = 0.02
"""Share of the pixels that is left out where statistics of many images are compared: there are
pixels in which all but a few images are 0, and whose deviation depends on these few."""
FULL_INK = 254
BYTES = 256


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

    def at(self, which: NDArray[Any]) -> Pairs:
        """Some of the pairs."""
        return Pairs(images=self.images[which], frames=self.frames[which])

    def first(self, count: int) -> Pairs:
        """The first few."""
        return Pairs(images=self.images[:count], frames=self.frames[:count])


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
    likely, likeness = _likely(pairs)
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
            if fit.error < _loose(fit) and (nearest is None or fit.error < nearest.error):
                nearest = fit
        if nearest is not None:
            break
    return Found(nearest=nearest, likeness=likeness)


def _most_usual(likely: list[Geometry], pairs: Pairs) -> list[Geometry]:
    """The likeliest layouts, and the most usual kernel: statistics blur which is the likeliest."""
    found = likely[:MOST_WITH_STATISTICS]
    for geometry in geometries(*pairs.frames.shape[1:]):
        if found and geometry.turn == found[0].turn and not geometry.picks:
            return [*found, geometry]
    return found


def _loose(fit: Fit) -> float:
    if fit.change.needs_statistics:
        return STATISTICS
    return TIGHT if fit.geometry.picks or fit.change is not PLAIN else ROUNDED


def _likely(pairs: Pairs) -> tuple[list[Geometry], float]:
    """The layouts in which raw and claimed images are most alike, best first; how alike."""
    some = pairs.first(12)
    low, high = np.percentile(some.frames, [1, 99])
    theirs = _unit(np.clip(some.frames, low, high) if low < high else some.frames)
    # Tables may make much of little: ink of any strength, or of the greatest alone.
    versions = (some.images, some.images > 0, some.images > FULL_INK)
    height, width = pairs.frames.shape[1:]
    found = []
    for geometry in geometries(height, width):
        ours = (_unit(geometry.laid(geometry.turned(version))) for version in versions)
        likeness = max(float(np.abs((each * theirs).sum(axis=1)).mean()) for each in ours)
        found.append((likeness, geometry))
    found.sort(key=lambda each: -each[0])
    likely = [geometry for likeness, geometry in found if likeness > LEAST_LIKENESS]
    return likely[:MOST_LAYOUTS], found[0][0] if found else 0.0


def _unit(frames: Frames) -> NDArray[np.float64]:
    flat = frames.reshape(len(frames), -1)
    less = flat - flat.mean(axis=1, keepdims=True)
    length = np.sqrt((less * less).sum(axis=1, keepdims=True))
    return np.asarray(less / np.where(length < 1e-12, 1, length))


def _orders(geometry: Geometry) -> tuple[bool, ...]:
    """Whether numbers are changed first: where nothing is laid out anew, that is the same."""
    return (False,) if geometry.is_whole else (True, False)


def _is_small(geometry: Geometry) -> bool:
    """Whether it enlarges nothing, so that numbers may as well be changed after it."""
    return geometry.shape[0] <= SIDE and geometry.shape[1] <= SIDE


def _plain(geometry: Geometry, pairs: Pairs) -> Iterator[Fit]:
    """A line, or a table, and nothing else."""
    for change_first in _orders(geometry):
        plain = Fit(geometry=geometry, change=PLAIN, change_first=change_first)
        yield _with_line(plain, pairs)
        if geometry.picks:
            yield _with_table(plain, pairs)
    if not geometry.picks:
        yield from _rounded(geometry, pairs)


def _scaled_alone(geometry: Geometry, pairs: Pairs) -> Iterator[Fit]:
    """Each image, row or column scaled by itself."""
    for change_first in _orders(geometry):
        # Rows and columns are changed before an image is enlarged; a whole image is scaled by
        # the same two numbers before and after.
        before = change_first or _is_small(geometry)
        for change in ALONE if before else WHOLE_IMAGES:
            fit = Fit(geometry=geometry, change=change, change_first=change_first)
            yield _with_line(fit, pairs)


def _rounded(geometry: Geometry, pairs: Pairs) -> Iterator[Fit]:
    for rounding in ROUNDINGS[1:]:
        fit = Fit(geometry=replace(geometry, rounding=rounding), change=PLAIN, change_first=False)
        yield _with_line(fit, pairs)
        if _is_small(geometry):
            yield _with_table(fit, pairs)


def _with_line(fit: Fit, pairs: Pairs) -> Fit:
    """The same with the line that fits the first half, and its error on the second."""
    # Most do not fit at all: a few images show it.
    few = pairs.first(FEW)
    if not _error(_line_of(fit, few), few, share=0.7) < POOR * _loose(fit):
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


def _with_table(fit: Fit, pairs: Pairs) -> Fit:
    """The same with a table of 256 values in place of the line."""
    few = pairs.first(FEW)
    if not _error(_table_of(fit, few), few, share=0.7) < POOR * _loose(fit):
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


def _with_statistics(geometry: Geometry, pairs: Pairs, raw: RawImages, total: int) -> Iterator[Fit]:
    """Scaled by statistics over many images, which the grader computes on several parts of its own:
    all training images, the test images, and what the claimed array and the rest may have been."""
    train, test = len(raw.x_train), len(raw.x_test)
    parts = [(0, train), (train, train + test)]
    if 0 < total < train:
        parts += [(0, total), (train - total, train), (0, train - total), (total, train)]
    for change_first in _orders(geometry):
        if not (change_first or _is_small(geometry)):
            continue
        # Where pixels are mixed first, all images have to be laid out: a few show whether to.
        costly = not (change_first or geometry.picks)
        for change in OVER_MANY:
            fit = Fit(geometry=geometry, change=change, change_first=change_first)
            for part in [(0, SCOUTS), *parts] if costly else parts:
                statistics = _statistics(geometry, change_first, raw, part)
                tried = _with_line(replace(fit, statistics=statistics), pairs)
                yield tried
                if not TIGHT < tried.error < NEAR:
                    break


def _statistics(
    geometry: Geometry, change_first: bool, raw: RawImages, part: tuple[int, int]
) -> PixelStatistics | None:
    if not (change_first or geometry.picks):
        return raw.statistics(*part, geometry)
    of_raw = raw.statistics(*part)

    def turn(numbers: Numbers) -> Numbers:
        turned = geometry.turned(numbers[None])
        return np.asarray((turned if change_first else geometry.laid(turned))[0])

    return PixelStatistics(
        mean=turn(of_raw.mean),
        square=turn(of_raw.square),
        low=turn(of_raw.low),
        high=turn(of_raw.high),
    )


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
