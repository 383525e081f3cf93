"""Layers that only move, repeat or join numbers, and those that only act in training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias

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

IDENTITIES = (
    "Identity",
    # Noise and penalties.
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
    # Augmentation. Not RandomCrop or AutoContrast: they act always.
    "AugMix",
    "CutMix",
    "Equalization",
    "MixUp",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Solarization",
)
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
    if not any(rows) and not any(columns):
        return x
    n, height, width, channels = x.shape
    result = np.full(
        (n, height + sum(rows), width + sum(columns), channels), value, dtype=np.float32
    )
    result[:, rows[0] : rows[0] + height, columns[0] : columns[0] + width] = x
    return result


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


Joint: TypeAlias = Callable[[Array, Array], Array]
"""Of two arrays, number by number."""

MERGES: dict[str, Joint] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "Average": np.add,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
}


def joined_shape(spec: LayerSpec, shapes: Sequence[Shape]) -> Shape:
    """What inputs of these shapes broadcast to."""
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError as error:
        listed = " and ".join(str(shape) for shape in shapes[:8])
        raise spec.refusal(f"cannot join inputs of shapes {listed}") from error


def plan_merge(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Add``, ``Subtract``, ``Multiply``, ``Average``, ``Maximum`` and ``Minimum``."""
    if not shapes or (spec.kind == "Subtract" and len(shapes) != 2):
        raise spec.refusal(f"cannot join {len(shapes)} inputs")
    spec.weights()
    output_shape = joined_shape(spec, shapes)
    rank = len(output_shape)
    join = MERGES[spec.kind]
    share = np.float32(1 / len(shapes) if spec.kind == "Average" else 1)

    def run(inputs: Sequence[Array]) -> Array:
        # Inputs of fewer axes get them after the batch's.
        aligned = (x.reshape(len(x), *(1,) * (rank - x.ndim + 1), *x.shape[1:]) for x in inputs)
        result: Array = reduce(join, aligned) * share
        return result

    return Plan(
        output_shape=output_shape,
        work=ELEMENTWISE_WORK * (len(shapes) + 1) * volume(output_shape),
        scratch=volume(output_shape),
        run=run,
    )


def plan_concatenate(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Concatenate``."""
    if not shapes or len({len(shape) for shape in shapes}) != 1:
        raise spec.refusal("cannot join inputs of different numbers of axes")
    spec.weights()
    (axis,) = spec.axes("axis", len(shapes[0]))
    rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(rests) != 1:
        raise spec.refusal(f"cannot join inputs that differ in more than axis {axis + 1}")
    output_shape = list(shapes[0])
    output_shape[axis] = sum(shape[axis] for shape in shapes)
    return Plan(
        output_shape=tuple(output_shape),
        work=ELEMENTWISE_WORK * volume(tuple(output_shape)),
        run=lambda inputs: np.concatenate(inputs, axis=axis + 1),
    )


PLANNERS: dict[str, Planner] = {
    **dict.fromkeys(IDENTITIES, plan_identity),
    **dict.fromkeys(MERGES, plan_merge),
    "Concatenate": plan_concatenate,
    "Flatten": plan_flatten,
    "Reshape": plan_reshape,
    "Permute": plan_permute,
    "RepeatVector": plan_repeat,
    "ZeroPadding2D": plan_padding,
    "Cropping2D": plan_cropping,
}
