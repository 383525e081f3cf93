"""Layers that join several inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np

from autograder.network.limits import ELEMENTWISE_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, volume

Joint: TypeAlias = Callable[[Array, Array], Array]
"""Of two arrays, number by number."""

LAYERS: dict[str, Joint] = {
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
    join = LAYERS[spec.kind]
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
    **dict.fromkeys(LAYERS, plan_merge),
    "Concatenate": plan_concatenate,
}
