"""How a notebook prepared its images: what the first claim proves, else what trying shows.

Each preparation turns the bytes of MNIST into what a network may have been trained on. Where no
claim proves one, what the lesson teaches, x / 255, is taken unless the network reads training
images better with another by more than chance: a dead network does alike, whatever it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from autograder.core.errors import NotEvaluated
from autograder.network.beside import Claim
from autograder.network.preparation import (
    AS_IT_IS,
    LINES,
    Fit,
    Layout,
    Preparation,
    Prepared,
    layouts,
    named,
)
from autograder.network.preparation.fitting import best_fit
from autograder.network.preparation.geometry import (
    SIDE,
    SMALLEST_SIDE,
    Frames,
    Geometry,
    geometries,
)
from autograder.network.preparation.images import (
    ALONE,
    BYTES,
    OVER_MANY,
    PLAIN,
    Bytes,
    Places,
    RawImages,
)
from autograder.network.preparation.matching import in_order, matched

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
            return named(fit, layout, claim.source, raw.mean_and_deviation)
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


USUAL = "x / 255"
"""What the lesson teaches, and what is taken where nothing speaks for another."""
GUESSING = 0.3
"""Accuracy on training images. A dead network can come to life in part where the images are
prepared in another way than it was trained with: six starters that read 0.09 to 0.11 as they were
trained read up to 0.17 otherwise, each time beyond chance. With one unit alive a network tells few
digits from each other. One that was trained with another preparation reads most images with it."""
INK = {"black or white (x > 127)": 127, "black or white (x > 0)": 0}
"""Above which byte a pixel is 1."""
TRIED = (
    USUAL,
    "x as it is (0 to 255)",
    "x / 127.5 - 1",
    "x / 256",
    "standardised over all pixels",
    "standardised per pixel",
    "x / 255 - 0.5",
    "less the mean of all pixels, then x / 255",
    "less the mean image",
    "each image standardised",
    "each column scaled to length 1",
    "each image scaled to length 1",
    *INK,
    "inverted (1 - x / 255)",
    "twice scaled (x / 255 / 255)",
)
"""From what students do most to what they do least; the first of equals is taken."""
QUICK_IMAGES = 400
"""Enough to tell the preparations that might be right from the others."""
SHORTLIST = 3
LARGEST = 64
"""Side of the largest square that students make of an image."""
PADDED = 32
"""What images are padded to, for networks that halve them again and again."""


def usual_preparations(
    input_shape: tuple[int | None, ...], raw: RawImages
) -> dict[str, Preparation]:
    """Each of `TRIED`, by this name, for a network that takes `input_shape`.

    Raises
    ------
    NotEvaluated
        If the images do not fit the network's input.
    """
    geometry, layout = layout_for(input_shape)
    mean, deviation = raw.mean_and_deviation()
    lines = {
        **LINES,
        "standardised over all pixels": (1 / deviation, -mean / deviation),
        "less the mean of all pixels, then x / 255": (1 / 255, -mean / 255),
    }
    changes = {change.name: change for change in (*ALONE, *OVER_MANY)}

    def fit_of(name: str) -> Fit:
        plain = Fit(geometry=geometry, change=PLAIN, change_first=True)
        if name in INK:
            return replace(plain, table=(np.arange(BYTES) > INK[name]).astype(np.float64))
        if name in lines:
            return replace(plain, slope=lines[name][0], intercept=lines[name][1])
        change = changes[name]
        return replace(plain, change=change, slope=change.slope, statistics=raw.of_training())

    return {
        name: Preparation(
            name=", ".join(filter(None, (name, geometry.name))), fit=fit_of(name), layout=layout
        )
        for name in TRIED
    }


def layout_for(input_shape: tuple[int | None, ...]) -> tuple[Geometry, Layout]:
    """The most usual way from images of shape (n, 28, 28) to what a network takes.

    Knows any arrangement of 784 numbers, up to three equal colour channels, and images that are
    padded to 32 x 32, or resized to another square from `SMALLEST_SIDE` to `LARGEST`.

    Raises
    ------
    NotEvaluated
        If the network does not take MNIST images in any of these shapes.
    """
    wanted = tuple(SIDE if size is None else size for size in input_shape)
    for layout in layouts(wanted, wanted):
        side, width = layout.frame
        # A vector may be a square; what has axes of its own is none that is cut otherwise.
        is_square = side == width and (
            (side, layout.channels) == (SIDE, 1)
            or side in wanted
            or max(wanted, default=0) == math.prod(wanted)
        )
        if is_square and SMALLEST_SIDE <= side <= LARGEST:
            way = "" if side == SIDE else "padded" if side == PADDED else "resized"
            return next(g for g in geometries(side, side) if g.name.startswith(way)), layout
    raise NotEvaluated(
        f"Your network takes inputs of shape {wanted}. It should take a whole MNIST image: "
        "(28, 28), (784,) or (28, 28, 1)."
    )


def recover(
    *,
    input_shape: tuple[int | None, ...],
    right: Callable[[Prepared, NDArray[np.uint8]], NDArray[np.bool_]],
    images: Bytes,
    labels: NDArray[np.uint8],
    raw: RawImages,
    bound: float,
) -> Preparation:
    """x / 255, or another preparation with which the network does better by more than chance.

    Another is never taken for a network that guesses with it as well: see `GUESSING`.

    Parameters
    ----------
    right
        For each of some prepared images, whether the network gives its label.
    images, labels
        Training images, so that nothing about the test images is learned here.
    bound
        How often chance may prefer another preparation, all that are tried taken together.

    Raises
    ------
    NotEvaluated
        If the images do not fit the network's input.
    """
    usual, *others = usual_preparations(input_shape, raw).values()

    def answers(way: Preparation, count: int) -> NDArray[np.bool_]:
        return right(way(images[:count]), labels[:count])

    # sorted() is stable: of equals, the more common preparation comes first.
    quick = sorted(others, key=lambda way: -answers(way, QUICK_IMAGES).sum())[:SHORTLIST]
    found = [(way, answers(way, len(images))) for way in quick]
    best, by_best = max(found, key=lambda pair: pair[1].sum())
    if not by_best.mean() > GUESSING:
        return usual
    by_usual = answers(usual, len(images))
    p_value = paired_p_value(int((by_best & ~by_usual).sum()), int((by_usual & ~by_best).sum()))
    # Bonferroni: the best of so many others is better by chance that many times as often.
    return best if p_value * len(others) < bound else usual


def paired_p_value(better: int, worse: int) -> float:
    """One-sided p value of McNemar's exact test, for two ways to read the same images.

    Images that both read correctly, or both wrongly, say nothing. Of the others, each falls on
    one side or the other like a coin, where the two ways are equally good.

    Parameters
    ----------
    better, worse
        Images that only the first way reads correctly, and those that only the second does.

    Returns
    -------
    float
        The chance of at least `better` heads in ``better + worse`` throws of a fair coin
        (McNemar 1947, in its exact form).
    """
    throws = better + worse
    ways, total = 1, 0
    # From all heads downwards: the number of ways to have `worse` tails, `worse - 1`, ..., none.
    for tails in range(worse + 1):
        total += ways
        ways = ways * (throws - tails) // (tails + 1)
    return total / (1 << throws)
