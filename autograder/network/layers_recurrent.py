"""Layers that read a sequence step by step: ``LSTM``, ``GRU``, ``SimpleRNN`` and ``Bidirectional``.

An image of 28 x 28 is then a sequence of 28 rows. Names of gates are those of Keras's source, whose
order the weights follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from autograder.network.layers_activation import Chosen, activation_of
from autograder.network.limits import ELEMENTWISE_WORK, LOOP_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, volume
from autograder.network.wrapping import PlanInner

Advance: TypeAlias = Callable[[Array, tuple[Array, ...]], tuple[Array, ...]]
"""From one step's input, already multiplied by the kernel, and the states before to those after;
the first state is the output."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cell:
    """What one kind of layer does in a step."""

    kernel: Array
    bias: Array
    """Added to the product of input and kernel, for all steps at once."""
    states: int
    advance: Advance
    work: int
    """Of one step, per image, without the product of input and kernel."""


def _gates(spec: LayerSpec, features: int, gates: int) -> tuple[Array, Array, Array]:
    """Kernel, recurrent kernel and bias, the last zero where there is none."""
    units = spec.integer("units")
    width = gates * units
    expected = [("kernel", (features, width)), ("recurrent kernel", (units, width))]
    bias_shape: Shape = (width,)
    if spec.kind == "GRU" and spec.flag("reset_after", default=True):
        bias_shape = (2, width)
    if spec.flag("use_bias", default=True):
        kernel, recurrent, bias = spec.weights(*expected, ("bias", bias_shape))
    else:
        kernel, recurrent = spec.weights(*expected)
        bias = np.zeros(bias_shape, np.float32)
    return kernel, recurrent, bias


def _activation(spec: LayerSpec, units: int, key: str = "activation") -> Chosen:
    chosen = activation_of(spec, (units,), key=key)
    if chosen.output_shape != (units,) or chosen.weights:
        raise spec.refusal(f"has an `{key}` that the grader does not rebuild within such a layer")
    return chosen


