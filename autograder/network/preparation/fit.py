"""A preparation with its numbers, and the pairs of images that it is fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.network.preparation.geometry import SIDE, Frames, Geometry
from autograder.network.preparation.values import (
    BYTES,
    PLAIN,
    Change,
    Numbers,
    PixelStatistics,
)


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


def orders(geometry: Geometry) -> tuple[bool, ...]:
    """Whether numbers are changed first, in the order to be tried.

    Where nothing is laid out anew both are the same; so they are with the largest of some pixels,
    as long as the change keeps which of two is larger.
    """
    return (False,) if geometry.is_whole or geometry.pooled > 1 else (True, False)


def is_small(geometry: Geometry) -> bool:
    """Whether it enlarges nothing, so that numbers may as well be changed after it."""
    return geometry.shape[0] <= SIDE and geometry.shape[1] <= SIDE
