"""Layers that go through a sequence: ``LSTM``, ``GRU`` and ``SimpleRNN``.

An image of 28 x 28 is then a sequence of 28 rows. Names of gates are those of Keras's source, whose
order the weights follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from autograder.network.layer import (
    ELEMENTWISE_WORK,
    LOOP_WORK,
    Array,
    LayerSpec,
    Plan,
    Planner,
    Shape,
    takes,
)
from autograder.network.layers_dense import Chosen, activation_of

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


def _gates(spec: LayerSpec, features: int) -> tuple[Array, Array, Array]:
    """Kernel, recurrent kernel and bias, the last zero where there is none."""
    units = spec.integer("units")
    width = GATES[spec.kind] * units
    expected = [("kernel", (features, width)), ("recurrent kernel", (units, width))]
    resets_after = spec.kind == "GRU" and spec.flag("reset_after", default=True)
    bias_shape: Shape = (2, width) if resets_after else (width,)
    biases = [("bias", bias_shape)] if spec.flag("use_bias", default=True) else []
    arrays = spec.weights(*expected, *biases)
    kernel, recurrent, bias = (*arrays, np.zeros(bias_shape, np.float32))[:3]
    return kernel, recurrent, bias


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


PLANNERS: dict[str, Planner] = dict.fromkeys(CELLS, plan_recurrent)
