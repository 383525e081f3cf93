"""Orders a network's layers, gives each its arrays, and adds up what they will cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autograder.core.text import shown_name
from autograder.network import LayerSummary
from autograder.network.export import MAX_DEPTH
from autograder.network.kinds import planner_of
from autograder.network.layer import (
    ELEMENTWISE_WORK,
    MAX_WORK,
    Array,
    LayerSpec,
    Plan,
    Shape,
    too_large,
    volume,
)
from autograder.network.operations import OPERATORS
from autograder.network.parsing import (
    MAX_STEPS,
    ON_A_NUMBER,
    Call,
    Key,
    ParsedLayer,
    malformed,
    parse_ends,
    parse_input_shape,
    parse_layers,
    settle_shape,
)

MAX_ELEMENTS = 4_000_000
"""Numbers per image that all layers together put out or need meanwhile: 16 MB as float32. A plain
convolutional network of 32 and 64 filters needs 0.1 million."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One call of one layer: values are numbered, the network's input is 0."""

    layer: str
    inputs: tuple[int, ...]
    output: int
    run: Callable[[Sequence[Array]], Array]


class Assembler:
    """Collects the steps of a network and of all networks within it."""

    def __init__(self, arrays: Mapping[tuple[str, ...], Sequence[Array]]) -> None:
        self._arrays = arrays
        self.shapes: list[Shape] = []
        self.steps: list[Step] = []
        self.layers: dict[str, LayerSummary] = {}
        self.claimed: set[tuple[str, ...]] = set()
        self._networks = 0
        self.work = 0
        self._outputs = 0
        self._scratch = 0

    @property
    def elements(self) -> int:
        """Numbers per image that are in memory at most."""
        return self._outputs + self._scratch

    def start(self, network: ParsedLayer) -> int:
        """The value that `network` begins with, its input."""
        if network.kind == "Sequential":
            layers = parse_layers(network, ())
            if layers and layers[0].is_input:
                raw = layers[0].config.get("batch_shape")
            else:
                raw = network.config.get("build_input_shape")
        else:
            name, _ = parse_ends(network.config.get("input_layers"), "input")
            named = {layer.name: layer for layer in parse_layers(network, ())}
            if name not in named:
                raise malformed("its input is not among its layers")
            raw = named[name].config.get("batch_shape")
        return self._new_value(settle_shape(parse_input_shape(raw)))

    def add(self, network: ParsedLayer, path: tuple[str, ...], value: int) -> int:
        """Append all steps of `network`, called on `value`; returns the value that comes out."""
        # A network within a network, each called several times, multiplies without adding a step.
        self._networks += 1
        if len(path) > MAX_DEPTH or self._networks > MAX_STEPS:
            raise malformed("it has too many networks within networks")
        layers = parse_layers(network, path)
        if network.kind == "Sequential":
            for layer in layers:
                call = Call(inputs=((layer.name, 0),), operands=(None,))
                value = self._call(layer, path, [value], call)
            return value
        return self._add_functional(network, layers, path, value)

    def _add_functional(
        self, network: ParsedLayer, layers: list[ParsedLayer], path: tuple[str, ...], value: int
    ) -> int:
        start = parse_ends(network.config.get("input_layers"), "input")
        end = parse_ends(network.config.get("output_layers"), "output")
        values: dict[Key, int] = {}
        pending: dict[Key, tuple[ParsedLayer, Call]] = {}
        for layer in layers:
            if layer.is_input:
                if (layer.name, 0) != start:
                    raise malformed("it has an input that is not its own")
                values[start] = self._enter(layer, value)
            elif not layer.calls:
                raise malformed(f"layer {shown_name(layer.name)!r} is not connected")
            for number, call in enumerate(layer.calls):
                pending[layer.name, number] = (layer, call)
        # Whoever has all its inputs is next. Each round places at least one call, or what is left
        # depends on itself or on nothing.
        waiting: dict[Key, list[Key]] = {}
        missing: dict[Key, int] = {}
        ready: list[Key] = []
        for key, (_, call) in pending.items():
            needed = {source for source in call.inputs if source not in values}
            missing[key] = len(needed)
            for source in needed:
                waiting.setdefault(source, []).append(key)
            if not needed:
                ready.append(key)
        for key in ready:
            layer, call = pending.pop(key)
            values[key] = self._call(layer, path, [values[source] for source in call.inputs], call)
            for follower in waiting.get(key, ()):
                missing[follower] -= 1
                if not missing[follower]:
                    ready.append(follower)
        if pending or end not in values:
            raise malformed("its layers form a circle, or some have no input")
        return values[end]

    def _enter(self, layer: ParsedLayer, value: int) -> int:
        """Pass an ``InputLayer``: as in Keras, a last axis of one may be added or dropped."""
        shape = self.shapes[value]
        declared = parse_input_shape(layer.config.get("batch_shape"))
        for target in (shape, (*shape, 1), shape[:-1] if shape[-1:] == (1,) else shape):
            if len(target) == len(declared) and all(
                wanted in (None, extent) for wanted, extent in zip(declared, target, strict=True)
            ):
                break
        else:
            raise malformed(f"an input of shape {declared} is given one of shape {shape}")
        if target == shape:
            return value
        plan = Plan(
            output_shape=target,
            work=0,
            run=lambda inputs: inputs[0].reshape(len(inputs[0]), *target),
        )
        return self._append(layer.name, [value], plan)

    def _call(
        self, layer: ParsedLayer, path: tuple[str, ...], inputs: list[int], call: Call
    ) -> int:
        here = (*path, layer.name)
        name = "/".join(here)
        spec = LayerSpec(
            name=name,
            kind=layer.kind,
            config={**layer.config, **call.settings},
            arrays=tuple(self._arrays.get(here, ())),
            operands=call.operands,
        )
        if len(inputs) < len(call.operands) and layer.kind not in OPERATORS:
            raise spec.refusal(ON_A_NUMBER)
        if layer.is_input:
            return self._enter(layer, inputs[0])
        if layer.is_network:
            if len(inputs) != 1:
                raise spec.refusal("takes one input")
            return self.add(layer, here, inputs[0])
        plan = planner_of(layer, spec)(spec, [self.shapes[value] for value in inputs])
        self.claimed.add(here)
        self.layers.setdefault(
            name,
            LayerSummary(
                name=name,
                kind=layer.kind,
                parameters=sum(array.size for array in spec.arrays),
                output_shape=plan.output_shape,
                activation=plan.activation,
            ),
        )
        return self._append(name, inputs, plan)

    def _append(self, name: str, inputs: list[int], plan: Plan) -> int:
        self.work += plan.work + ELEMENTWISE_WORK * volume(plan.output_shape)
        self._scratch = max(self._scratch, plan.scratch)
        output = self._new_value(plan.output_shape)
        self.steps.append(Step(layer=name, inputs=tuple(inputs), output=output, run=plan.run))
        for what, amount, limit in (
            ("operations", self.work, MAX_WORK),
            ("layers", len(self.steps), MAX_STEPS),
        ):
            if amount > limit:
                raise too_large(what, amount, limit)
        return output

    def _new_value(self, shape: Shape) -> int:
        self.shapes.append(shape)
        self._outputs += volume(shape)
        if self.elements > MAX_ELEMENTS:
            raise too_large("numbers in memory", self.elements, MAX_ELEMENTS)
        return len(self.shapes) - 1
