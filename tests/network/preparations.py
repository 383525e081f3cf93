"""How students prepare the digits, as they write it: what is to be recognised.

Each preparation is a function of arrays of bytes of shape (n, 28, 28). Statistics are computed on
`TRAIN`, as a notebook does with its training images; when they are first asked for, since every
process that collects the tests imports this.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

import cv2
import numpy as np
from PIL import Image
from sklearn import preprocessing as sk

from tests.conftest import ROOT

Images = Any

with np.load(ROOT / "assignment/data/mnist.npz") as _data:
    TRAIN: Images = _data["x_train"]


def f(x: Images) -> Images:
    return x.astype("float32")


def unit(x: Images, axis: int) -> Images:
    """``keras.utils.normalize``."""
    length = np.atleast_1d(np.linalg.norm(x, 2, axis))
    length[length == 0] = 1
    return x / np.expand_dims(length, axis)


def flat(x: Images) -> Images:
    return x.reshape(len(x), -1)


def pad(x: Images, border: int = 2, **options: Any) -> Images:
    return np.pad(x, ((0, 0), (border, border), (border, border)), **options)


def with_cv2(x: Images, side: int, how: int) -> Images:
    return np.stack([cv2.resize(image, (side, side), interpolation=how) for image in x])


def with_pillow(x: Images, side: int, how: Any) -> Images:
    return np.stack([np.asarray(Image.fromarray(i).resize((side, side), how)) for i in x])


def averaged(x: Images) -> Images:
    return f(x).reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))


def fitted(scaler: Any, images: Images = TRAIN) -> Callable[[Images], Images]:
    """A scaler of scikit-learn's, fitted to flat vectors."""
    fit = cache(lambda: scaler.fit(flat(images)))
    return lambda x: f(fit().transform(flat(x)))


def per_image(x: Images) -> Images:
    """``tf.image.per_image_standardization``."""
    x = f(x)
    less = x - x.mean(axis=(1, 2), keepdims=True)
    return less / np.maximum(x.std(axis=(1, 2), keepdims=True), 1 / 28)


class Statistics:
    """Of the training images, or of some of them."""

    mean = cached_property(lambda self: TRAIN.mean())
    deviation = cached_property(lambda self: TRAIN.std())
    mean_image = cached_property(lambda self: TRAIN.mean(axis=0))
    by_column = cached_property(
        lambda self: sk.StandardScaler().fit(TRAIN.reshape(-1, 28).astype("float32"))
    )
    ten_thousand = cached_property(lambda self: f(TRAIN[:10_000]))
    row_means = cached_property(
        lambda self: self.ten_thousand.mean(axis=(0, 2), keepdims=True, dtype="float64")
    )
    row_deviations = cached_property(
        lambda self: not_zero(self.ten_thousand.std(axis=(0, 2), keepdims=True, dtype="float64"))
    )
    column_means = cached_property(
        lambda self: self.ten_thousand.mean(axis=(0, 1), keepdims=True, dtype="float64")
    )
    averaged = cached_property(lambda self: averaged(TRAIN).astype("float64"))
    averaged_mean = cached_property(lambda self: self.averaged.mean(0))
    averaged_deviation = cached_property(lambda self: not_zero(self.averaged.std(0)))


def not_zero(deviations: Images) -> Images:
    """As scikit-learn has it: what is the same in all images is divided by one."""
    return np.where(deviations == 0, 1, deviations)


OF = Statistics()

