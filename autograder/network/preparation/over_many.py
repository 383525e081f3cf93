"""Tries statistics over many images, which are the grader's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from autograder.network.preparation.fit import Fit, Pairs, is_small, orders
from autograder.network.preparation.geometry import Geometry
from autograder.network.preparation.matching import RawImages
from autograder.network.preparation.tuning import TIGHT, with_line
from autograder.network.preparation.values import (
    BY_QUARTILES,
    OVER_MANY,
    Numbers,
    PixelStatistics,
)

NEAR = 0.1
"""Error, see `TIGHT`, above which statistics over another part of the images are not tried."""
SCOUTS = 10_000
"""Images whose statistics show whether those of all are worth computing."""


def with_statistics(geometry: Geometry, pairs: Pairs, raw: RawImages, total: int) -> Iterator[Fit]:
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
