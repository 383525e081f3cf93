"""Layers that make images smaller or larger: pooling and resizing. And layers in 1D.

Convolution and pooling along one axis are the same as on images of a single row.

Each way of resizing is linear along each axis, so that it is one matrix of new by old extent. Those
matrices follow from the sizes alone: nothing in them is the student's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TypeAlias

import numpy as np

from autograder.network import layers_dense, layers_shape
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
from autograder.network.layers_activation import activation_of
from autograder.network.layers_dense import windows_of

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


@takes(LayerSpec.check_image)
def plan_pooling(spec: LayerSpec, image: Shape) -> Plan:
    """``MaxPooling2D`` and ``AveragePooling2D``, in which cells of the margin do not count."""
    size = spec.pair("pool_size")
    strides = size if spec.config.get("strides") is None else spec.pair("strides")
    windows = windows_of(spec, image, size, strides)
    output_shape = (*windows.places, image[2])
    is_max = spec.kind.startswith("Max")

    def largest(x: Array) -> Array:
        result = np.full((len(x), *output_shape), -np.inf, np.float32)
        for _, _, cells in windows.cells(windows.pad(x, -np.inf)):
            np.maximum(result, cells, out=result)
        return result

    def total(x: Array) -> Array:
        result = np.zeros((len(x), *windows.places, x.shape[-1]), np.float32)
        for _, _, cells in windows.cells(windows.pad(x)):
            result += cells
        return result

    def mean(x: Array) -> Array:
        return total(x) / total(np.ones((1, *x.shape[1:3], 1), np.float32))

    return Plan(
        output_shape=output_shape,
        work=(1 if is_max else 2) * windows.work(2 * image[2]),
        scratch=windows.padded_cells * image[2] + volume(output_shape),
        run=lambda inputs: (largest if is_max else mean)(inputs[0]),
    )


@takes(LayerSpec.check_image)
def plan_global(spec: LayerSpec, image: Shape) -> Plan:
    """``GlobalMaxPooling2D`` and ``GlobalAveragePooling2D``."""
    keep = spec.flag("keepdims", default=False)
    is_max = spec.kind.startswith("GlobalMax")

    def run(x: Array) -> Array:
        return np.asarray((x.max if is_max else x.mean)(axis=(1, 2), keepdims=keep))

    return Plan.by_element((1, 1, image[2]) if keep else (image[2],), run, over=image)


_ALONG_THE_AXIS = ("kernel_size", "strides", "dilation_rate", "pool_size")


def _on_one_row(planner: Planner) -> Planner:
    """Plan a layer on sequences of shape (steps, channels) by `planner`, which takes images."""

    def plan(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
        shape = spec.only_input(shapes)
        spec.check_sequence(shape, "channels")
        spec.check_channels_last()
        config = dict(spec.config)
        for key in _ALONG_THE_AXIS:
            if config.get(key) is not None:
                config[key] = [1, *spec.integers(key, low=1)]
        for key in ("padding", "cropping"):
            if not isinstance(config.get(key, ""), str):
                config[key] = [[0, 0], config[key]]
        learned = 0
        if config.get("activation") is not None:
            # Planned apart: it may name axes, and they are the sequence's.
            learned = len(activation_of(spec, (*shape[:1], 2)).weights)
            config["activation"] = None
        own = spec.arrays[: len(spec.arrays) - learned]
        arrays = tuple(array[None] if array.ndim == 3 else array for array in own)
        row = planner(replace(spec, config=config, arrays=arrays), [(1, *shape)])
        # Global pooling without keepdims leaves the channels alone.
        keeps_row = len(row.output_shape) == 3
        activation = activation_of(spec, row.output_shape[keeps_row:])
        replace(spec, arrays=spec.arrays[len(own) :]).weights(*activation.weights)

        def run(x: Array) -> Array:
            result = row.run([x[:, None]])
            return result[:, 0] if keeps_row else result

        whole = activation.after(run, row.work, scratch=row.scratch)
        return whole if "activation" in spec.config else replace(whole, activation=None)

    return plan


_ON_IMAGES: dict[str, Planner] = {
    "MaxPooling2D": plan_pooling,
    "AveragePooling2D": plan_pooling,
    "GlobalMaxPooling2D": plan_global,
    "GlobalAveragePooling2D": plan_global,
}
_IN_ONE_DIMENSION = {
    **{k: v for k, v in layers_dense.PLANNERS.items() if k.endswith("2D")},
    **{k: layers_shape.PLANNERS[k] for k in ("ZeroPadding2D", "Cropping2D")},
    **_ON_IMAGES,
}
PLANNERS: dict[str, Planner] = {
    "Resizing": plan_resizing,
    "CenterCrop": plan_center_crop,
    "UpSampling2D": plan_up_sampling,
    **_ON_IMAGES,
    **{k.replace("2D", "1D"): _on_one_row(plan) for k, plan in _IN_ONE_DIMENSION.items()},
}
