"""Activations, within other layers or as layers of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from autograder.network import activations
from autograder.network.activations import Activation
from autograder.network.limits import ACTIVATION_WORK, CHEAP_ACTIVATION_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, volume

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
    if is_keras and isinstance(kind, str) and kind in _PARAMETRIC and isinstance(config, dict):
        inner = LayerSpec(name=spec.name, kind=kind, config=config)
        if kind == "PReLU":
            return _learned(inner, spec.arrays[-1:], shape)
        return Chosen(name=_PARAMETRIC[kind], run=_parametric(inner, shape), output_shape=shape)
    raise spec.refusal(_ADVICE.format(which=""))


_PARAMETRIC = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "Softmax": "softmax",
    "PReLU": "prelu",
}


def _parametric(spec: LayerSpec, shape: Shape) -> Activation:
    if spec.kind == "ReLU":
        return partial(
            activations.relu,
            negative_slope=spec.number("negative_slope", default=0.0),
            max_value=spec.optional_number("max_value"),
            threshold=spec.number("threshold", default=0.0),
        )
    if spec.kind == "LeakyReLU":
        return partial(
            activations.leaky_relu, negative_slope=spec.number("negative_slope", default=0.3)
        )
    if spec.kind == "ELU":
        return partial(activations.elu, alpha=spec.number("alpha", default=1.0))
    axes = tuple(axis + 1 for axis in spec.axes("axis", len(shape)))
    return partial(activations.softmax, axis=axes)


def plan_activation(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Activation``."""
    return _plan(spec, activation_of(spec, spec.only_input(shapes)))


def plan_parametric(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``ReLU``, ``LeakyReLU``, ``ELU`` and ``Softmax``."""
    shape = spec.only_input(shapes)
    run = _parametric(spec, shape)
    return _plan(spec, Chosen(name=_PARAMETRIC[spec.kind], run=run, output_shape=shape))


def _plan(spec: LayerSpec, chosen: Chosen) -> Plan:
    spec.weights(*chosen.weights)
    return Plan(
        output_shape=chosen.output_shape,
        work=chosen.work,
        run=lambda inputs: chosen.run(inputs[0]),
        activation=chosen.name,
    )


def plan_prelu(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``PReLU``, whose slope below zero is learned."""
    return _plan(spec, _learned(spec, spec.arrays, spec.only_input(shapes)))


def _learned(spec: LayerSpec, arrays: Sequence[Array], shape: Shape) -> Chosen:
    """``PReLU`` with the first of `arrays` as its slopes, as a layer or as an activation."""
    extents = list(shape)
    if spec.config.get("shared_axes") is not None:
        for axis in spec.axes("shared_axes", len(shape)):
            extents[axis] = 1

    def run(x: Array) -> Array:
        return activations.positive(x) - arrays[0] * activations.positive(-x)

    return Chosen(name="prelu", run=run, output_shape=shape, weights=(("alpha", tuple(extents)),))


PLANNERS: dict[str, Planner] = {
    "Activation": plan_activation,
    "ReLU": plan_parametric,
    "LeakyReLU": plan_parametric,
    "ELU": plan_parametric,
    "Softmax": plan_parametric,
    "PReLU": plan_prelu,
}
