"""Layers that shift and scale their input, with fixed, learned or measured numbers."""

from __future__ import annotations

import numpy as np

from autograder.network.layer import Array, LayerSpec, Plan, Planner, Shape, finite, takes, volume

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


PLANNERS: dict[str, Planner] = {
    "Rescaling": plan_rescaling,
    "Normalization": plan_normalization,
    "BatchNormalization": plan_batch,
    "LayerNormalization": plan_by_image,
    "GroupNormalization": plan_by_image,
    "RMSNormalization": plan_by_image,
}
