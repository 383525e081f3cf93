"""Layers and operations that only move or repeat numbers, and layers that act only in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import EllipsisType

import numpy as np

from autograder.network.layer import (
    ELEMENTWISE_WORK,
    Array,
    LayerSpec,
    Plan,
    Planner,
    Shape,
    takes,
    volume,
)

NOISE = """
Identity Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout
GaussianNoise ActivityRegularization
"""
# Not RandomCrop or AutoContrast: they act always.
AUGMENTATION = """
AugMix CutMix Equalization MixUp RandAugment RandomBrightness RandomColorDegeneration
RandomColorJitter RandomContrast RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur
RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom Solarization
"""
IDENTITIES = (*NOISE.split(), *AUGMENTATION.split())
"""Kinds that change their input in training only."""


@takes()
def plan_identity(spec: LayerSpec, shape: Shape) -> Plan:
    """Layers that change nothing once training is over."""
    return Plan(output_shape=shape, run=lambda inputs: inputs[0])


def reshaped(shape: Shape) -> Plan:
    """The same numbers in another shape."""
    # The input may be a view of another order, and is copied then.
    return Plan.by_element(shape, lambda x: x.reshape(len(x), *shape))


@takes()
def plan_flatten(spec: LayerSpec, shape: Shape) -> Plan:
    """``Flatten``; what has its channels first is flattened as if they were last."""
    options = ("channels_last", "channels_first")
    flat = reshaped((volume(shape),))
    if spec.choice("data_format", options, default="channels_last") == "channels_last":
        return flat
    return Plan.by_element(flat.output_shape, lambda x: flat.run([np.moveaxis(x, 1, -1)]))


@takes()
def plan_reshape(spec: LayerSpec, shape: Shape) -> Plan:
    """``Reshape``, also with one extent of -1."""
    target = list(spec.integers("target_shape", low=-1))
    if target.count(-1) == 1:
        rest = -volume(tuple(target))
        if rest > 0:
            target[target.index(-1)] = volume(shape) // rest
    if volume(tuple(target)) != volume(shape) or min(target, default=1) < 1:
        raise spec.refusal(f"cannot give its input of shape {shape} the shape {tuple(target)}")
    return reshaped(tuple(target))


def transposed(shape: Shape, order: Sequence[int]) -> Plan:
    """Axes in another order, without the batch's."""
    counted = (0, *(axis + 1 for axis in order))
    return Plan.by_element(
        tuple(shape[axis] for axis in order), lambda x: np.ascontiguousarray(x.transpose(counted))
    )


@takes()
def plan_permute(spec: LayerSpec, shape: Shape) -> Plan:
    """``Permute``."""
    dims = spec.integers("dims", low=1)
    if sorted(dims) != list(range(1, len(shape) + 1)):
        raise spec.refusal(f"cannot put the axes of an input of shape {shape} into order {dims}")
    return transposed(shape, [dim - 1 for dim in dims])


@takes()
def plan_repeat(spec: LayerSpec, shape: Shape) -> Plan:
    """``RepeatVector``."""
    if len(shape) != 1:
        raise spec.refusal(f"repeats vectors, but gets an input of shape {shape}")
    count = spec.integer("n")
    return Plan.by_element((count, shape[0]), lambda x: np.repeat(x[:, None, :], count, axis=1))


def _margins(spec: LayerSpec, key: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) from any of the three forms that Keras saves."""
    value = spec.config.get(key)
    rows, columns = value if isinstance(value, list) and len(value) == 2 else (value, value)
    sides = LayerSpec(name=spec.name, kind=spec.kind, config={"rows": rows, "columns": columns})
    return sides.pair("rows", low=0), sides.pair("columns", low=0)


@takes(LayerSpec.check_image)
def plan_padding(spec: LayerSpec, shape: Shape) -> Plan:
    """``ZeroPadding2D``."""
    height, width, channels = shape
    rows, columns = _margins(spec, "padding")
    output_shape = (height + sum(rows), width + sum(columns), channels)
    return Plan.by_element(output_shape, lambda x: padded(x, rows, columns, 0.0))


def padded(x: Array, rows: tuple[int, int], columns: tuple[int, int], value: float) -> Array:
    """Images of shape (n, height, width, channels) with margins of `value` around them."""
    if not any((*rows, *columns)):
        return x
    return np.pad(x, ((0, 0), rows, columns, (0, 0)), constant_values=np.float32(value))


@takes(LayerSpec.check_image)
def plan_cropping(spec: LayerSpec, shape: Shape) -> Plan:
    """``Cropping2D``."""
    height, width, channels = shape
    (top, bottom), (left, right) = _margins(spec, "cropping")
    output_shape = (height - top - bottom, width - left - right, channels)
    if min(output_shape) < 1:
        raise spec.refusal(f"crops its input of shape {shape} to nothing")
    return Plan.by_element(
        output_shape, lambda x: x[:, top : height - bottom, left : width - right]
    )


PLANNERS: dict[str, Planner] = {
    **dict.fromkeys(IDENTITIES, plan_identity),
    "Flatten": plan_flatten,
    "Reshape": plan_reshape,
    "Permute": plan_permute,
    "RepeatVector": plan_repeat,
    "ZeroPadding2D": plan_padding,
    "Cropping2D": plan_cropping,
}


MAX_PADDING = 10_000
"""Along one axis; what it makes of an image is limited as every layer's output is."""


