"""How a network takes frames: as flat vectors, with channels first or last, or as they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.network.preparation.geometry import SIDE, Frames

Prepared = NDArray[np.float32]
MOST_CHANNELS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """From frames of shape (n, height, width) to what a network takes.

    Attributes
    ----------
    frame
        Height and width.
    channels
        Into how many equal channels the one of the image is repeated.
    channels_first
        Whether these come before height and width.
    shape
        Of one image as the network takes it.
    """

    frame: tuple[int, int]
    channels: int
    channels_first: bool
    shape: tuple[int, ...]

    def __call__(self, frames: Frames) -> Prepared:
        """Put frames into the network's shape."""
        x = frames.astype(np.float32)
        if self.channels > 1:
            x = np.repeat(x[:, None] if self.channels_first else x[..., None], self.channels,
                          axis=1 if self.channels_first else -1)  # fmt: skip
        return x.reshape(len(frames), *self.shape)

    def back(self, rows: NDArray[Any]) -> Frames | None:
        """The frames that rows are made of; None where their channels are not equal."""
        height, width = self.frame
        if self.channels == 1:
            return rows.reshape(len(rows), height, width)
        if self.channels_first:
            split = rows.reshape(len(rows), self.channels, height, width)
            first, same = split[:, 0], (split == split[:, :1]).all()
        else:
            split = rows.reshape(len(rows), height, width, self.channels)
            first, same = split[..., 0], (split == split[..., :1]).all()
        return first if same else None


def layouts(row: tuple[int, ...], wanted: tuple[int | None, ...]) -> Iterator[Layout]:
    """All ways in which rows of a shape may hold images, for a network that takes `wanted`.

    Parameters
    ----------
    row
        Shape of one claimed row.
    wanted
        The network's input; None for an extent that it leaves open.
    """
    sizes = [size for size in row if size != 1]
    shape = _shape(sizes, wanted)
    if shape is None:
        return
    for frame, channels, first in _frames(sizes):
        yield Layout(frame=frame, channels=channels, channels_first=first, shape=shape)


def _shape(sizes: list[int], wanted: tuple[int | None, ...]) -> tuple[int, ...] | None:
    """The network's input with every extent filled in; None where rows do not fit."""
    left, shape = list(sizes), []
    for size in wanted:
        if size == 1:
            shape.append(1)
        elif left and size in (None, left[0]):
            shape.append(left.pop(0))
        elif size is None:
            shape.append(1)
        else:
            return None
    return None if left else tuple(shape)


def _frames(sizes: list[int]) -> Iterator[tuple[tuple[int, int], int, bool]]:
    """(height and width, channels, whether these come first) for rows of these sizes."""
    count = math.prod(sizes)
    if count == SIDE * SIDE:
        yield (SIDE, SIDE), 1, False
    if len(sizes) == 2 and sizes != [SIDE, SIDE]:
        yield (sizes[0], sizes[1]), 1, False
    if len(sizes) == 3 and sizes[2] <= MOST_CHANNELS:
        yield (sizes[0], sizes[1]), sizes[2], False
    if len(sizes) == 3 and sizes[0] <= MOST_CHANNELS:
        yield (sizes[1], sizes[2]), sizes[0], True
    if len(sizes) == 2 and sizes[0] == sizes[1]:
        return
    # Vectors, whole or cut into pieces of any length.
    for channels in range(1, MOST_CHANNELS + 1):
        side = math.isqrt(count // channels)
        if channels * side * side == count and side != SIDE * (channels == 1):
            yield (side, side), channels, False
            if channels > 1:
                yield (side, side), channels, True
