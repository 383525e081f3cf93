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
from autograder.network.kernels import Matrix, area, centres, cubic, picked, sampled, triangle
from autograder.network.limits import ELEMENTWISE_WORK, MAX_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, volume

Kernel: TypeAlias = Callable[[int, int], Matrix]
"""From new and old extent to the matrix, of shape (new, old)."""

SINGLE = np.float32
"""TensorFlow computes the places of pixels in single precision."""
_KERNELS: dict[str, Kernel] = {
    "bilinear": sampled(triangle, 1, repeats_border=True, precision=SINGLE),
    "nearest": lambda new, old: picked(np.floor(centres(new, old, SINGLE)), old),
    "bicubic": sampled(cubic(-0.5), 2, steps=1024, precision=SINGLE),
    "area": area,
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
        vertical, horizontal = kernel(rows, height), kernel(columns, width).T
        return vertical.astype(np.float32), np.ascontiguousarray(horizontal, np.float32)

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
        return _cropped_and_resized(spec, image, size, _KERNELS["bilinear"])
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
