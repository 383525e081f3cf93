"""Layers without arithmetic: those that only move numbers, and those that only act in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.network.limits import ELEMENTWISE_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, volume

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


def plan_identity(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """Layers that change nothing once training is over."""
    spec.weights()
    return Plan(output_shape=spec.only_input(shapes), work=0, run=lambda inputs: inputs[0])


def plan_flatten(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Flatten``; what has its channels first is flattened as if they were last."""
    shape = spec.only_input(shapes)
    options = ("channels_last", "channels_first")
    is_first = spec.choice("data_format", options, default="channels_last") == "channels_first"
    spec.weights()
    return Plan(
        output_shape=(volume(shape),),
        # The input may be a view of another order, and is copied then.
        work=ELEMENTWISE_WORK * volume(shape),
        run=lambda inputs: (np.moveaxis(inputs[0], 1, -1) if is_first else inputs[0]).reshape(
            len(inputs[0]), volume(shape)
        ),
    )


def plan_reshape(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Reshape``, also with one extent of -1."""
    shape = spec.only_input(shapes)
    target = list(spec.integers("target_shape", low=-1))
    if target.count(-1) == 1:
        rest = -volume(tuple(target))
        if rest > 0:
            target[target.index(-1)] = volume(shape) // rest
    if volume(tuple(target)) != volume(shape) or min(target, default=1) < 1:
        raise spec.refusal(f"cannot give its input of shape {shape} the shape {tuple(target)}")
    spec.weights()
    output_shape = tuple(target)
    return Plan(
        output_shape=output_shape,
        work=ELEMENTWISE_WORK * volume(shape),
        run=lambda inputs: inputs[0].reshape(len(inputs[0]), *output_shape),
    )


def plan_permute(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Permute``."""
    shape = spec.only_input(shapes)
    dims = spec.integers("dims", low=1)
    if sorted(dims) != list(range(1, len(shape) + 1)):
        raise spec.refusal(f"cannot put the axes of an input of shape {shape} into order {dims}")
    spec.weights()
    return Plan(
        output_shape=tuple(shape[dim - 1] for dim in dims),
        work=ELEMENTWISE_WORK * volume(shape),
        run=lambda inputs: np.ascontiguousarray(inputs[0].transpose(0, *dims)),
    )


def plan_repeat(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``RepeatVector``."""
    shape = spec.only_input(shapes)
    if len(shape) != 1:
        raise spec.refusal(f"repeats vectors, but gets an input of shape {shape}")
    spec.weights()
    output_shape = (spec.integer("n"), shape[0])
    return Plan(
        output_shape=output_shape,
        work=ELEMENTWISE_WORK * volume(output_shape),
        run=lambda inputs: np.repeat(inputs[0][:, None, :], output_shape[0], axis=1),
    )


def _margins(spec: LayerSpec, key: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) from any of the three forms that Keras saves."""
    value = spec.config.get(key)
    rows, columns = value if isinstance(value, list) and len(value) == 2 else (value, value)
    sides = LayerSpec(name=spec.name, kind=spec.kind, config={"rows": rows, "columns": columns})
    return sides.pair("rows", low=0), sides.pair("columns", low=0)


def plan_padding(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``ZeroPadding2D``."""
    height, width, channels = spec.image_shape(spec.only_input(shapes))
    (top, bottom), (left, right) = _margins(spec, "padding")
    spec.weights()
    output_shape = (height + top + bottom, width + left + right, channels)
    return Plan(
        output_shape=output_shape,
        work=ELEMENTWISE_WORK * volume(output_shape),
        run=lambda inputs: padded(inputs[0], (top, bottom), (left, right), 0.0),
    )


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


def plan_cropping(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Cropping2D``."""
    height, width, channels = spec.image_shape(spec.only_input(shapes))
    (top, bottom), (left, right) = _margins(spec, "cropping")
    output_shape = (height - top - bottom, width - left - right, channels)
    if min(output_shape) < 1:
        raise spec.refusal(f"crops its input of shape {(height, width, channels)} to nothing")
    spec.weights()
    return Plan(
        output_shape=output_shape,
        work=ELEMENTWISE_WORK * volume(output_shape),
        run=lambda inputs: inputs[0][:, top : height - bottom, left : width - right],
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
