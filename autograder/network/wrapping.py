"""Layers that hold another layer, apart from networks: what they need to plan it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from autograder.network.limits import ELEMENTWISE_WORK
from autograder.network.spec import LayerSpec, Plan, Planner, Shape, volume


class PlanInner(Protocol):
    """Plans the layer that stands under a key of another layer's settings."""

    def __call__(
        self, spec: LayerSpec, key: str, kinds: Sequence[str], shapes: Sequence[Shape]
    ) -> Plan:
        """Plan it, with all arrays of `spec`; it must be Keras's, and of one of `kinds`."""


TIME_DISTRIBUTED = ("Dense", "Activation", "Dropout", "Flatten", "Reshape", "Conv1D", "Conv2D")
"""What may be applied to each step. Without networks and without another ``TimeDistributed``."""


def time_distributed(plan_inner: PlanInner) -> Planner:
    """``TimeDistributed``: the same layer for each step of a sequence."""

    def plan(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
        shape = spec.only_input(shapes)
        if len(shape) < 2:
            raise spec.refusal(
                f"needs sequences of shape (steps, features), but gets {shape}. Use "
                "keras.Input(shape=(28, 28)), or the layer within it alone"
            )
        steps = shape[0]
        inner = plan_inner(spec, "layer", TIME_DISTRIBUTED, [shape[1:]])
        output_shape = (steps, *inner.output_shape)
        return Plan(
            output_shape=output_shape,
            work=steps * inner.work + ELEMENTWISE_WORK * volume(shape),
            scratch=steps * (inner.scratch + volume(inner.output_shape)),
            run=lambda inputs: inner.run([inputs[0].reshape(-1, *shape[1:])]).reshape(
                len(inputs[0]), *output_shape
            ),
            activation=inner.activation,
        )

    return plan
