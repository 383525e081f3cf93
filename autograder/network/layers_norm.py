"""Layers that shift and scale their input, with fixed, learned or measured numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.network.limits import ELEMENTWISE_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, finite, volume

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
    return Plan(
        output_shape=shape,
        work=2 * ELEMENTWISE_WORK * volume(shape),
        run=lambda inputs: inputs[0] * scale + offset,
    )


def plan_rescaling(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Rescaling``."""
    shape = spec.only_input(shapes)
    spec.weights()
    scale, offset = _values(spec, "scale"), _values(spec, "offset")
    if np.broadcast_shapes((1, *shape), scale.shape, offset.shape) != (1, *shape):
        raise spec.refusal(f"has a `scale` or `offset` that does not fit its input, {shape}")
    return _affine(shape, scale, offset)


def plan_normalization(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Normalization``, with statistics that were adapted or given."""
    shape = spec.only_input(shapes)
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
    return Plan(
        output_shape=shape,
        work=2 * ELEMENTWISE_WORK * volume(shape),
        run=lambda inputs: (inputs[0] - mean) / deviation,
    )


def _along(spec: LayerSpec, key: str, axes: tuple[int, ...], kept: Shape) -> Array:
    """Numbers from the configuration, laid along the last of the kept axes."""
    values = _values(spec, key)
    extents = [1] * len(kept)
    if values.ndim > len(axes):
        raise spec.refusal(f"has a `{key}` with more axes than `axis` names")
    for back in range(1, values.ndim + 1):
        extents[axes[-back]] = values.shape[-back]
    return np.broadcast_to(values.reshape(extents), kept)


def plan_batch(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``BatchNormalization``, with its moving statistics."""
    shape = spec.only_input(shapes)
    (axis,) = spec.axes("axis", len(shape))
    size = (shape[axis],)
    has_scale, has_center = spec.flag("scale", default=True), spec.flag("center", default=True)
    names = ["gamma"] * has_scale + ["beta"] * has_center + ["moving_mean", "moving_variance"]
    if spec.flag("renorm", default=False):
        names += ["moving_stddev", "renorm_mean", "renorm_stddev"]
    arrays = dict(zip(names, spec.weights(*((name, size) for name in names)), strict=True))
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


def plan_layer(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``LayerNormalization``, also with its deprecated `rms_scaling`."""
    shape = spec.only_input(shapes)
    axes, size, along = _normalized_axes(spec, shape)
    rms = spec.flag("rms_scaling", default=False)
    names = ["gamma"] * (spec.flag("scale", default=True) or rms)
    names += ["beta"] * (spec.flag("center", default=True) and not rms)
    arrays = dict(zip(names, spec.weights(*((name, size) for name in names)), strict=True))
    gamma = arrays.get("gamma", np.ones(size, np.float32)).reshape(along)
    beta = arrays.get("beta", np.zeros(size, np.float32)).reshape(along)
    epsilon = np.float32(spec.number("epsilon"))

    def run(inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        centred = x - x.mean(axis=axes, keepdims=True)
        variance = np.square(centred).mean(axis=axes, keepdims=True)
        result: Array = (x if rms else centred) / np.sqrt(variance + epsilon) * gamma + beta
        return result

    return Plan(output_shape=shape, work=8 * ELEMENTWISE_WORK * volume(shape), run=run)


def plan_group(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``GroupNormalization``: channels in groups, each group of an image by itself."""
    shape = spec.only_input(shapes)
    (axis,) = spec.axes("axis", len(shape))
    channels = shape[axis]
    groups = channels if spec.config.get("groups") == -1 else spec.integer("groups", default=32)
    if channels % groups:
        raise spec.refusal(f"cannot part its {channels} channels into {groups} equal groups")
    names = ["gamma"] * spec.flag("scale", default=True)
    names += ["beta"] * spec.flag("center", default=True)
    arrays = dict(zip(names, spec.weights(*((name, (channels,)) for name in names)), strict=True))
    along = tuple(extent if i == axis else 1 for i, extent in enumerate(shape))
    gamma = arrays.get("gamma", np.ones(channels, np.float32)).reshape(along)
    beta = arrays.get("beta", np.zeros(channels, np.float32)).reshape(along)
    epsilon = np.float32(spec.number("epsilon", default=1e-3))
    grouped = (*shape[:axis], groups, channels // groups, *shape[axis + 1 :])
    axes = tuple(i for i in range(1, len(grouped) + 1) if i != axis + 1)

    def run(inputs: Sequence[Array]) -> Array:
        x = inputs[0].reshape(-1, *grouped)
        centred = x - x.mean(axis=axes, keepdims=True)
        variance = np.square(centred).mean(axis=axes, keepdims=True)
        normalized: Array = (centred / np.sqrt(variance + epsilon)).reshape(-1, *shape)
        return normalized * gamma + beta

    return Plan(
        output_shape=shape,
        work=8 * ELEMENTWISE_WORK * volume(shape),
        scratch=2 * volume(shape),
        run=run,
    )


def plan_rms(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``RMSNormalization``."""
    shape = spec.only_input(shapes)
    axes, size, along = _normalized_axes(spec, shape)
    if axes != tuple(range(len(shape) - len(axes) + 1, len(shape) + 1)):
        # Keras does not lay the scale along other axes than the last.
        raise spec.refusal("normalizes other axes than the last ones; use axis=-1")
    (scale,) = spec.weights(("scale", size))
    scale = scale.reshape(along)
    epsilon = np.float32(spec.number("epsilon"))

    def run(inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        result: Array = x / np.sqrt(np.square(x).mean(axis=axes, keepdims=True) + epsilon) * scale
        return result

    return Plan(output_shape=shape, work=6 * ELEMENTWISE_WORK * volume(shape), run=run)


def _normalized_axes(spec: LayerSpec, shape: Shape) -> tuple[tuple[int, ...], Shape, Shape]:
    """Axes with the batch counted; the weights' shape; and that shape laid along the input."""
    # Keras lays the weights out in the order in which the axes are saved.
    axes = spec.axes("axis", len(shape))
    size = tuple(shape[axis] for axis in axes)
    along = tuple(extent if i in axes else 1 for i, extent in enumerate(shape))
    return tuple(axis + 1 for axis in axes), size, along


PLANNERS: dict[str, Planner] = {
    "Rescaling": plan_rescaling,
    "Normalization": plan_normalization,
    "BatchNormalization": plan_batch,
    "LayerNormalization": plan_layer,
    "GroupNormalization": plan_group,
    "RMSNormalization": plan_rms,
}
