"""Where each pixel goes: turned, cropped, padded, thinned out or resized images.

All of it is the grader's own. Nothing here depends on what an image shows, and no number comes
from a notebook: a claim only selects one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.network.kernels import Matrix, kernels

SIDE = 28
Frames = NDArray[Any]
"""Images of shape (n, height, width)."""
SMALLEST_SIDE, LARGEST_SIDE = 7, 256
"""Of fewer pixels there are too many ways to pick them, a million to pick one, and few digits that
can be told from each other."""

BOXES = (20, 24)
"""Sides of what is cut out of the middle and then resized: a digit of MNIST stands within 20."""
USUAL_KERNELS = 5
"""Of `KERNELS`, tried after cropping."""

TURNS: dict[str, Callable[[Frames], Frames]] = {
    "": lambda x: x,
    "transposed": lambda x: x.transpose(0, 2, 1),
    "mirrored": lambda x: x[:, :, ::-1],
    "upside down": lambda x: x[:, ::-1],
    "turned by 180 degrees": lambda x: x[:, ::-1, ::-1],
    "turned by 90 degrees": lambda x: x.transpose(0, 2, 1)[:, ::-1],
    "turned by 270 degrees": lambda x: x.transpose(0, 2, 1)[:, :, ::-1],
    "transposed and turned by 180 degrees": lambda x: x.transpose(0, 2, 1)[:, ::-1, ::-1],
}

ROUNDINGS = ("", "rounded", "rounded twice", "cut to whole numbers")
"""What becomes of a resized image's bytes: TensorFlow keeps fractions, OpenCV rounds, Pillow
rounds after the columns and again after the rows, and ``astype("uint8")`` cuts them."""

CLOSE = 1e-4
"""Libraries compute in single precision or in fractions: their 3 may be 2.9999998 here."""


def _rounded(x: Frames) -> Frames:
    """To the nearest byte, halves upwards."""
    return np.floor(np.clip(x, 0, 255) + (0.5 + CLOSE))


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """One way to lay the pixels out.

    Attributes
    ----------
    name
        In words for students; empty for images as they are.
    turn
        One of `TURNS`.
    rows, columns
        Of shape (height, 28) and (width, 28); after the turn, an image ``X`` becomes
        ``rows @ X @ columns.T``.
    rounding
        One of `ROUNDINGS`.
    pooled
        Side of the squares of which the largest pixel is taken, in place of `rows` and `columns`.
    """

    name: str
    turn: str
    rows: Matrix
    columns: Matrix
    rounding: str = ""
    pooled: int = 1

    def turned(self, images: Frames) -> Frames:
        """Turn images of shape (n, 28, 28), and nothing else."""
        return TURNS[self.turn](images)

    def laid(self, turned: Frames) -> Frames:
        """Lay out what was turned, as numbers with fractions; of shape (n, height, width)."""
        x = turned.astype(np.float64)
        if self.is_whole:
            return x
        if self.pooled > 1:
            height, width = self.shape
            squares = x.reshape(-1, height, self.pooled, width, self.pooled)
            return np.asarray(squares.max(axis=(2, 4)))
        x = x @ self.columns.T
        if self.rounding == "rounded twice":
            x = _rounded(x)
        x = self.rows @ x
        if self.rounding.startswith("rounded"):
            x = _rounded(x)
        elif self.rounding:
            x = np.floor(np.clip(x, 0, 255) + CLOSE)
        return np.asarray(x)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return len(self.rows), len(self.columns)

    @cached_property
    def is_whole(self) -> bool:
        eye = np.eye(SIDE)
        return all(np.array_equal(each, eye) for each in (self.rows, self.columns))

    @property
    def is_small(self) -> bool:
        """Whether it enlarges nothing, so that numbers may as well be changed after it."""
        return max(self.shape) <= SIDE

    @cached_property
    def picks(self) -> bool:
        """Whether each pixel is one of the image's or of the border: then no two are mixed."""
        return all(
            bool(np.isin(each, (0, 1)).all() and (each.sum(axis=1) <= 1).all())
            for each in (self.rows, self.columns)
        )

    @cached_property
    def keeps_bytes(self) -> bool:
        """Whether every number is one of the image's, or 0."""
        return self.picks or self.pooled > 1

    @cached_property
    def inside(self) -> Frames:
        """1 for each pixel of the image, 0 for those of a border; of shape (height, width)."""
        return np.outer(self.rows.sum(axis=1), self.columns.sum(axis=1))

    @cached_property
    def has_border(self) -> bool:
        """Whether there are pixels that show nothing of the image."""
        return bool((self.inside == 0).any())


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """One way for one of the two axes: what it is called, and its matrix."""

    name: str
    matrix: Matrix


