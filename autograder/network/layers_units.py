"""``Dense``, ``LSTM``, ``GRU`` and ``SimpleRNN``; and activations, within layers or by themselves.

To those that go through a sequence an image of 28 x 28 is a sequence of 28 rows. Names of gates are
those of Keras's source, whose order the weights follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from autograder.core.errors import UnverifiableModel
from autograder.network import activations
from autograder.network.activations import Activation, Chosen
from autograder.network.layer import (
    ELEMENTWISE_WORK,
    LOOP_WORK,
    Array,
    LayerSpec,
    Plan,
    Planner,
    Shape,
    products,
    takes,
    volume,
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
        raise _unknown(spec)
    return _named(spec, value, shape)


def _unknown(spec: LayerSpec, name: str = "") -> UnverifiableModel:
    shown = f" ({name})" if name.isidentifier() and len(name) < 60 else ""
    return spec.refusal(
        f"has an activation that the grader does not know{shown}. Use a name from Keras, such as "
        "activation='relu' or activation='softmax'"
    )


def _named(spec: LayerSpec, name: str, shape: Shape) -> Chosen:
    run = activations.NAMED.get(name)
    if run is None:
        raise _unknown(spec, name)
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
        if config not in activations.FROM_TENSORFLOW:
            raise _unknown(spec, config)
        return _named(spec, activations.FROM_TENSORFLOW[config], shape)
    is_keras = value.get("module") == "keras.layers" and value.get("registered_name") is None
    if is_keras and isinstance(kind, str) and kind in LAYERS and isinstance(config, dict):
        inner = LayerSpec(name=spec.name, kind=kind, config=config)
        return _of_layer(inner, spec.arrays[-1:], shape)
    raise _unknown(spec)


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
        run = partial(activations.prelu, slopes=arrays)

    return Chosen(name=LAYERS[spec.kind], run=run, output_shape=shape, weights=weights)


@takes(learns=True)
def plan_activation(spec: LayerSpec, shape: Shape) -> Plan:
    """``Activation``, and `LAYERS`."""
    is_layer = spec.kind in LAYERS
    chosen = _of_layer(spec, spec.arrays, shape) if is_layer else activation_of(spec, shape)
    spec.weights(*chosen.weights)
    return chosen.after(activations.linear, 0)


def with_bias(
    spec: LayerSpec, shape: Shape, *kernels: tuple[str, Shape], activation: Chosen | None = None
) -> tuple[Array, ...]:
    """The layer's kernels, then its bias of that shape, which is zero where it has none."""
    biases = (("bias", shape),) if spec.flag("use_bias", default=True) else ()
    arrays = spec.weights(*kernels, *biases, *(activation.weights if activation else ()))
    return (*arrays[: len(kernels) + len(biases)], np.zeros(shape, np.float32))[: len(kernels) + 1]


@takes(learns=True)
def plan_dense(spec: LayerSpec, shape: Shape) -> Plan:
    """``Dense``, along the last axis."""
    if not shape:
        raise spec.refusal("needs an input with at least one axis besides the batch's")
    units = spec.integer("units")
    output_shape = (*shape[:-1], units)
    activation = activation_of(spec, output_shape)
    kernel, bias = with_bias(spec, (units,), ("kernel", (shape[-1], units)), activation=activation)

    def run(x: Array) -> Array:
        result = x @ kernel
        result += bias
        return result

    return activation.after(run, products(kernel, output_shape), scratch=volume(output_shape))


