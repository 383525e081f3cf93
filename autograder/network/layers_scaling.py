"""Layers that shift and scale their input's numbers, and layers that resize images."""

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
    finite,
    takes,
    too_large,
    volume,
)

KERAS_EPSILON = 1e-7
"""``keras.config.epsilon()``, unless the student changed it."""

MAX_VALUES = 100_000
"""Numbers in a configuration's list; an image has 784."""


def _values(spec: LayerSpec, key: str) -> Array:
    """A number, or nested lists of numbers of equal lengths, from the configuration."""
    value = spec.config.get(key)
    if isinstance(value, dict) and value.get("class_name") == "__numpy__":
        inner = value.get("config")
        value = inner.get("value") if isinstance(inner, dict) else None
    shape: list[int] = []
    items = [value]
    while items and isinstance(items[0], list) and len(shape) < 4:
        shape.append(len(items[0]))
        if len(items) * shape[-1] > MAX_VALUES:
            break
        items = [
            part
            for item in items
            if isinstance(item, list) and len(item) == shape[-1]
            for part in item
        ]
    numbers = [finite(item) for item in items]
    if len(numbers) != volume(tuple(shape)) or not numbers or None in numbers:
        raise spec.refusal(f"has a `{key}` that is neither a number nor a list of numbers")
    return np.array(numbers, dtype=np.float32).reshape(shape)


def _affine(shape: Shape, scale: Array, offset: Array) -> Plan:
    return Plan.by_element(shape, lambda x: x * scale + offset, passes=2)


@takes()
def plan_rescaling(spec: LayerSpec, shape: Shape) -> Plan:
    """``Rescaling``."""
    scale, offset = _values(spec, "scale"), _values(spec, "offset")
    if np.broadcast_shapes((1, *shape), scale.shape, offset.shape) != (1, *shape):
        raise spec.refusal(f"has a `scale` or `offset` that does not fit its input, {shape}")
    return _affine(shape, scale, offset)


@takes(learns=True)
def plan_normalization(spec: LayerSpec, shape: Shape) -> Plan:
    """``Normalization``, with statistics that were adapted or given."""
    axis = spec.config.get("axis", -1)
    axes = () if axis is None or axis == [] else tuple(sorted(spec.axes("axis", len(shape))))
    kept = tuple(extent if i in axes else 1 for i, extent in enumerate(shape))
    if spec.config.get("mean") is None:
        measured = tuple(shape[i] for i in axes)
        mean, variance, _ = spec.weights(("mean", measured), ("variance", measured), ("count", ()))
        mean, variance = mean.reshape(kept), variance.reshape(kept)
    else:
        spec.weights()
        mean, variance = (_along(spec, key, axes, kept) for key in ("mean", "variance"))
    deviation = np.maximum(np.sqrt(variance), np.float32(KERAS_EPSILON))
    if spec.flag("invert", default=False):
        return _affine(shape, deviation, mean)
    return Plan.by_element(shape, lambda x: (x - mean) / deviation, passes=2)


def _along(spec: LayerSpec, key: str, axes: tuple[int, ...], kept: Shape) -> Array:
    """Numbers from the configuration, laid along the last of the kept axes."""
    values = _values(spec, key)
    extents = [1] * len(kept)
    if values.ndim > len(axes):
        raise spec.refusal(f"has a `{key}` with more axes than `axis` names")
    for back in range(1, values.ndim + 1):
        extents[axes[-back]] = values.shape[-back]
    return np.broadcast_to(values.reshape(extents), kept)