@cache
def _axes(new: int) -> dict[str, list[_Axis]]:
    """Ways from 28 pixels to `new`, by the kind of way."""
    eye = np.eye(SIDE)
    if new == SIDE:
        return {"": [_Axis(name="", matrix=eye)]}
    found: dict[str, list[_Axis]] = {}
    spare = abs(SIDE - new)
    offsets = list(dict.fromkeys([spare // 2, (spare + 1) // 2, 0, spare]))
    if new > SIDE:
        padded = np.vstack([np.zeros((spare, SIDE)), eye, np.zeros((spare, SIDE))])
        # The image begins at `offset` of the new pixels.
        found["padded"] = [
            _Axis(name="padded", matrix=padded[spare - offset : spare - offset + new])
            for offset in offsets
        ]
    else:
        found["cropped"] = [_Axis(name="cropped", matrix=eye[o : o + new]) for o in offsets]
        for step in range(2, SIDE // new + 1):
            thinned = [eye[first::step] for first in range(step)]
            found.setdefault("thinned out", []).extend(
                _Axis(name="thinned out", matrix=matrix) for matrix in thinned if len(matrix) == new
            )
    for name, matrix in kernels(new, SIDE).items():
        found[name] = [_Axis(name=f"resized ({name})", matrix=matrix)]
    for box in BOXES:
        middle = eye[(SIDE - box) // 2 :][:box]
        for name, matrix in [*kernels(new, box).items()][:USUAL_KERNELS] if new != box else []:
            words = f"cropped to {box} x {box}, resized ({name})"
            found[words] = [_Axis(name=words, matrix=matrix @ middle)]
    return {kind: ways for kind, ways in found.items() if ways}


@cache
def geometries(height: int, width: int) -> tuple[Geometry, ...]:
    """All layouts without rounding from 28 x 28 to a height and width, the plain ones first."""
    return tuple(_geometries(height, width))


def _geometries(height: int, width: int) -> Iterator[Geometry]:
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in (height, width)):
        return
    size = f" to {height} x {width}"
    for across, down in _pairs(_axes(height), _axes(width)):
        for turn in TURNS:
            action = across.name or down.name
            name = ", ".join(part for part in (turn, action and _phrase(action, size)) if part)
            yield Geometry(name=name, turn=turn, rows=across.matrix, columns=down.matrix)
    if height == width < SIDE and SIDE % height == 0:
        pooled = SIDE // height
        mean = np.kron(np.eye(height), np.full(pooled, 1 / pooled))
        for turn in TURNS:
            words = (turn, f"the largest of each {pooled} x {pooled} pixels")
            name = ", ".join(filter(None, words))
            yield Geometry(name=name, turn=turn, rows=mean, columns=mean, pooled=pooled)


def _phrase(action: str, size: str) -> str:
    word, _, rest = action.partition(" (")
    return f"{word}{size}" + (f" ({rest}" if rest else "")


def _pairs(
    rows: dict[str, list[_Axis]], columns: dict[str, list[_Axis]]
) -> Iterator[tuple[_Axis, _Axis]]:
    """The same kind of way for both axes, unless one of them stays as it is."""
    for kind, ways in rows.items():
        for other, others in columns.items():
            if kind == other or "" in (kind, other):
                for first in ways:
                    yield from ((first, second) for second in others)