Advance: TypeAlias = Callable[[Array, tuple[Array, ...]], tuple[Array, ...]]
"""From one step's input, already multiplied by the kernel, and the states before to those after;
the first state is the output."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cell:
    """What one kind of layer does in a step."""

    bias: Array
    """Added to the product of input and kernel, for all steps at once."""
    states: int
    advance: Advance
    elements: int
    """Additions and products of one step, per unit."""
    activations: Sequence[Chosen]
    """Computed in one step."""


def _gates(spec: LayerSpec, features: int) -> tuple[Array, ...]:
    """Kernel, recurrent kernel and bias, the last zero where there is none."""
    units = spec.integer("units")
    width = GATES[spec.kind] * units
    resets_after = spec.kind == "GRU" and spec.flag("reset_after", default=True)
    kernels = (("kernel", (features, width)), ("recurrent kernel", (units, width)))
    return with_bias(spec, (2, width) if resets_after else (width,), *kernels)


def _activation(spec: LayerSpec, units: int, key: str = "activation") -> Chosen:
    chosen = activation_of(spec, (units,), key=key)
    if chosen.output_shape != (units,) or chosen.weights:
        raise spec.refusal(f"has an `{key}` that the grader does not rebuild within such a layer")
    return chosen


def _simple(spec: LayerSpec, recurrent: Array, bias: Array) -> _Cell:
    new = _activation(spec, len(recurrent))

    def advance(x: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
        return (new.run(x + states[0] @ recurrent),)

    return _Cell(bias=bias, states=1, advance=advance, elements=2, activations=[new])


def _lstm(spec: LayerSpec, recurrent: Array, bias: Array) -> _Cell:
    units = len(recurrent)
    new, gate = _activation(spec, units), _activation(spec, units, "recurrent_activation")

    def advance(x: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
        hidden, carry = states
        i, f, c, o = np.split(x + hidden @ recurrent, 4, axis=-1)
        carry = gate.run(f) * carry + gate.run(i) * new.run(c)
        return gate.run(o) * new.run(carry), carry

    used = [gate, gate, gate, new, new]
    return _Cell(bias=bias, states=2, advance=advance, elements=12, activations=used)


def _gru(spec: LayerSpec, recurrent: Array, bias: Array) -> _Cell:
    units = len(recurrent)
    new, gate = _activation(spec, units), _activation(spec, units, "recurrent_activation")
    resets_after = bias.ndim == 2
    of_input, of_state = bias if resets_after else (bias, np.zeros(3 * units, np.float32))

    def advance(x: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
        (hidden,) = states
        x_z, x_r, x_h = np.split(x, 3, axis=-1)
        if resets_after:
            z, r, h = np.split(hidden @ recurrent + of_state, 3, axis=-1)
            candidate = new.run(x_h + gate.run(x_r + r) * h)
        else:
            z, r = np.split(hidden @ recurrent[:, : 2 * units], 2, axis=-1)
            reset: Array = gate.run(x_r + r) * hidden
            candidate = new.run(x_h + reset @ recurrent[:, 2 * units :])
        kept = gate.run(x_z + z)
        return (kept * hidden + (1 - kept) * candidate,)

    used = [gate, gate, new]
    return _Cell(bias=of_input, states=1, advance=advance, elements=12, activations=used)


CELLS = {"SimpleRNN": _simple, "LSTM": _lstm, "GRU": _gru}
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}


@takes(LayerSpec.check_sequence, learns=True)
def plan_recurrent(spec: LayerSpec, shape: Shape) -> Plan:
    """``LSTM``, ``GRU`` and ``SimpleRNN``, from states of zero."""
    if spec.flag("stateful", default=False):
        raise spec.refusal(
            "remembers one batch of images for the next (stateful=True), so that an image's result "
            "depends on others. Use stateful=False, Keras's default"
        )
    steps, features = shape
    backwards = spec.flag("go_backwards", default=False)
    keep_all = spec.flag("return_sequences", default=False)
    kernel, recurrent, bias = _gates(spec, features)
    cell = CELLS[spec.kind](spec, recurrent, bias)
    units, width = recurrent.shape
    output_shape = (steps, units) if keep_all else (units,)

    def run(inputs: Sequence[Array]) -> Array:
        projected = inputs[0] @ kernel + cell.bias
        states = (np.zeros((len(projected), units), np.float32),) * cell.states
        outputs = np.empty((len(projected), *output_shape), np.float32)
        for place, step in enumerate(reversed(range(steps)) if backwards else range(steps)):
            states = cell.advance(projected[:, step], states)
            if keep_all:
                outputs[:, place] = states[0]
        return outputs if keep_all else states[0]

    # Each step multiplies by both kernels.
    work = kernel.size + recurrent.size + cell.elements * ELEMENTWISE_WORK * units + LOOP_WORK
    return Plan(
        output_shape=output_shape,
        work=steps * (work + sum(each.work for each in cell.activations)),
        scratch=2 * steps * width + 8 * width,
        run=run,
    )


PLANNERS: dict[str, Planner] = {
    **dict.fromkeys(["Activation", *LAYERS], plan_activation),
    "Dense": plan_dense,
    **dict.fromkeys(CELLS, plan_recurrent),
}
