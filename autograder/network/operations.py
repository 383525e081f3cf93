"""What joins inputs or computes with each number: ``Add``, and ``x / 255 + y`` of ``keras.ops``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from autograder.network import activations, layers_shape
from autograder.network.layer import (
    ACTIVATION_WORK,
    ELEMENTWISE_WORK,
    Array,
    LayerSpec,
    Plan,
    Planner,
    Shape,
    takes,
    volume,
)
from autograder.network.layers_units import plan_activation, plan_dense

Elementwise: TypeAlias = Callable[..., npt.NDArray[Any]]
"""Of one or more arrays, number by number; truth counts as 1 and 0."""


def _where(condition: Array, x: Array, y: Array) -> Array:
    result: Array = np.where(condition.astype(bool), x, y)
    return result


OPERATORS: dict[str, Elementwise] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "TrueDivide": np.divide,
    "Divide": np.divide,
    "FloorDivide": np.floor_divide,
    "Mod": np.mod,
    "Power": np.power,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Greater": np.greater,
    "GreaterEqual": np.greater_equal,
    "Less": np.less,
    "LessEqual": np.less_equal,
    "Where": _where,
}
"""They take inputs and numbers."""

MERGES: dict[str, Elementwise] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "Average": np.add,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
}
"""Layers that take inputs alone."""

WITH_WEIGHT = ("Add", "Subtract", "Multiply", "TrueDivide", "Divide")
"""Those that also take a weight of an own layer as their second value."""

FUNCTIONS: dict[str, Elementwise] = {
    "Negative": np.negative,
    "Absolute": np.abs,
    "Abs": np.abs,
    "Square": np.square,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Log": np.log,
    "Log1p": np.log1p,
    "Floor": np.floor,
    "Round": np.rint,
    "Sign": np.sign,
}
"""They take one input."""

REDUCTIONS: dict[str, Callable[..., Array]] = {
    "Mean": np.mean,
    "Sum": np.sum,
    "Max": np.max,
    "Min": np.min,
    "Std": np.std,
    "Var": np.var,
}

ACTIVATIONS = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Silu": "silu",
    "Selu": "selu",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "HardSigmoid": "hard_sigmoid",
    "HardSilu": "hard_silu",
    "LogSoftmax": "log_softmax",
}
"""Classes that take no settings, and the activations that they are."""

PARAMETRIC = {"ReLU": "ReLU", "LeakyRelu": "LeakyReLU", "Elu": "ELU", "Softmax": "Softmax"}
"""Classes with the settings of a layer."""


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


def _plan_with_weight(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """An operator between an input and a weight of an own layer, as ``x + self.bias``."""
    shape, weight = _with_weight(spec, shapes)
    # The weight must be the same for all images, though it may have an axis of one for them.
    output_shape = joined_shape(spec, [(1, *shape), weight.shape])
    if output_shape[0] != 1 or len(output_shape) != len(shape) + 1:
        raise spec.refusal(
            f"joins inputs of shape {shape} with a weight of shape {weight.shape}. Give the "
            f"weight the shape of the last axis, {shape[-1:]}"
        )
    join = OPERATORS[spec.kind]
    return Plan.by_element(output_shape[1:], lambda x: join(x, weight), passes=2, scratch=1)


def _with_weight(spec: LayerSpec, shapes: Sequence[Shape]) -> tuple[Shape, Array]:
    """The shape of the one input, and the one weight, which is counted as any layer's."""
    if spec.operands != (None,) or len(spec.arrays) != 1:
        raise spec.refusal("is an operation on something else than one input and one weight")
    return spec.only_input(shapes), spec.arrays[0]