@takes()
def plan_new_shape(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.reshape(x, (-1, ...))``."""
    target = spec.config.get("newshape")
    if isinstance(target, list) and len(target) > 1 and target[0] in (None, -1):
        return plan_reshape(replace(spec, config={"target_shape": target[1:]}), [shape])
    raise spec.refusal(
        f"does not keep the images apart. Use keras.ops.reshape(x, (-1, {volume(shape)})), or a "
        "Reshape or Flatten layer"
    )


@takes()
def plan_expand(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.expand_dims(x, axis)``."""
    extents = list(shape)
    # Counted in the output; the last of the new axes may come after all others.
    for axis in sorted(spec.axes("axis", len(shape) + len(_listed(spec, "axis")))):
        extents.insert(axis, 1)
    return reshaped(tuple(extents))


@takes()
def plan_squeeze(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.squeeze(x, axis)``."""
    if spec.config.get("axis") is None:
        axes = tuple(i for i, extent in enumerate(shape) if extent == 1)
    else:
        axes = spec.axes("axis", len(shape))
    if any(shape[axis] != 1 for axis in axes):
        raise spec.refusal(f"cannot drop axes of an input of shape {shape} that are not of 1")
    return reshaped(tuple(extent for i, extent in enumerate(shape) if i not in axes))


def _listed(spec: LayerSpec, key: str) -> Sequence[object]:
    value = spec.config.get(key)
    return value if isinstance(value, list) else [value]


@takes()
def plan_transpose(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.transpose(x, (0, ...))``."""
    axes = spec.config.get("axes")
    if not isinstance(axes, list) or axes[:1] != [0] or len(axes) != len(shape) + 1:
        raise spec.refusal(
            "does not leave the first axis, that of the images, where it is. Give it all axes, as "
            "in keras.ops.transpose(x, (0, 2, 1))"
        )
    order = replace(spec, config={"axes": axes[1:]}).axes("axes", len(shape))
    if len(order) != len(shape):
        raise spec.refusal("does not name every axis")
    return transposed(shape, order)


@takes()
def plan_flip(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.flip(x, axis)``."""
    axes = tuple(axis + 1 for axis in spec.axes("axis", len(shape)))
    return Plan.by_element(shape, lambda x: np.flip(x, axes))


@takes()
def plan_item(spec: LayerSpec, shape: Shape) -> Plan:
    """``x[:, 2:5, 0]``: slices and single places, of all images."""
    keys = spec.config.get("key")
    keys = list(keys) if isinstance(keys, list) else [keys]
    if len(keys) > 16:
        raise spec.refusal("is indexed by too many things")
    index = tuple(_index(spec, key) for key in keys)
    if not index or index[0] not in (slice(None), Ellipsis):
        raise spec.refusal("does not keep all images. Begin the index with a colon, as in x[:, 0]")
    try:
        # An array of that shape that takes no memory.
        probe = np.broadcast_to(np.float32(0), (2, *shape))[index]
    except IndexError as error:
        raise spec.refusal(f"is indexed where its input, of shape {shape}, has nothing") from error
    if probe.ndim == 0 or probe.shape[0] != 2 or 0 in probe.shape:
        raise spec.refusal("does not keep all images. Begin the index with a colon, as in x[:, 0]")
    return Plan.by_element(probe.shape[1:], lambda x: x[index])


def _index(spec: LayerSpec, raw: object) -> slice | int | EllipsisType | None:
    """One part of an index, as Keras saves it."""
    if raw is None or type(raw) is int:
        return raw
    kind = raw.get("class_name") if isinstance(raw, dict) else None
    if kind == "__ellipsis__":
        return Ellipsis
    config = raw.get("config") if isinstance(raw, dict) else None
    if kind == "__slice__" and isinstance(config, dict):
        parts = [config.get(part) for part in ("start", "stop", "step")]
        if all(part is None or type(part) is int for part in parts):
            return slice(*parts)
    raise spec.refusal("is indexed by something else than whole numbers and slices")


@takes()
def plan_pad(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.pad(x, ((0, 0), ...))`` with one number."""
    spec.choice("mode", ("constant",), default="constant")
    value = spec.number("constant_values", default=0.0)
    width = spec.config.get("pad_width")
    sides = width if isinstance(width, list) else []
    margins = [replace(spec, config={"pad_width": pair}).pair("pad_width", low=0) for pair in sides]
    if len(margins) != len(shape) + 1 or margins[0] != (0, 0):
        raise spec.refusal("does not leave the first axis, that of the images, as it is")
    if any(side > MAX_PADDING for pair in margins for side in pair):
        raise spec.refusal(f"adds more than {MAX_PADDING:,} numbers along an axis")
    output_shape = tuple(
        extent + sum(pair) for extent, pair in zip(shape, margins[1:], strict=True)
    )
    return Plan.by_element(
        output_shape, lambda x: np.pad(x, margins, constant_values=np.float32(value))
    )


def plan_stack(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``keras.ops.stack([x, y], axis)``."""
    spec.weights()
    if len(set(shapes)) != 1:
        raise spec.refusal("cannot stack inputs of different shapes")
    (axis,) = spec.axes("axis", len(shapes[0]) + 1)
    extents = list(shapes[0])
    extents.insert(axis, len(shapes))

    def run(inputs: Sequence[Array]) -> Array:
        return np.stack(inputs, axis=axis + 1)

    return Plan(
        output_shape=tuple(extents), work=ELEMENTWISE_WORK * volume(tuple(extents)), run=run
    )


OPERATIONS: dict[str, Planner] = {
    "Reshape": plan_new_shape,
    "ExpandDims": plan_expand,
    "Squeeze": plan_squeeze,
    "Transpose": plan_transpose,
    "Flip": plan_flip,
    "GetItem": plan_item,
    "Pad": plan_pad,
    "Stack": plan_stack,
}
