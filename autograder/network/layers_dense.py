"""``Dense``, and activations, within other layers or as layers of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from autograder.network import activations
from autograder.network.activations import Activation
from autograder.network.layer import (
    ACTIVATION_WORK,
    CHEAP_ACTIVATION_WORK,
    Array,
    LayerSpec,
    Plan,
    Planner,
    Shape,
    products,
    takes,
    volume,
)

_ADVICE = (
    "has an activation that the grader does not know{which}. Use a name from Keras, such as "
    "activation='relu' or activation='softmax'"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A layer's activation, for outputs of a known shape."""

    name: str
    run: Activation
    output_shape: Shape
    weights: tuple[tuple[str, Shape], ...] = ()
    """What it learns: the last arrays of the layer that has it."""

    @property
    def work(self) -> int:
        """Per image."""
        if self.name == "linear":
            return 0
        is_cheap = self.name in activations.CHEAP
        each = CHEAP_ACTIVATION_WORK if is_cheap else ACTIVATION_WORK
        return each * volume(self.output_shape)

    def after(self, run: Callable[[Array], Array], work: int, *, scratch: int = 0) -> Plan:
        """A layer of one input that computes `run`, at the cost of `work`, and then this."""
        return Plan(
            output_shape=self.output_shape,
            run=lambda inputs: self.run(run(inputs[0])),
            work=work + self.work,
            scratch=scratch,
            activation=self.name,
        )


def activation_of(spec: LayerSpec, shape: Shape, *, key: str = "activation") -> Chosen:
    """The function in that setting of the layer, applied to outputs of `shape`.

    The caller checks the arrays that it learns, ``Chosen.weights``, with those of the layer.
    """
    value = spec.config.get(key)
    if value is None:
        value = "linear"
    if isinstance(value, dict):
        return _serialized(spec, value, shape)
    if not isinstance(value, str):
        raise spec.refusal(_ADVICE.format(which=""))
    return _named(spec, value, shape)


def _named(spec: LayerSpec, name: str, shape: Shape) -> Chosen:
    run = activations.NAMED.get(name)
    if run is None:
        shown = f" ({name})" if name.isidentifier() and len(name) < 60 else ""
        raise spec.refusal(_ADVICE.format(which=shown))
    if name in ("softmax", "log_softmax", "sparsemax", "glu") and not shape:
        raise spec.refusal(f"cannot take {name} of a single number per image")
    if name == "glu":
        if shape[-1] % 2:
            raise spec.refusal("cannot halve an odd number of units for the activation glu")
        shape = (*shape[:-1], shape[-1] // 2)
    return Chosen(name=name, run=run, output_shape=shape)


def _serialized(spec: LayerSpec, value: dict[str, object], shape: Shape) -> Chosen:
    """An activation that was given as an object: a layer, or a function of TensorFlow's."""
    kind, config = value.get("class_name"), value.get("config")
    if kind == "function" and isinstance(config, str):
        known = activations.FROM_TENSORFLOW.get(config, "")
        if not known:
            own = f" ({config})" if config.isidentifier() and len(config) < 60 else ""
            raise spec.refusal(_ADVICE.format(which=own))
        return _named(spec, known, shape)
    is_keras = value.get("module") == "keras.layers" and value.get("registered_name") is None
    if is_keras and isinstance(kind, str) and kind in LAYERS and isinstance(config, dict):
        inner = LayerSpec(name=spec.name, kind=kind, config=config)
        return _of_layer(inner, spec.arrays[-1:], shape)
    raise spec.refusal(_ADVICE.format(which=""))


LAYERS = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "Softmax": "softmax",
    "PReLU": "prelu",
}
"""Layers that are activations with settings, by the name of the activation."""


def _of_layer(spec: LayerSpec, arrays: Sequence[Array], shape: Shape) -> Chosen:
    """One of `LAYERS`, which stands alone or as an activation; `PReLU` learns its slopes."""
    run: Activation
    weights: tuple[tuple[str, Shape], ...] = ()
    if spec.kind == "ReLU":
        run = partial(
            activations.relu,
            negative_slope=spec.number("negative_slope", default=0.0),
            max_value=spec.optional_number("max_value"),
            threshold=spec.number("threshold", default=0.0),
        )
    elif spec.kind == "LeakyReLU":
        slope = spec.number("negative_slope", default=0.3)
        run = partial(activations.leaky_relu, negative_slope=slope)
    elif spec.kind == "ELU":
        run = partial(activations.elu, alpha=spec.number("alpha", default=1.0))
    elif spec.kind == "Softmax":
        axes = tuple(axis + 1 for axis in spec.axes("axis", len(shape)))
        run = partial(activations.softmax, axis=axes)
    else:
        extents = list(shape)
        if spec.config.get("shared_axes") is not None:
            for axis in spec.axes("shared_axes", len(shape)):
                extents[axis] = 1
        weights = (("alpha", tuple(extents)),)

        def run(x: Array) -> Array:
            return activations.positive(x) - arrays[0] * activations.positive(-x)

    return Chosen(name=LAYERS[spec.kind], run=run, output_shape=shape, weights=weights)


@takes(learns=True)
def plan_activation(spec: LayerSpec, shape: Shape) -> Plan:
    """``Activation``, and `LAYERS`."""
    is_layer = spec.kind in LAYERS
    chosen = _of_layer(spec, spec.arrays, shape) if is_layer else activation_of(spec, shape)
    spec.weights(*chosen.weights)
    return chosen.after(activations.linear, 0)


def with_bias(
    spec: LayerSpec, units: int, activation: Chosen, *kernels: tuple[str, Shape]
) -> tuple[Array, ...]:
    """The layer's kernels, then its bias, which is zero where it has none."""
    biases = (("bias", (units,)),) if spec.flag("use_bias", default=True) else ()
    arrays = spec.weights(*kernels, *biases, *activation.weights)
    return (*arrays[: len(kernels) + len(biases)], np.zeros(units, np.float32))[: len(kernels) + 1]


@takes(learns=True)
def plan_dense(spec: LayerSpec, shape: Shape) -> Plan:
    """``Dense``, along the last axis."""
    if not shape:
        raise spec.refusal("needs an input with at least one axis besides the batch's")
    units = spec.integer("units")
    output_shape = (*shape[:-1], units)
    activation = activation_of(spec, output_shape)
    kernel, bias = with_bias(spec, units, activation, ("kernel", (shape[-1], units)))

    def run(x: Array) -> Array:
        result = x @ kernel
        result += bias
        return result

    return activation.after(run, products(kernel, output_shape), scratch=volume(output_shape))


PLANNERS: dict[str, Planner] = {
    **dict.fromkeys(["Activation", *LAYERS], plan_activation),
    "Dense": plan_dense,
}