@takes(learns=True)
def plan_batch(spec: LayerSpec, shape: Shape) -> Plan:
    """``BatchNormalization``, with its moving statistics."""
    (axis,) = spec.axes("axis", len(shape))
    has_scale, has_center = spec.flag("scale", default=True), spec.flag("center", default=True)
    renorm = spec.flag("renorm", default=False)
    arrays = spec.learned(
        (shape[axis],),
        gamma=has_scale,
        beta=has_center,
        moving_mean=True,
        moving_variance=True,
        moving_stddev=renorm,
        renorm_mean=renorm,
        renorm_stddev=renorm,
    )
    # In float64 once, so that one multiplication and one addition for each image are enough.
    scale = 1 / np.sqrt(arrays["moving_variance"].astype(np.float64) + spec.number("epsilon"))
    scale = scale * arrays.get("gamma", np.float32(1))
    offset = arrays.get("beta", np.float32(0)) - arrays["moving_mean"] * scale
    along = tuple(extent if i == axis else 1 for i, extent in enumerate(shape))
    return _affine(
        shape,
        scale.astype(np.float32).reshape(along),
        offset.astype(np.float32).reshape(along),
    )


@takes(learns=True)
def plan_by_image(spec: LayerSpec, shape: Shape) -> Plan:
    """``LayerNormalization``, ``RMSNormalization`` and ``GroupNormalization``.

    All are computed on each image by itself. Channels in groups are an axis more.
    """
    axes = spec.axes("axis", len(shape))
    is_group, is_rms = spec.kind == "GroupNormalization", spec.kind == "RMSNormalization"
    by_rms = is_rms or spec.flag("rms_scaling", default=False)
    if is_rms and axes != tuple(range(len(shape) - len(axes), len(shape))):
        # Keras does not lay the scale along other axes than the last.
        raise spec.refusal("normalizes other axes than the last ones; use axis=-1")
    # Keras lays the weights out in the order in which the axes are saved.
    size = tuple(shape[axis] for axis in axes)
    arrays = spec.learned(
        size,
        scale=is_rms,
        gamma=not is_rms and (by_rms or spec.flag("scale", default=True)),
        beta=not by_rms and spec.flag("center", default=True),
    )
    along = tuple(extent if i in axes else 1 for i, extent in enumerate(shape))
    ones = np.ones(size, np.float32)
    scale = arrays.get("scale", arrays.get("gamma", ones)).reshape(along)
    offset = arrays.get("beta", np.zeros_like(ones)).reshape(along)
    epsilon = np.float32(spec.number("epsilon", default=1e-3 if is_group else None))
    laid, over = _groups(spec, shape, axes) if is_group else (shape, axes)
    counted = tuple(axis + 1 for axis in over)

    def run(x: Array) -> Array:
        x = x.reshape(-1, *laid)
        centred = x if is_rms else x - x.mean(axis=counted, keepdims=True)
        square = np.square(centred).mean(axis=counted, keepdims=True)
        normalized = (x if by_rms else centred) / np.sqrt(square + epsilon)
        return np.asarray(normalized.reshape(-1, *shape) * scale + offset)

    return Plan.by_element(shape, run, passes=6 if is_rms else 8, scratch=2 * is_group)


def _groups(spec: LayerSpec, shape: Shape, axes: tuple[int, ...]) -> tuple[Shape, tuple[int, ...]]:
    """The shape in which the groups have an axis of their own, and all other axes of it."""
    (axis,) = axes
    channels = shape[axis]
    groups = channels if spec.config.get("groups") == -1 else spec.integer("groups", default=32)
    if channels % groups:
        raise spec.refusal(f"cannot part its {channels} channels into {groups} equal groups")
    laid = (*shape[:axis], groups, channels // groups, *shape[axis + 1 :])
    return laid, tuple(i for i in range(len(laid)) if i != axis)


# ---------------------------------------------------------------------------- resizing
# Each way is linear along each axis, so that it is one matrix of new by old extent. Those matrices
# follow from the sizes alone: nothing in them is the student's.

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
    "Rescaling": plan_rescaling,
    "Normalization": plan_normalization,
    "BatchNormalization": plan_batch,
    "LayerNormalization": plan_by_image,
    "GroupNormalization": plan_by_image,
    "RMSNormalization": plan_by_image,
    "Resizing": plan_resizing,
    "CenterCrop": plan_center_crop,
    "UpSampling2D": plan_up_sampling,
}
