"""From claims to the preparation that the first of them proves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from autograder.network.preparation.claim import Claim
from autograder.network.preparation.fit import Fit, Preparation
from autograder.network.preparation.fitting import best_fit
from autograder.network.preparation.geometry import Frames
from autograder.network.preparation.layout import Layout, layouts
from autograder.network.preparation.matching import in_order, matched
from autograder.network.preparation.raw_images import Places, RawImages
from autograder.network.preparation.values import AS_IT_IS, named_line, table_name

SAMPLE = 96
"""Rows of a claim that are looked at, taken from all of it: half to fit, half to prove."""
LEAST_ROWS = 20
MOST_MATCHED = 3
"""Claims whose rows are looked up among all images, where they are in no order: a second each."""
ALIKE = 0.75
"""Correlation of raw and claimed images above which these are the right images; others have 0.4."""


def prove(
    claims: Iterable[Claim], *, input_shape: tuple[int | None, ...], raw: RawImages
) -> Preparation | None:
    """The preparation of the first claim that proves one; None if none does.

    Parameters
    ----------
    claims
        In the order in which they count. The first that is proved is taken, never the one with
        which a network does best.
    input_shape
        Of one image, as the network takes it; None for an extent that it leaves open.
    """
    for number, claim in enumerate(claims):
        with np.errstate(all="ignore"):
            proved = _prove(claim, input_shape, raw, may_match=number < MOST_MATCHED)
        if proved is not None and not (claim.is_variable and _is_raw(proved)):
            return proved
    return None


def _is_raw(proved: Preparation) -> bool:
    """Whether images are as they were handed out: every notebook holds those, used or not."""
    return proved.fit.geometry.is_whole and proved.name == AS_IT_IS


def _prove(
    claim: Claim, input_shape: tuple[int | None, ...], raw: RawImages, *, may_match: bool
) -> Preparation | None:
    if len(claim.rows) < LEAST_ROWS:
        return None
    count = min(len(claim.rows), SAMPLE)
    rows = np.linspace(0, len(claim.rows) - 1, count).astype(np.int64)
    for layout in layouts(claim.rows.shape[1:], input_shape):
        frames = layout.back(claim.rows[rows])
        if frames is None or not frames.astype(np.float64).std() > 0:
            continue
        numbers = frames.astype(np.float64)
        fit = _first_fit(numbers, rows, claim.total, raw, may_match=may_match)
        if fit is not None:
            return _named(fit, layout, claim, raw)
    return None


def _first_fit(
    frames: Frames, rows: Places, total: int, raw: RawImages, *, may_match: bool
) -> Fit | None:
    """The first tight fit of all guesses which image is which; else the nearest of the others."""
    nearest: Fit | None = None
    for places in in_order(rows, total, raw):
        found = best_fit(frames, places, raw, total)
        if found.tight is not None or found.likeness > ALIKE:
            return found.tight or found.nearest
        nearest = nearest or found.nearest
    if nearest is not None or not may_match:
        return nearest
    for kept, places in matched(frames, raw):
        found = best_fit(frames[kept], places, raw, total)
        if found.tight is not None:
            return found.tight
        nearest = nearest or found.nearest
    return nearest


def _named(fit: Fit, layout: Layout, claim: Claim, raw: RawImages) -> Preparation:
    """Put it into words, and give a line with a name its own numbers to the last digit."""
    change, where = fit.change.name, fit.geometry.name
    if fit.table is not None:
        numbers = table_name(fit.table)
    elif not change:
        numbers, slope, intercept = named_line(fit.slope, fit.intercept, raw.mean_and_deviation)
        fit = replace(fit, slope=slope, intercept=intercept)
    else:
        usual = abs(fit.slope / fit.change.slope - 1) < 1e-3 and abs(fit.intercept) < 1e-3
        numbers = change
        if not usual:
            line = named_line(fit.slope, fit.intercept, raw.mean_and_deviation)[0]
            numbers += f", then {line}"
    if fit.geometry.rounding:
        where += f", {fit.geometry.rounding}"
    after = not fit.change_first and (fit.intercept != 0 or fit.table is not None or change)
    name = (
        f"{where}, then {numbers}" if where and after else ", ".join(filter(None, (numbers, where)))
    )
    if layout.channels > 1:
        name += f", repeated to {layout.channels} channels"
    return Preparation(name=name, source=claim.source, fit=fit, layout=layout)
