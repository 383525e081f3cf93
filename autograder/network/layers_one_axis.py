"""Convolution and pooling along one axis: the same as on images of a single row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograder.network import layers_dense, layers_pool, layers_shape
from autograder.network.layers_activation import activation_of
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape

_ALONG_THE_AXIS = ("kernel_size", "strides", "dilation_rate", "pool_size")


def _on_one_row(planner: Planner) -> Planner:
    """Plan a layer on sequences of shape (steps, channels) by `planner`, which takes images."""

    def plan(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
        shape = spec.only_input(shapes)
        if len(shape) != 2:
            raise spec.refusal(
                f"needs sequences of shape (steps, channels), but gets {shape}. Use "
                "keras.Input(shape=(28, 28)), or a Reshape((28, 28)) layer before it"
            )
        spec.check_channels_last()
        config = dict(spec.config)
        for key in _ALONG_THE_AXIS:
            if config.get(key) is not None:
                config[key] = [1, *spec.integers(key, low=1)]
        for key in ("padding", "cropping"):
            if not isinstance(config.get(key, ""), str):
                config[key] = [[0, 0], config[key]]
        learned = 0
        if config.get("activation") is not None:
            # Planned apart: it may name axes, and they are the sequence's.
            learned = len(activation_of(spec, (*shape[:1], 2)).weights)
            config["activation"] = None
        own = spec.arrays[: len(spec.arrays) - learned]
        arrays = tuple(array[None] if array.ndim == 3 else array for array in own)
        row = planner(replace(spec, config=config, arrays=arrays), [(1, *shape)])
        # Global pooling without keepdims leaves the channels alone.
        keeps_row = len(row.output_shape) == 3
        activation = activation_of(spec, row.output_shape[keeps_row:])
        replace(spec, arrays=spec.arrays[len(own) :]).weights(*activation.weights)

        def run(inputs: Sequence[Array]) -> Array:
            result = row.run([inputs[0][:, None]])
            return activation.run(result[:, 0] if keeps_row else result)

        return replace(
            row,
            output_shape=activation.output_shape,
            work=row.work + activation.work,
            run=run,
            activation=activation.name if "activation" in spec.config else None,
        )

    return plan


_TWO_AXES = {**layers_dense.PLANNERS, **layers_pool.PLANNERS, **layers_shape.PLANNERS}

PLANNERS: dict[str, Planner] = {
    kind: _on_one_row(_TWO_AXES[kind.replace("1D", "2D")])
    for kind in (
        "Conv1D",
        "DepthwiseConv1D",
        "SeparableConv1D",
        "MaxPooling1D",
        "AveragePooling1D",
        "GlobalMaxPooling1D",
        "GlobalAveragePooling1D",
        "ZeroPadding1D",
        "Cropping1D",
    )
}
