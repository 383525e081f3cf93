"""``Resizing``, ``CenterCrop`` and ``UpSampling2D``, as TensorFlow resizes images.

Each way of resizing is linear along each axis, so that it is one matrix of new by old extent. Those
matrices follow from the sizes alone: nothing in them is the student's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TypeAlias

import numpy as np

from autograder.network.kernels import Matrix, area, centres, cubic, picked, sampled, triangle
from autograder.network.layer import (
    ELEMENTWISE_WORK,
    MAX_WORK,
    Array,
    LayerSpec,
    Plan,
    Planner,
    Shape,
    takes,
    too_large,
    volume,
)

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


def _resized(image: Shape, size: tuple[int, int], kernel: Kernel) -> Plan:
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

    return Plan(
        output_shape=output_shape,
        work=work,
        scratch=rows * width * channels + 2 * volume(output_shape),
        run=run,
    )


def _cropped_and_resized(image: Shape, size: tuple[int, int], kernel: Kernel) -> Plan:
    """The largest part in the middle that is as wide for its height as `size`, resized to it."""
    height, width, channels = image
    rows, columns = size
    part = (
        max(min(height, width * rows // columns), 1),
        max(min(width, height * columns // rows), 1),
        channels,
    )
    top, left = (height - part[0]) // 2, (width - part[1]) // 2
    plan = _resized(part, size, kernel)
    return replace(
        plan,
        work=plan.work + ELEMENTWISE_WORK * volume(part),
        scratch=plan.scratch + volume(part),
        run=lambda inputs: plan.run([inputs[0][:, top : top + part[0], left : left + part[1]]]),
    )


@takes(LayerSpec.check_image)
def plan_resizing(spec: LayerSpec, image: Shape) -> Plan:
    """``Resizing``."""
    size = (spec.integer("height"), spec.integer("width"))
    interpolation = spec.config.get("interpolation", "bilinear")
    if not isinstance(interpolation, str) or interpolation not in _KERNELS:
        raise spec.refusal(
            f"resizes in a way that the grader does not rebuild. Use interpolation='bilinear', "
            f"Keras's default, or one of {', '.join(_KERNELS)}"
        )
    for option in ("pad_to_aspect_ratio", "antialias"):
        if spec.flag(option, default=False):
            raise spec.refusal(f"resizes with {option}=True, which the grader does not rebuild")
    crops = spec.flag("crop_to_aspect_ratio", default=False)
    return (_cropped_and_resized if crops else _resized)(image, size, _KERNELS[interpolation])


@takes(LayerSpec.check_image)
def plan_center_crop(spec: LayerSpec, image: Shape) -> Plan:
    """``CenterCrop``, which enlarges what is too small."""
    rows, columns = spec.integer("height"), spec.integer("width")
    if rows > image[0] or columns > image[1]:
        return _cropped_and_resized(image, (rows, columns), _KERNELS["bilinear"])
    top, left = (image[0] - rows) // 2, (image[1] - columns) // 2
    return Plan.by_element(
        (rows, columns, image[2]), lambda x: x[:, top : top + rows, left : left + columns]
    )


@takes(LayerSpec.check_image)
def plan_up_sampling(spec: LayerSpec, image: Shape) -> Plan:
    """``UpSampling2D``, which by default repeats each pixel."""
    down, across = spec.pair("size", default=2)
    ways = ("nearest", "bilinear", "bicubic")
    way = spec.choice("interpolation", ways, default="nearest")
    return _resized(image, (down * image[0], across * image[1]), _KERNELS[way])


PLANNERS: dict[str, Planner] = {
    "Resizing": plan_resizing,
    "CenterCrop": plan_center_crop,
    "UpSampling2D": plan_up_sampling,
}
