"""Tries statistics over many images, which are the grader's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from autograder.network.preparation.fit import Fit, Pairs, is_small, orders
from autograder.network.preparation.geometry import Geometry
from autograder.network.preparation.matching import RawImages
from autograder.network.preparation.tuning import TIGHT, with_line
from autograder.network.preparation.values import OVER_MANY, Numbers, PixelStatistics

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
        parts += [(0, total), (train - total, train), (0, train - total), (total, train)]
    for change_first in orders(geometry):
        if not (change_first or is_small(geometry)):
            continue
        # Where pixels are mixed first, all images have to be laid out: a few show whether to.
        costly = not (change_first or geometry.picks)
        for change in OVER_MANY:
            fit = Fit(geometry=geometry, change=change, change_first=change_first)
            for part in [(0, SCOUTS), *parts] if costly else parts:
                statistics = _statistics(geometry, change_first, raw, part)
                tried = with_line(replace(fit, statistics=statistics), pairs)
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
