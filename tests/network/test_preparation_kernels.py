"""Does each kernel resize as the library does whose name it has?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import ndimage  # type: ignore[import-untyped]

from autograder.network.kernels import KERNELS

Resize = Callable[[Any, int], Any]
SIDE = 28


def opencv(how: int) -> Resize:
    return lambda x, side: cv2.resize(x, (side, side), interpolation=how)


def pillow(how: Any) -> Resize:
    """In single precision, so that no byte is rounded."""
    return lambda x, side: np.asarray(Image.fromarray(x).resize((side, side), how))


def tensorflow(how: str, antialias: bool = False) -> Resize:
    def resize(x: Any, side: int) -> Any:
        return tf.image.resize(x[..., None], (side, side), how, antialias=antialias)[..., 0]

    return resize


RESIZERS: dict[str, list[Resize]] = {
    "bilinear": [tensorflow("bilinear"), opencv(cv2.INTER_LINEAR)],
    "nearest": [tensorflow("nearest")],
    "area": [opencv(cv2.INTER_AREA)],
    "bilinear, antialiased": [pillow(Image.Resampling.BILINEAR), tensorflow("bilinear", True)],
    "bicubic": [pillow(Image.Resampling.BICUBIC)],
    "cubic, OpenCV": [opencv(cv2.INTER_CUBIC)],
    "bicubic, TensorFlow": [tensorflow("bicubic")],
    "Lanczos": [pillow(Image.Resampling.LANCZOS), tensorflow("lanczos3", True)],
    "nearest, OpenCV": [opencv(cv2.INTER_NEAREST)],
    "Lanczos, OpenCV": [opencv(cv2.INTER_LANCZOS4)],
    "box": [pillow(Image.Resampling.BOX)],
    "hamming": [pillow(Image.Resampling.HAMMING)],
    "area, TensorFlow": [tensorflow("area")],
    "Lanczos 3, TensorFlow": [tensorflow("lanczos3")],
    "Lanczos 5, TensorFlow": [tensorflow("lanczos5")],
    "Lanczos 5, antialiased": [tensorflow("lanczos5", True)],
    "Mitchell, TensorFlow": [tensorflow("mitchellcubic")],
    "Mitchell, antialiased": [tensorflow("mitchellcubic", True)],
    "bilinear, corners aligned": [
        lambda x, side: ndimage.zoom(x, side / SIDE, order=1, mode="nearest")
    ],
}


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_its_librarys(name: str) -> None:
    x = np.random.default_rng(1).random((SIDE, SIDE), dtype=np.float32)
    for side in (10, 14, 20, 32, 40, 56):
        matrix = KERNELS[name](side, SIDE)
        for resize in RESIZERS[name]:
            # In single precision; OpenCV's weights have fewer digits.
            np.testing.assert_allclose(matrix @ x @ matrix.T, resize(x, side), atol=2e-4)