LINES = {
    "x / 255": lambda x: f(x) / 255,
    "x / 255 in double precision": lambda x: x / 255.0,
    "x / 255 in half precision": lambda x: (x / 255).astype("float16"),
    "bytes": lambda x: x,
    "x / 127.5 - 1": lambda x: f(x) / 127.5 - 1,
    "x / 256": lambda x: f(x) / 256,
    "x / 255 - 0.5": lambda x: f(x) / 255 - 0.5,
    "1 - x / 255": lambda x: 1 - f(x) / 255,
    "twice": lambda x: f(x) / 255 / 255,
    "standardised": lambda x: (f(x) - OF.mean) / OF.deviation,
    "less the mean of all": lambda x: (f(x) - OF.mean) / 255,
    "odd numbers": lambda x: (f(x) / 255 - 0.1307) / 0.3081,
}
TABLES = {
    "x > 127": lambda x: f(x > 127),
    "x > 0 as truth values": lambda x: x > 0,
    "x // 255": lambda x: x // 255,
    "x // 64": lambda x: x // 64,
    "square root": lambda x: np.sqrt(f(x) / 255),
    "logarithm": lambda x: np.log1p(f(x)),
    "gamma": lambda x: (f(x) / 255) ** 2.2,
    "uint8 that overflows": lambda x: x * np.uint8(3),
    "clipped": lambda x: np.clip(f(x), 30, 200) / 200,
}
GEOMETRIES = {
    "flat": lambda x: flat(f(x) / 255),
    "a table, padded with another number": lambda x: pad(np.cos(f(x) / 90)),
    "as a column": lambda x: flat(f(x) / 255)[..., None],
    "one channel": lambda x: f(x)[..., None] / 255,
    "cut into strips": lambda x: f(x).reshape(-1, 7, 112) / 255,
    "transposed": lambda x: f(x).transpose(0, 2, 1) / 255,
    "mirrored": lambda x: f(x)[:, :, ::-1] / 255,
    "upside down": lambda x: f(x)[:, ::-1] / 255,
    "quarter turn": lambda x: np.rot90(f(x), 1, (1, 2)) / 255,
    "three quarter turns": lambda x: np.rot90(f(x), 3, (1, 2)) / 255,
    "half turn": lambda x: np.rot90(f(x), 2, (1, 2)) / 255,
    "transposed and turned": lambda x: np.rot90(f(x).transpose(0, 2, 1), 2, (1, 2)) / 255,
    "transposed and inverted": lambda x: 1 - f(x).transpose(0, 2, 1) / 255,
    "three channels": lambda x: np.repeat(f(x)[..., None] / 255, 3, axis=-1),
    "three channels first": lambda x: np.stack([f(x) / 255] * 3, axis=1),
    "two channels": lambda x: np.stack([f(x) / 255] * 2, axis=-1),
    "padded": lambda x: pad(f(x) / 255),
    "padded after": lambda x: pad(f(x) / 127.5 - 1),
    "padded before": lambda x: pad(f(x)) / 127.5 - 1,
    "padded at the end": lambda x: np.pad(f(x), ((0, 0), (0, 4), (0, 4))) / 255,
    "padded, three channels": lambda x: np.repeat(pad(f(x) / 255)[..., None], 3, axis=-1),
    "padded, black or white": lambda x: pad(f(x > 100)),
    "padded with the paper of 1 - x / 255": lambda x: pad(1 - f(x) / 255, constant_values=1),
    "cropped": lambda x: f(x)[:, 4:24, 4:24] / 255,
    "cropped to the side": lambda x: f(x)[:, :20, 8:] / 255,
    "cropped in one direction": lambda x: f(x)[:, :, 4:24] / 255,
    "every second pixel": lambda x: f(x)[:, ::2, ::2] / 255,
    "the other second pixels": lambda x: f(x)[:, 1::2, 1::2] / 255,
    "every third pixel": lambda x: f(x)[:, 2::3, 2::3] / 255,
    "averaged": lambda x: averaged(x) / 255,
    "averaged by four": lambda x: f(x).reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)) / 255,
    "largest of 2 x 2": lambda x: f(x).reshape(-1, 14, 2, 14, 2).max(axis=(2, 4)) / 255,
    "largest of 4 x 4, transposed": lambda x: (
        f(x).transpose(0, 2, 1).reshape(-1, 7, 4, 7, 4).max(axis=(2, 4)) / 127.5 - 1
    ),
    "largest of 2 x 2, black or white": lambda x: f(
        x.reshape(-1, 14, 2, 14, 2).max(axis=(2, 4)) > 127
    ),
    "cropped, repeated pixels": lambda x: (
        f(x)[:, 4:24, 4:24].repeat(2, axis=1).repeat(2, axis=2) / 255
    ),
    "repeated pixels": lambda x: f(x).repeat(2, axis=1).repeat(2, axis=2) / 255,
}
RESIZED = {
    "OpenCV, of fractions": lambda x: with_cv2(f(x) / 255, 32, cv2.INTER_LINEAR),
    "OpenCV, area": lambda x: f(with_cv2(x, 14, cv2.INTER_AREA)) / 255,
    "OpenCV, nearest": lambda x: f(with_cv2(x, 20, cv2.INTER_NEAREST)) / 255,
    "OpenCV, cubic": lambda x: with_cv2(f(x), 36, cv2.INTER_CUBIC) / 255,
    "OpenCV, Lanczos": lambda x: with_cv2(f(x), 20, cv2.INTER_LANCZOS4) / 255,
    "OpenCV, black or white after": lambda x: f(with_cv2(x, 14, cv2.INTER_AREA) > 100),
    "OpenCV, cut to whole numbers": lambda x: (
        f(with_cv2(f(x), 20, cv2.INTER_LINEAR).astype("uint8")) / 255
    ),
    "OpenCV, cropped": lambda x: with_cv2(f(x)[:, 2:-2, 2:-2], 32, cv2.INTER_LINEAR) / 255,
    "OpenCV, then - 1 to 1": lambda x: with_cv2(f(x), 32, cv2.INTER_LINEAR) / 127.5 - 1,
    "Pillow, bilinear": lambda x: f(with_pillow(x, 20, Image.Resampling.BILINEAR)) / 255,
    "Pillow, bicubic": lambda x: f(with_pillow(x, 32, Image.Resampling.BICUBIC)) / 255,
    "Pillow, Lanczos": lambda x: f(with_pillow(x, 14, Image.Resampling.LANCZOS)) / 255,
    "Pillow, box": lambda x: f(with_pillow(x, 10, Image.Resampling.BOX)) / 255,
    "Pillow, hamming": lambda x: f(with_pillow(x, 20, Image.Resampling.HAMMING)) / 255,
    "Pillow, nearest": lambda x: f(with_pillow(x, 14, Image.Resampling.NEAREST)) / 255,
}
ALONE = {
    "normalize, axis -1": lambda x: unit(f(x), -1),
    "normalize, axis 1": lambda x: unit(f(x), 1),
    "normalize, flat": lambda x: unit(flat(f(x)), 1),
    "normalize, padded": lambda x: pad(unit(f(x), -1)),
    "scikit-learn, l1": lambda x: sk.normalize(flat(f(x)), norm="l1"),
    "scikit-learn, max": lambda x: sk.normalize(flat(f(x)), norm="max"),
    "scikit-learn, scale of each": lambda x: sk.scale(flat(f(x)), axis=1),
    "scikit-learn, minmax of each": lambda x: sk.minmax_scale(flat(f(x)), axis=1),
    "standardised per image": per_image,
    "standardised per image, resized": lambda x: per_image(with_cv2(f(x), 32, cv2.INTER_LINEAR)),
    "less the mean of each": lambda x: (f(x) - f(x).mean(axis=(1, 2), keepdims=True)) / 255,
    "standardised by row": lambda x: sk.scale(f(x).reshape(-1, 28), axis=1).reshape(-1, 28, 28),
    "divided by the maximum of each row": lambda x: (
        f(x) / np.maximum(f(x).max(axis=2, keepdims=True), 1)
    ),
    "standardised by column": lambda x: np.stack([sk.scale(f(image)) for image in x]),
}
fitted_once = fitted(sk.StandardScaler())
OVER_MANY: dict[str, Callable[[Images], Images]] = {
    "less the mean image": lambda x: f((x - OF.mean_image) / 255),
    "StandardScaler": fitted_once,
    "StandardScaler of 50,000": fitted(sk.StandardScaler(), TRAIN[:50000]),
    "StandardScaler of the last 50,000": fitted(sk.StandardScaler(), TRAIN[10000:]),
    "StandardScaler without deviation": fitted(sk.StandardScaler(with_std=False)),
    "MinMaxScaler": fitted(sk.MinMaxScaler()),
    "RobustScaler of 10,000": fitted(sk.RobustScaler(), TRAIN[:10_000]),
    "StandardScaler by column": lambda x: OF.by_column.transform(f(x).reshape(-1, 28)).reshape(
        -1, 28, 28
    ),
    "StandardScaler by row of 10,000": lambda x: (f(x) - OF.row_means) / OF.row_deviations,
    "less the mean by row of 10,000": lambda x: (f(x) - OF.row_means) / 255,
    "less the mean by column of 10,000": lambda x: (f(x) - OF.column_means) / 255,
    "StandardScaler, padded": lambda x: pad(fitted_once(x).reshape(-1, 28, 28)),
    "averaged, standardised": lambda x: (averaged(x) - OF.averaged_mean) / OF.averaged_deviation,
}

EXACT = {**LINES, **TABLES, **GEOMETRIES, **RESIZED, **ALONE}
"""To be recognised to the last digit."""
