"""Operations of ``keras.ops`` on the tensors of a functional network, such as ``x / 255 + y``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autograder.network import activations
from autograder.network.layers_activation import plan_activation, plan_parametric
from autograder.network.layers_merge import Joint, joined_shape, plan_concatenate
from autograder.network.layers_shape import plan_reshape
from autograder.network.limits import ACTIVATION_WORK, ELEMENTWISE_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, volume

OPERATORS: dict[str, Joint] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "TrueDivide": np.divide,
    "Divide": np.divide,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
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
}
"""Classes that take no settings, and the activations that they are."""

PARAMETRIC = {"ReLU": "ReLU", "LeakyRelu": "LeakyReLU", "Elu": "ELU", "Softmax": "Softmax"}
"""Classes with the settings of a layer."""


def plan_operator(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """A binary operator between inputs and numbers."""
    if len(spec.operands) != 2:
        raise spec.refusal("is an operation on other than two values")
    # The batch axis takes part in the broadcasting, so that the numbers of axes must agree.
    if len({len(shape) for shape in shapes}) != 1:
        raise spec.refusal("joins inputs of different numbers of axes")
    spec.weights()
    output_shape = joined_shape(spec, shapes)
    join, operands = OPERATORS[spec.kind], spec.operands

    def run(inputs: Sequence[Array]) -> Array:
        waiting = iter(inputs)
        left, right = (
            next(waiting) if value is None else np.array(value, np.float32) for value in operands
        )
        return join(left, right)

    return Plan(
        output_shape=output_shape, work=2 * ELEMENTWISE_WORK * volume(output_shape), run=run
    )


def plan_negative(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``-x``."""
    shape = _only_tensor(spec, shapes)
    return Plan(
        output_shape=shape,
        work=ELEMENTWISE_WORK * volume(shape),
        run=lambda inputs: np.negative(inputs[0]),
    )


def plan_function(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """An activation, as ``keras.ops.relu(x)``."""
    _only_tensor(spec, shapes)
    if spec.kind in ACTIVATIONS:
        settings = {"activation": ACTIVATIONS[spec.kind]}
        return plan_activation(replace(spec, config=settings), shapes)
    return plan_parametric(replace(spec, kind=PARAMETRIC[spec.kind]), shapes)


def plan_gelu(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``keras.ops.gelu(x)``, whose default is the approximation, unlike the activation's."""
    shape = _only_tensor(spec, shapes)
    function = activations.gelu
    if spec.flag("approximate", default=True):
        function = activations.gelu_tanh
    return Plan(
        output_shape=shape,
        work=ACTIVATION_WORK * volume(shape),
        run=lambda inputs: function(inputs[0]),
        activation="gelu",
    )


def plan_new_shape(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``keras.ops.reshape(x, (-1, ...))``."""
    _only_tensor(spec, shapes)
    target = spec.config.get("newshape")
    if not isinstance(target, list) or len(target) < 2 or target[0] != -1 or -1 in target[1:]:
        raise spec.refusal("does not keep the images apart; use a Reshape or Flatten layer")
    return plan_reshape(replace(spec, config={"target_shape": target[1:]}), shapes)


def _only_tensor(spec: LayerSpec, shapes: Sequence[Shape]) -> Shape:
    spec.weights()
    if any(value is not None for value in spec.operands):
        raise spec.refusal("is given a number where an input was expected")
    return spec.only_input(shapes)


PLANNERS: dict[str, Planner] = {
    **dict.fromkeys(OPERATORS, plan_operator),
    **dict.fromkeys([*ACTIVATIONS, *PARAMETRIC], plan_function),
    "Gelu": plan_gelu,
    "Negative": plan_negative,
    "Reshape": plan_new_shape,
    "Concatenate": plan_concatenate,
}