def _simple(spec: LayerSpec, features: int) -> _Cell:
    kernel, recurrent, bias = _gates(spec, features, 1)
    units = len(recurrent)
    activation = _activation(spec, units)

    def advance(x: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
        return (activation.run(x + states[0] @ recurrent),)

    work = units * units + activation.work + 2 * ELEMENTWISE_WORK * units
    return _Cell(kernel=kernel, bias=bias, states=1, advance=advance, work=work)


def _lstm(spec: LayerSpec, features: int) -> _Cell:
    kernel, recurrent, bias = _gates(spec, features, 4)
    units = len(recurrent)
    new, gate = _activation(spec, units), _activation(spec, units, "recurrent_activation")

    def advance(x: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
        hidden, carry = states
        i, f, c, o = np.split(x + hidden @ recurrent, 4, axis=-1)
        carry = gate.run(f) * carry + gate.run(i) * new.run(c)
        return gate.run(o) * new.run(carry), carry

    work = 4 * units * units + 3 * gate.work + 2 * new.work + 12 * ELEMENTWISE_WORK * units
    return _Cell(kernel=kernel, bias=bias, states=2, advance=advance, work=work)


def _gru(spec: LayerSpec, features: int) -> _Cell:
    kernel, recurrent, bias = _gates(spec, features, 3)
    units = len(recurrent)
    new, gate = _activation(spec, units), _activation(spec, units, "recurrent_activation")
    resets_after = bias.ndim == 2
    recurrent_bias = bias[1] if resets_after else np.zeros(3 * units, np.float32)

    def advance(x: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
        (hidden,) = states
        x_z, x_r, x_h = np.split(x, 3, axis=-1)
        if resets_after:
            z, r, h = np.split(hidden @ recurrent + recurrent_bias, 3, axis=-1)
            candidate = new.run(x_h + gate.run(x_r + r) * h)
        else:
            z, r = np.split(hidden @ recurrent[:, : 2 * units], 2, axis=-1)
            reset: Array = gate.run(x_r + r) * hidden
            candidate = new.run(x_h + reset @ recurrent[:, 2 * units :])
        kept = gate.run(x_z + z)
        return (kept * hidden + (1 - kept) * candidate,)

    work = 3 * units * units + 2 * gate.work + new.work + 12 * ELEMENTWISE_WORK * units
    input_bias = bias[0] if resets_after else bias
    return _Cell(kernel=kernel, bias=input_bias, states=1, advance=advance, work=work)


_CELLS = {"SimpleRNN": _simple, "LSTM": _lstm, "GRU": _gru}


def plan_recurrent(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``LSTM``, ``GRU`` and ``SimpleRNN``, from states of zero."""
    shape = spec.only_input(shapes)
    if len(shape) != 2:
        raise spec.refusal(
            f"needs sequences of shape (steps, features), but gets {shape}. Use "
            "keras.Input(shape=(28, 28)), or a Reshape((28, 28)) layer before it"
        )
    if spec.flag("stateful", default=False):
        raise spec.refusal(
            "remembers one batch of images for the next (stateful=True), so that an image's result "
            "depends on others. Use stateful=False, Keras's default"
        )
    steps, features = shape
    backwards = spec.flag("go_backwards", default=False)
    keep_all = spec.flag("return_sequences", default=False)
    cell = _CELLS[spec.kind](spec, features)
    units, width = spec.integer("units"), cell.kernel.shape[1]
    output_shape = (steps, units) if keep_all else (units,)

    def run(inputs: Sequence[Array]) -> Array:
        projected = inputs[0] @ cell.kernel + cell.bias
        states = (np.zeros((len(projected), units), np.float32),) * cell.states
        outputs = np.empty((len(projected), *output_shape), np.float32)
        for place, step in enumerate(reversed(range(steps)) if backwards else range(steps)):
            states = cell.advance(projected[:, step], states)
            if keep_all:
                outputs[:, place] = states[0]
        return outputs if keep_all else states[0]

    return Plan(
        output_shape=output_shape,
        work=steps * (features * width + cell.work + LOOP_WORK),
        scratch=2 * steps * width + 8 * width,
        run=run,
    )


_MERGES: dict[str, Callable[[Array, Array], Array]] = {
    "concat": lambda x, y: np.concatenate([x, y], axis=-1),
    "sum": np.add,
    "ave": lambda x, y: np.float32(0.5) * (x + y),
    "mul": np.multiply,
}


def bidirectional(plan_inner: PlanInner) -> Planner:
    """``Bidirectional``: one layer reads forwards, one backwards, and their outputs are merged."""

    def plan(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
        shape = spec.only_input(shapes)
        merge = _MERGES[spec.choice("merge_mode", tuple(_MERGES), default="concat")]
        inner = spec.config.get("layer")
        settings = inner.get("config") if isinstance(inner, dict) else None
        has_bias = not isinstance(settings, dict) or settings.get("use_bias", True)
        half = 3 if has_bias else 2
        first, second = (
            plan_inner(replace(spec, arrays=arrays), key, tuple(_CELLS), [shape])
            for key, arrays in (
                ("layer", spec.arrays[:half]),
                ("backward_layer", spec.arrays[half:]),
            )
        )
        if first.output_shape != second.output_shape:
            raise spec.refusal("has two layers of unlike outputs")
        keeps_all = len(first.output_shape) == 2
        doubled = 2 if spec.config.get("merge_mode", "concat") == "concat" else 1
        output_shape = (*first.output_shape[:-1], doubled * first.output_shape[-1])

        def run(inputs: Sequence[Array]) -> Array:
            forwards, backwards = first.run(inputs), second.run(inputs)
            return merge(forwards, backwards[:, ::-1] if keeps_all else backwards)

        return Plan(
            output_shape=output_shape,
            work=first.work + second.work + 2 * ELEMENTWISE_WORK * volume(output_shape),
            scratch=first.scratch + second.scratch + 2 * volume(output_shape),
            run=run,
        )

    return plan


PLANNERS: dict[str, Planner] = dict.fromkeys(_CELLS, plan_recurrent)
