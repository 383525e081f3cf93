"""``Resizing``, ``CenterCrop`` and ``UpSampling2D``, as TensorFlow resizes images.

Each way of resizing is linear along each axis, so that it is one matrix of new by old extent. Those
matrices follow from the sizes alone: nothing in them is the student's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np

from autograder.network.advice import too_large
from autograder.network.limits import ELEMENTWISE_WORK, MAX_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, volume

Kernel: TypeAlias = Callable[[int, int], Array]
"""From old and new extent to the matrix, of shape (new, old)."""

CUBIC_SHARPNESS = -0.5
"""Of Keys's cubic: Keys, 1981, https://doi.org/10.1109/TASSP.1981.1163711."""
CUBIC_STEPS = 1024
"""TensorFlow looks the cubic up in a table of so many steps for each pixel."""


def _centres(old: int, new: int) -> Array:
    """Where the new pixels' centres lie, in old pixels."""
    scale = np.float32(old) / np.float32(new)
    centres: Array = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale
    return centres


def _nearest(old: int, new: int) -> Array:
    sources = np.minimum(np.floor(_centres(old, new)).astype(int), old - 1)
    matrix: Array = np.eye(old, dtype=np.float32)[sources]
    return matrix


def _bilinear(old: int, new: int) -> Array:
    places = _centres(old, new) - np.float32(0.5)
    low = np.floor(places)
    share = places - low
    return _spread(old, [(low, 1 - share), (low + 1, share)])


def _spread(old: int, weighted: list[tuple[Array, Array]]) -> Array:
    """The matrix of these shares of these old pixels; beyond an edge its last pixel goes on."""
    matrix = np.zeros((len(weighted[0][0]), old), np.float32)
    rows = np.arange(len(matrix))
    for places, shares in weighted:
        matrix[rows, np.clip(places, 0, old - 1).astype(int)] += shares
    return matrix


def _bicubic(old: int, new: int) -> Array:
    places = _centres(old, new) - np.float32(0.5)
    low = np.floor(places)
    share = np.rint((places - low) * CUBIC_STEPS) / CUBIC_STEPS
    matrix = np.zeros((new, old), np.float32)
    rows = np.arange(new)
    for offset in (-1, 0, 1, 2):
        sources = low + offset
        inside = (sources >= 0) & (sources < old)
        columns = np.clip(sources, 0, old - 1).astype(int)
        matrix[rows, columns] += np.where(inside, _cubic(np.abs(share - offset)), 0)
    # What lies beyond the edge does not count.
    shares: Array = matrix / matrix.sum(axis=1, keepdims=True)
    return shares


def _cubic(distance: Array) -> Array:
    a = CUBIC_SHARPNESS
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))


def _area(old: int, new: int) -> Array:
    edges = np.arange(new + 1, dtype=np.float64) * old / new
    pixels = np.arange(old)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares: Array = (np.maximum(overlap, 0) * new / old).astype(np.float32)
    return shares


_KERNELS: dict[str, Kernel] = {
    "bilinear": _bilinear,
    "nearest": _nearest,
    "bicubic": _bicubic,
    "area": _area,
}


def _resized(
    spec: LayerSpec, image: tuple[int, int, int], size: tuple[int, int], kernel: Kernel
) -> Plan:
    """Images of shape `image` to those of `size`."""
    (height, width, channels), (rows, columns) = image, size
    output_shape = (rows, columns, channels)
    work = rows * channels * width * (height + columns) + 2 * ELEMENTWISE_WORK * volume(image)
    # The matrices count as well: they are made once, but of any size.
    work += rows * height + columns * width
    if work > MAX_WORK:
        raise too_large("operations", work, MAX_WORK)

    @cache
    def matrices() -> tuple[Array, Array]:
        return kernel(height, rows), kernel(width, columns).T.copy()

    def run(inputs: Sequence[Array]) -> Array:
        vertical, horizontal = matrices()
        (x,) = inputs
        tall = vertical @ x.reshape(len(x), height, width * channels)
        wide = tall.reshape(len(x) * rows, width, channels).transpose(0, 2, 1) @ horizontal
        return np.ascontiguousarray(wide.transpose(0, 2, 1)).reshape(len(x), *output_shape)

    spec.weights()
    return Plan(
        output_shape=output_shape,
        work=work,
        scratch=rows * width * channels + 2 * volume(output_shape),
        run=run,
    )


def _cropped_to_aspect(image: tuple[int, int, int], size: tuple[int, int]) -> tuple[slice, slice]:
    """The largest part in the middle of an image that is as wide for its height as `size`."""
    height, width, _ = image
    rows, columns = size
    cropped_height = max(min(height, width * rows // columns), 1)
    cropped_width = max(min(width, height * columns // rows), 1)
    top, left = (height - cropped_height) // 2, (width - cropped_width) // 2
    return slice(top, top + cropped_height), slice(left, left + cropped_width)


def _cropped_and_resized(
    spec: LayerSpec, image: tuple[int, int, int], size: tuple[int, int], kernel: Kernel
) -> Plan:
    rows, columns = _cropped_to_aspect(image, size)
    part = (rows.stop - rows.start, columns.stop - columns.start, image[2])
    plan = _resized(spec, part, size, kernel)
    return Plan(
        output_shape=plan.output_shape,
        work=plan.work + ELEMENTWISE_WORK * volume(part),
        scratch=plan.scratch + volume(part),
        run=lambda inputs: plan.run([inputs[0][:, rows, columns]]),
    )


def plan_resizing(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Resizing``."""
    image = spec.image_shape(spec.only_input(shapes))
    size = (spec.integer("height"), spec.integer("width"))
    interpolation = spec.config.get("interpolation", "bilinear")
    if not isinstance(interpolation, str) or interpolation not in _KERNELS:
        raise spec.refusal(
            f"resizes in a way that the grader does not rebuild. Use interpolation='bilinear', "
            f"Keras's default, or one of {', '.join(_KERNELS)}"
        )
    kernel = _KERNELS[interpolation]
    for option in ("pad_to_aspect_ratio", "antialias"):
        if spec.flag(option, default=False):
            raise spec.refusal(f"resizes with {option}=True, which the grader does not rebuild")
    if spec.flag("crop_to_aspect_ratio", default=False):
        return _cropped_and_resized(spec, image, size, kernel)
    return _resized(spec, image, size, kernel)


def plan_center_crop(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``CenterCrop``, which enlarges what is too small."""
    image = spec.image_shape(spec.only_input(shapes))
    size = (spec.integer("height"), spec.integer("width"))
    if size[0] > image[0] or size[1] > image[1]:
        return _cropped_and_resized(spec, image, size, _bilinear)
    top, left = (image[0] - size[0]) // 2, (image[1] - size[1]) // 2
    spec.weights()
    return Plan(
        output_shape=(*size, image[2]),
        work=ELEMENTWISE_WORK * size[0] * size[1] * image[2],
        run=lambda inputs: inputs[0][:, top : top + size[0], left : left + size[1]],
    )


def plan_up_sampling(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``UpSampling2D``, which by default repeats each pixel."""
    height, width, channels = spec.image_shape(spec.only_input(shapes))
    down, across = spec.pair("size", default=2)
    ways = ("nearest", "bilinear", "bicubic")
    way = spec.choice("interpolation", ways, default="nearest")
    size = (down * height, across * width)
    return _resized(spec, (height, width, channels), size, _KERNELS[way])


PLANNERS: dict[str, Planner] = {
    "Resizing": plan_resizing,
    "CenterCrop": plan_center_crop,
    "UpSampling2D": plan_up_sampling,
}
