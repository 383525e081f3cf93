"""How OpenCV, TensorFlow and Pillow resize an image, as matrices.

Resizing by any of their kernels is linear and works along rows and columns apart: the image
``X`` becomes ``A @ X @ B.T``. Each function here gives such a matrix of shape (new, old). The
formulas are those that the libraries document; tests compare them with the libraries themselves.
Both layers that resize and the preparations that are recognised are made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Matrix = NDArray[np.float64]


def triangle(x: Matrix) -> Matrix:
    """From 1 down to 0 at distance 1: linear interpolation."""
    return np.asarray(np.maximum(0.0, 1 - np.abs(x)))


def cubic(a: float) -> Callable[[Matrix], Matrix]:
    """Keys's cubic with slope `a` at distance 1."""

    def kernel(x: Matrix) -> Matrix:
        x = np.abs(x)
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = a * (((x - 5) * x + 8) * x - 4)
        return np.where(x < 1, near, np.where(x < 2, far, 0.0))

    return kernel


def _lanczos(radius: int) -> Callable[[Matrix], Matrix]:
    def kernel(x: Matrix) -> Matrix:
        return np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0.0)

    return kernel


def _box(x: Matrix) -> Matrix:
    return ((x > -0.5) & (x <= 0.5)).astype(np.float64)


def _hamming(x: Matrix) -> Matrix:
    return np.where(np.abs(x) < 1, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0.0)


def _mitchell(x: Matrix) -> Matrix:
    x = np.abs(x)
    near = (7 * x - 12) * x * x + 16 / 3
    far = ((-7 / 3 * x + 12) * x - 20) * x + 32 / 3
    return np.where(x < 1, near, np.where(x < 2, far, 0.0)) / 6


def centres(new: int, old: int, precision: DTypeLike = np.float64) -> Matrix:
    """Where the new pixels' centres lie, in old pixels: the middle of the first one is at 0.5."""
    scale = np.divide(old, new, dtype=precision)
    return np.asarray((np.arange(new, dtype=precision) + np.asarray(0.5, precision)) * scale)


def sampled(
    kernel: Callable[[Matrix], Matrix],
    support: float,
    *,
    smooths: bool = False,
    repeats_border: bool = False,
    steps: int = 0,
    precision: DTypeLike = np.float64,
) -> Callable[[int, int], Matrix]:
    """A kernel laid over the old pixels, around the centre of each new one.

    Parameters
    ----------
    support
        How far the kernel reaches, in pixels.
    smooths
        Whether it is stretched where the image becomes smaller (antialiasing).
    repeats_border
        Whether the outermost pixels go on beyond the border; else what lies outside is left out.
    steps
        Into how many parts a pixel is divided, by those who look the kernel up in a table.
    precision
        In which the places of the pixels are computed: which of two pixels is the nearer, or which
        entry of the table is taken, may hang on it.
    """

    def matrix(new: int, old: int) -> Matrix:
        stretch = max(old / new, 1.0) if smooths else 1.0
        middles = (centres(new, old, precision) - np.asarray(0.5, precision)).astype(np.float64)
        if steps:
            middles = np.floor(middles) + np.rint((middles - np.floor(middles)) * steps) / steps
        reach = int(np.ceil(support * stretch)) + 1
        places = np.floor(middles)[:, None] + np.arange(-reach, reach + 1)
        weights = kernel((places - middles[:, None]) / stretch)
        if not repeats_border:
            weights = np.where((places >= 0) & (places < old), weights, 0.0)
        weights = weights / weights.sum(axis=1, keepdims=True)
        result = np.zeros((new, old))
        columns = np.clip(places, 0, old - 1).astype(int)
        np.add.at(result, (np.arange(new)[:, None], columns), weights)
        return result

    return matrix


def picked(places: NDArray[Any], old: int) -> Matrix:
    """The matrix that takes the old pixels at these places."""
    chosen = np.clip(places.astype(int), 0, old - 1)
    return np.asarray(chosen[:, None] == np.arange(old), dtype=np.float64)


def _nearest(new: int, old: int) -> Matrix:
    return picked(np.floor((np.arange(new) + 0.5) * old / new), old)


def _nearest_opencv(new: int, old: int) -> Matrix:
    return picked(np.floor(np.arange(new) * (old / new)), old)


def area(new: int, old: int) -> Matrix:
    """How much of each old pixel lies in each new one."""
    scale = old / new
    begin = np.arange(new)[:, None] * scale
    covered = np.minimum(begin + scale, np.arange(old) + 1) - np.maximum(begin, np.arange(old))
    covered = np.maximum(covered, 0)
    return np.asarray(covered / covered.sum(axis=1, keepdims=True))


def _area_opencv(new: int, old: int) -> Matrix:
    if new <= old:
        return area(new, old)
    # Enlarging, OpenCV interpolates between two pixels where a new one covers both.
    scale = old / new
    place = np.floor(np.arange(new) * scale)
    fraction = (np.arange(new) + 1) - (place + 1) / scale
    fraction = np.where(fraction <= 0, 0, fraction - np.floor(fraction))
    return (1 - fraction)[:, None] * picked(place, old) + fraction[:, None] * picked(place + 1, old)


def _corners(new: int, old: int) -> Matrix:
    """Linear between pixels, with the first and the last of both at the same place."""
    places = np.linspace(0, old - 1, new)
    return triangle(np.arange(old) - places[:, None])


KERNELS: dict[str, Callable[[int, int], Matrix]] = {
    "bilinear": sampled(triangle, 1, repeats_border=True),
    "nearest": _nearest,
    "area": _area_opencv,
    "bilinear, antialiased": sampled(triangle, 1, smooths=True),
    "bicubic": sampled(cubic(-0.5), 2, smooths=True),
    "cubic, OpenCV": sampled(cubic(-0.75), 2, repeats_border=True),
    "bicubic, TensorFlow": sampled(cubic(-0.5), 2, steps=1024),
    "Lanczos": sampled(_lanczos(3), 3, smooths=True),
    "nearest, OpenCV": _nearest_opencv,
    "Lanczos, OpenCV": sampled(_lanczos(4), 4, repeats_border=True),
    "box": sampled(_box, 0.5, smooths=True),
    "hamming": sampled(_hamming, 1, smooths=True),
    "area, TensorFlow": area,
    "Lanczos 3, TensorFlow": sampled(_lanczos(3), 3),
    "Lanczos 5, TensorFlow": sampled(_lanczos(5), 5),
    "Lanczos 5, antialiased": sampled(_lanczos(5), 5, smooths=True),
    "Mitchell, TensorFlow": sampled(_mitchell, 2),
    "Mitchell, antialiased": sampled(_mitchell, 2, smooths=True),
    "bilinear, corners aligned": _corners,
}
"""By name, the usual ones first: of kernels that give the same matrix the first is kept."""


@cache
def kernels(new: int, old: int) -> dict[str, Matrix]:
    """The matrices from `old` pixels to `new`, each once, by the name of the kernel."""
    found: dict[str, Matrix] = {}
    for name, kernel in KERNELS.items():
        matrix = kernel(new, old)
        if not any(np.allclose(matrix, known, atol=1e-12) for known in found.values()):
            matrix.flags.writeable = False
            found[name] = matrix
    return found
