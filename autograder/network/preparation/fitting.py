"""Fits the grader's own family of preparations to claimed images, and proves the fit.

Pairs of a raw image and a claimed one are taken in two halves. What is fitted to the first, at
most 256 numbers for all pixels together, has to give the second, on which it was not fitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from autograder.network.preparation.fit import (
    TIGHT,
    Fit,
    Pairs,
    is_small,
    loose,
    orders,
    with_line,
    with_table,
)
from autograder.network.preparation.geometry import ROUNDINGS, Frames, Geometry, geometries
from autograder.network.preparation.matching import ink
from autograder.network.preparation.raw_images import Numbers, PixelStatistics, Places, RawImages
from autograder.network.preparation.values import (
    ALONE,
    BY_QUARTILES,
    OVER_MANY,
    PLAIN,
    WHOLE_IMAGES,
)

LEAST_IMAGES = 16
"""Different images without which nothing is proved."""
LEAST_LIKENESS = 0.45
"""Mean correlation of raw and claimed images below which a layout is not looked at: unlike images
in the right layout have 0.4, a claim by any usual change 0.7 and more."""
MOST_LAYOUTS = 8
MOST_WITH_STATISTICS = 2
"""Layouts that statistics are computed for."""
FULL_INK = 254
NEAR = 0.1
"""Error, see `TIGHT`, above which statistics over another part of the images are not tried."""
SCOUTS = 10_000
"""Images whose statistics show whether those of all are worth computing."""


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


def _likely(pairs: Pairs) -> tuple[list[Geometry], float]:
    """The layouts in which raw and claimed images are most alike, best first; how alike."""
    some = pairs.first(12)
    low, high = np.percentile(some.frames, [1, 99])
    theirs = _unit(np.clip(some.frames, low, high) if low < high else some.frames)
    # Tables may make much of little: ink of any strength, or of the greatest alone. And where each
    # pixel has a scale of its own, no more than where ink is may be seen.
    their_ink = _unit(ink(pairs.frames)[: len(theirs)])
    versions = (
        (some.images, theirs),
        (some.images > 0, theirs),
        (some.images > FULL_INK, theirs),
        (some.images > 0, their_ink),
    )
    height, width = pairs.frames.shape[1:]
    found = []
    for geometry in geometries(height, width):
        likeness = max(
            float(np.abs((_unit(geometry.laid(geometry.turned(ours))) * of_theirs).sum(1)).mean())
            for ours, of_theirs in versions
        )
        found.append((likeness, geometry))
    found.sort(key=lambda each: -each[0])
    likely = [geometry for likeness, geometry in found if likeness > LEAST_LIKENESS]
    return likely[:MOST_LAYOUTS], found[0][0] if found else 0.0


def _unit(frames: Frames) -> NDArray[np.float64]:
    flat = frames.reshape(len(frames), -1)
    less = flat - flat.mean(axis=1, keepdims=True)
    length = np.sqrt((less * less).sum(axis=1, keepdims=True))
    return np.asarray(less / np.where(length < 1e-12, 1, length))


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
        before = change_first or is_small(geometry)
        for change in ALONE if before else WHOLE_IMAGES:
            fit = Fit(geometry=geometry, change=change, change_first=change_first)
            yield with_line(fit, pairs)


def _rounded(geometry: Geometry, pairs: Pairs) -> Iterator[Fit]:
    for rounding in ROUNDINGS[1:]:
        fit = Fit(geometry=replace(geometry, rounding=rounding), change=PLAIN, change_first=False)
        yield with_line(fit, pairs)
        if is_small(geometry):
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
        if not (change_first or is_small(geometry)):
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
