"""Fits a line or a table to half of the pairs, and judges it on the other half."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autograder.network.preparation.fit import Fit, Pairs
from autograder.network.preparation.values import BYTES, PLAIN

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
