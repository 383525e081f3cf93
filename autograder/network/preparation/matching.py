"""Which of the grader's own images each claimed row shows; labels have no part in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.network.kernels import KERNELS
from autograder.network.preparation.geometry import SIDE, TURNS, Frames, Geometry, geometries
from autograder.network.preparation.images import Places, RawImages

BLOCK = 4
"""Pixels of a block's side; an image's signature are the means of its 7 x 7 blocks."""
BLOCKS = SIDE // BLOCK
CANDIDATES = 32
"""Images of the nearest signature that a row is compared with pixel by pixel."""
SCOUTS = 8
"""Rows that are looked up first, to find which way up the images are."""
LEAST_LIKENESS = 0.6
"""Correlation of signatures below which nothing is worth a closer look; 0.9 and more are usual."""
MOST_POSES = 2
LEAST_LIKENESS_LAID = 0.45
"""Mean correlation of raw and claimed images below which a layout is not looked at: unlike images
in the right layout have 0.4, a claim by any usual change 0.7 and more."""
MOST_LAYOUTS = 8
FULL_INK = 254
UNLIKE = 0.15
"""Share of the frames that is left out as unlike: some are like several images."""

VERSIONS: dict[str, Callable[[Frames], Frames]] = {
    "bytes": lambda x: x,
    "ink": lambda x: x > 0,
    "black or white": lambda x: x > 127,
    "roots": lambda x: np.sqrt(x, dtype=np.float32),
}
"""What claimed images are compared with: many tables make of a grey nearly one of these."""


def _signatures(raw: RawImages, version: str) -> NDArray[np.float32]:
    """Sums of blocks of a version of each image, of shape (images, 7, 7)."""
    change = VERSIONS[version]
    return raw.kept(
        ("blocks", version),
        lambda: np.concatenate([_blocks(change(images)) for images in (raw.x_train, raw.x_test)]),
    )


def _whole_signatures(raw: RawImages, version: str) -> NDArray[np.float32]:
    """The same of length 1 about their mean; of shape (images, 49)."""
    return raw.kept(
        ("unit", version), lambda: _unit(_signatures(raw, version).reshape(-1, BLOCKS * BLOCKS))
    )


def _blocks(frames: Frames) -> NDArray[np.float32]:
    rows = frames.reshape(len(frames), BLOCKS, BLOCK, SIDE).sum(axis=2, dtype=np.float32)
    return np.asarray(rows.reshape(len(frames), BLOCKS, BLOCKS, BLOCK).sum(axis=3))


def in_order(rows: Places, total: int, raw: RawImages) -> Iterator[Places]:
    """Guesses for arrays whose rows are in the order in which the images were handed out.

    Parameters
    ----------
    rows
        Which rows of the claim are asked about.
    total
        How many rows the array had: a training set is often split in two.
    """
    train, test = len(raw.x_train), len(raw.x_test)
    yield rows
    yield train + rows % test
    if 0 < total < train:
        yield rows + (train - total)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pose:
    """A guess how claimed frames lie over 28 x 28 images, roughly.

    Attributes
    ----------
    frames
        Brought back to 28 x 28, and turned back.
    known
        Which blocks of an image they show, of shape (7, 7).
    shape
        Height and width that they had.
    """

    frames: Frames
    known: NDArray[np.bool_]
    shape: tuple[int, int]

    @property
    def key(self) -> bytes:
        """Which blocks are known, as a key."""
        return self.known.tobytes()

    def theirs(self, count: int | None = None) -> NDArray[np.float32]:
        """The signatures of the first frames."""
        return _unit(_blocks(self.frames[:count])[:, self.known])


def matched(frames: Frames, raw: RawImages) -> Iterator[tuple[Places, Places]]:
    """Frames, and for each of them the most similar image; several guesses, the best first.

    The frames that are least like any image are left out.

    Parameters
    ----------
    frames
        Of shape (n, height, width), with whatever numbers a notebook made of the images.
    """
    for prepared, version in ((_even(frames), "bytes"), (ink(frames), "ink")):
        poses = []
        # Many poses show the same blocks: their signatures are worked out once.
        ours: dict[bytes, NDArray[np.float32]] = {}
        for pose in _poses(prepared):
            if pose.key not in ours:
                ours[pose.key] = (
                    _whole_signatures(raw, version)
                    if pose.known.all()
                    else _unit(_signatures(raw, version)[:, pose.known])
                )
            # An inverted image is as like as one that is not.
            likeness = np.abs(pose.theirs(SCOUTS) @ ours[pose.key].T).max(axis=1)
            poses.append((float(likeness.mean()), pose))
        # Another turn may be nearly as like: digits have their symmetries.
        poses.sort(key=lambda found: -found[0])
        for likeness, pose in poses[:MOST_POSES]:
            if likeness > LEAST_LIKENESS:
                yield _closest(pose, raw, ours[pose.key])


def _even(frames: Frames) -> Frames:
    """Without what single pixels do far beyond all others, as where each is standardised."""
    low, high = np.percentile(frames, [1, 99])
    return np.clip(frames, low, high) if high > low else frames


def ink(frames: Frames) -> Frames:
    """1 where a pixel is not as it mostly is over all frames: paper is 0 in most images."""
    flat = np.sort(frames.reshape(len(frames), -1), axis=0)
    # The value that most frames share: the one at the middle of the longest run.
    window = max(2, len(flat) // 4)
    spread = flat[window:] - flat[:-window]
    usual = flat[spread.argmin(axis=0), np.arange(flat.shape[1])]
    tolerance = 1e-6 * (np.abs(flat).max() + 1e-30)
    usual = usual.reshape(frames.shape[1:])
    return np.asarray((np.abs(frames - usual) > tolerance).astype(np.float64))


def _poses(frames: Frames) -> Iterator[_Pose]:
    height, width = frames.shape[1:]
    whole = np.ones((BLOCKS, BLOCKS), dtype=bool)
    laid: list[tuple[Frames, NDArray[np.bool_]]] = []
    if (height, width) == (SIDE, SIDE):
        laid.append((frames, whole))
    else:
        rows, columns = (_back(size) for size in (height, width))
        laid.append((rows @ frames @ columns.T, whole))
        laid.extend(_shifted(frames))
    for image, known in laid:
        for turn_back in TURNS.values():
            turned = turn_back(known[None])[0]
            yield _Pose(
                frames=np.ascontiguousarray(turn_back(image)), known=turned, shape=(height, width)
            )


def _back(size: int) -> NDArray[np.float64]:
    """From `size` pixels to 28."""
    return KERNELS["area" if size >= SIDE else "bilinear"](SIDE, size)


def _shifted(frames: Frames) -> Iterator[tuple[Frames, NDArray[np.bool_]]]:
    """As if they were cut out of the image, or had a border around it."""
    height, width = frames.shape[1:]
    if (height > SIDE) != (width > SIDE) and SIDE not in (height, width):
        return
    spare = [abs(SIDE - height), abs(SIDE - width)]
    for share in (0.5, 0.0, 1.0):
        top, left = (int(each * share) for each in spare)
        canvas = np.zeros((len(frames), SIDE, SIDE))
        shown = np.zeros((SIDE, SIDE), dtype=bool)
        here = (
            slice(top, top + height) if height <= SIDE else slice(None),
            slice(left, left + width) if width <= SIDE else slice(None),
        )
        there = (
            slice(top, top + SIDE) if height > SIDE else slice(None),
            slice(left, left + SIDE) if width > SIDE else slice(None),
        )
        canvas[:, here[0], here[1]] = frames[:, there[0], there[1]]
        shown[here] = True
        known = np.asarray(shown.reshape(BLOCKS, BLOCK, BLOCKS, BLOCK).all(axis=(1, 3)))
        if known.sum() >= 9:
            yield canvas, known


def _unit(numbers: NDArray[Any]) -> NDArray[Any]:
    """Each row, or frame, of length 1 about its mean, in the precision that it comes in."""
    flat = numbers.reshape(len(numbers), -1)
    less = flat - flat.mean(axis=1, keepdims=True)
    length = np.sqrt((less * less).sum(axis=1, keepdims=True))
    return np.asarray(less / np.where(length < 1e-12, 1, length))


def _closest(pose: _Pose, raw: RawImages, ours: NDArray[np.float32]) -> tuple[Places, Places]:
    """The frames that are like an image, and which image that is."""
    likeness = np.abs(pose.theirs() @ ours.T)
    candidates = np.argpartition(likeness, -CANDIDATES, axis=1)[:, -CANDIDATES:]
    count = len(candidates)
    images = raw[candidates.reshape(-1)]
    theirs = _unit(_blurred(pose.frames, pose.shape).reshape(count, -1))
    best: NDArray[np.float32] | None = None
    for change in VERSIONS.values():
        near = _unit(_blurred(change(images), pose.shape).reshape(count * CANDIDATES, -1))
        closeness = np.abs(np.einsum("nck,nk->nc", near.reshape(count, CANDIDATES, -1), theirs))
        if best is None or closeness.max(axis=1).mean() > best.max(axis=1).mean():
            best = closeness
    assert best is not None
    found = best.max(axis=1)
    kept = np.flatnonzero(found >= np.quantile(found, UNLIKE))
    return kept, np.asarray(candidates[kept, best[kept].argmax(axis=1)])


def _blurred(images: Frames, shape: tuple[int, int]) -> NDArray[np.float32]:
    """As coarse as what was made of them: of smaller frames pairs of pixels are compared."""
    x = images.astype(np.float32)
    if min(shape) >= SIDE:
        return x
    x = x.reshape(len(x), SIDE // 2, 2, SIDE // 2, 2).sum(axis=(2, 4))
    return np.asarray(x)


def likely_layouts(images: NDArray[np.uint8], frames: Frames) -> tuple[list[Geometry], float]:
    """The layouts in which raw and claimed images are most alike, best first; how alike."""
    some, theirs = images[:12], _unit(_even(frames[:12]))
    # Tables may make much of little: ink of any strength, or of the greatest alone. And where each
    # pixel has a scale of its own, no more than where ink is may be seen.
    their_ink = _unit(ink(frames)[: len(theirs)])
    versions = (
        (some, theirs),
        (some > 0, theirs),
        (some > FULL_INK, theirs),
        (some > 0, their_ink),
    )
    height, width = frames.shape[1:]
    found = []
    for geometry in geometries(height, width):
        likeness = max(
            float(np.abs((_unit(geometry.laid(geometry.turned(ours))) * of_theirs).sum(1)).mean())
            for ours, of_theirs in versions
        )
        found.append((likeness, geometry))
    found.sort(key=lambda each: -each[0])
    likely = [geometry for likeness, geometry in found if likeness > LEAST_LIKENESS_LAID]
    return likely[:MOST_LAYOUTS], found[0][0] if found else 0.0