def plan_matmul(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``keras.ops.matmul(x, self.w)``, or ``x @ self.w``: what ``Dense`` does without a bias."""
    _, weight = _with_weight(spec, shapes)
    if weight.ndim != 2:
        raise spec.refusal(f"multiplies by a weight of shape {weight.shape}; give it two axes")
    return plan_dense(replace(spec, config={"units": weight.shape[1], "use_bias": False}), shapes)


def plan_operator(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """An operator between inputs and numbers."""
    if spec.arrays and spec.kind in WITH_WEIGHT:
        return _plan_with_weight(spec, shapes)
    arity = 3 if spec.kind == "Where" else 2
    if len(spec.operands) != arity:
        raise spec.refusal(f"is an operation on other than {arity} values")
    # The batch axis takes part in the broadcasting, so that the numbers of axes must agree.
    if len({len(shape) for shape in shapes}) != 1:
        raise spec.refusal("joins inputs of different numbers of axes")
    spec.weights()
    output_shape = joined_shape(spec, shapes)
    join, operands = OPERATORS[spec.kind], spec.operands

    def run(inputs: Sequence[Array]) -> Array:
        waiting = iter(inputs)
        return join(
            *(next(waiting) if value is None else np.array(value, np.float32) for value in operands)
        )

    each = ACTIVATION_WORK if spec.kind in ("Power", "Mod") else 2 * ELEMENTWISE_WORK
    return Plan(
        output_shape=output_shape,
        work=each * volume(output_shape),
        scratch=volume(output_shape),
        run=run,
    )


@takes()
def plan_elementwise(spec: LayerSpec, shape: Shape) -> Plan:
    """A function of each number alone, such as ``abs(x)``."""
    return Plan.by_element(shape, FUNCTIONS[spec.kind], each=ACTIVATION_WORK)


@takes()
def plan_clip(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.clip(x, low, high)``."""
    low, high = np.float32(spec.number("x_min")), np.float32(spec.number("x_max"))
    return Plan.by_element(shape, lambda x: np.clip(x, low, high), passes=2)


@takes()
def plan_cast(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.cast(x, "float32")`` and the like; all is computed in float32."""
    if spec.config.get("dtype") not in (None, "float16", "bfloat16", "float32", "float64"):
        raise spec.refusal("makes whole numbers of its input. Use keras.ops.cast(x, 'float32')")
    return Plan(output_shape=shape, run=lambda inputs: inputs[0])


@takes()
def plan_reduction(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.mean(x, axis=...)`` and others that make one number of several."""
    if spec.config.get("axis") is None:
        raise spec.refusal(
            f"takes all images of a batch together. Use keras.ops.{spec.kind.lower()}(x, axis=-1)"
        )
    axes = spec.axes("axis", len(shape))
    keeps = spec.flag("keepdims", default=False)
    extents = [1 if i in axes else extent for i, extent in enumerate(shape)]
    output_shape = tuple(e for i, e in enumerate(extents) if keeps or i not in axes)
    reduce, counted = REDUCTIONS[spec.kind], tuple(axis + 1 for axis in axes)
    return Plan.by_element(
        output_shape,
        lambda x: reduce(x, axis=counted, keepdims=keeps),
        passes=4,
        over=shape,
        scratch=2,
    )


def plan_function(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """An activation, as ``keras.ops.relu(x)``."""
    spec.weights()
    if spec.kind in PARAMETRIC:
        return plan_activation(replace(spec, kind=PARAMETRIC[spec.kind]), shapes)
    settings = {"activation": ACTIVATIONS[spec.kind]}
    return plan_activation(replace(spec, config=settings), shapes)


@takes()
def plan_gelu(spec: LayerSpec, shape: Shape) -> Plan:
    """``keras.ops.gelu(x)``, whose default is the approximation, unlike the activation's."""
    approximates = spec.flag("approximate", default=True)
    function = activations.gelu_tanh if approximates else activations.gelu
    return replace(Plan.by_element(shape, function, each=ACTIVATION_WORK), activation="gelu")


OPERATIONS: dict[str, Planner] = {
    **dict.fromkeys(OPERATORS, plan_operator),
    **dict.fromkeys(["Matmul", "Dot"], plan_matmul),
    **dict.fromkeys(FUNCTIONS, plan_elementwise),
    **dict.fromkeys(REDUCTIONS, plan_reduction),
    **dict.fromkeys([*ACTIVATIONS, *PARAMETRIC], plan_function),
    "Gelu": plan_gelu,
    "Clip": plan_clip,
    "Cast": plan_cast,
    "ConvertToTensor": plan_cast,
    **layers_shape.OPERATIONS,
    "Concatenate": plan_concatenate,
}

PLANNERS: dict[str, Planner] = {
    **dict.fromkeys(MERGES, plan_merge),
    "Concatenate": plan_concatenate,
}
"""The layers; the rest are operations."""
