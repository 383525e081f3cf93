"""The allow-list: every kind of layer that is rebuilt, and what to use in place of the others.

With those that wrap a layer of the list, and layers in 1D.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from autograder.network import (
    layers_image,
    layers_scaling,
    layers_shape,
    layers_units,
    operations,
)
from autograder.network.layer import (
    ELEMENTWISE_WORK,
    Array,
    LayerSpec,
    Plan,
    Planner,
    Shape,
    volume,
)
from autograder.network.layers_units import activation_of
from autograder.network.parsing import OWN_CLASS_ADVICE, ParsedLayer, parse_layer

_IMAGES = "Use Conv2D and MaxPooling2D on images of shape (28, 28, 1), or Flatten and Dense"
_SEQUENCES = (
    "An image is no sequence: use Flatten and Dense, or Conv2D on images of shape (28, 28, 1)"
)
_FIXED = "Do it with NumPy before training, to the training and the test images alike"
_TEXT = "It works on text or categories; a network for images needs none"

_KINDS = {
    "Lambda": "A Lambda layer is code of your own: use Rescaling, Reshape or Activation instead",
    """
    RNN StackedRNNCells LSTMCell GRUCell SimpleRNNCell
    """: "Use LSTM, GRU or SimpleRNN",
    """
    Masking Embedding ReversibleEmbedding
    """: _SEQUENCES,
    """
    MultiHeadAttention GroupQueryAttention Attention AdditiveAttention EinsumDense Dot
    """: "Attention is not rebuilt by the grader. " + _IMAGES,
    """
    Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D
    MaxPooling3D AveragePooling3D GlobalMaxPooling3D GlobalAveragePooling3D
    AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D
    AdaptiveMaxPooling2D AdaptiveMaxPooling3D ZeroPadding3D Cropping3D
    UpSampling1D UpSampling3D
    """: _IMAGES,
    """
    RandomCrop AutoContrast Pipeline ContrastLimitedAdaptiveHistogramEqualization
    """: _FIXED,
    """
    TextVectorization StringLookup IntegerLookup CategoryEncoding Discretization Hashing
    HashedCrossing
    """: _TEXT,
    """
    UnitNormalization SpectralNormalization
    """: "Use BatchNormalization or LayerNormalization",
    """
    TFSMLayer JaxLayer FlaxLayer TorchModuleWrapper
    """: "It wraps a model made elsewhere. " + OWN_CLASS_ADVICE,
}
"""Advice by kind of layer; kinds with the same advice share an entry."""

_ADVICE = {kind: advice for kinds, advice in _KINDS.items() for kind in kinds.split()}


def planner_of(layer: ParsedLayer, spec: LayerSpec) -> Planner:
    """How to rebuild a layer, from the allow-list."""
    is_operation = layer.module.startswith(("keras.src.ops", "keras.src.activations"))
    planner = (operations.OPERATIONS if is_operation else PLANNERS).get(layer.kind)
    if planner is None:
        usual = f"{OWN_CLASS_ADVICE}: Dense or Conv2D, Flatten, MaxPooling2D, Dropout"
        advice = _ADVICE.get(spec.kind, usual)
        raise spec.refusal(f"is of a kind that the grader does not rebuild. {advice}")
    return planner


def plan_inner(spec: LayerSpec, key: str, kinds: Collection[str], shapes: Sequence[Shape]) -> Plan:
    """Plan the layer under `key` of a layer that wraps it: Keras's own, and of one of `kinds`."""
    layer = parse_layer(spec.config.get(key), f"{spec.name}/")
    inner = replace(spec, name=f"{spec.name}/{layer.name}", kind=layer.kind, config=layer.config)
    if layer.kind not in kinds:
        raise inner.refusal(
            f"is of a kind that the grader does not rebuild within {spec.kind}. It rebuilds "
            f"{', '.join(kinds)} there"
        )
    return planner_of(layer, inner)(inner, shapes)


_MERGES: dict[str, Callable[[Array, Array], Array]] = {
    "concat": lambda x, y: np.concatenate([x, y], axis=-1),
    "sum": np.add,
    "ave": lambda x, y: np.float32(0.5) * (x + y),
    "mul": np.multiply,
}


def plan_bidirectional(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Bidirectional``: one layer reads forwards, one backwards, and their outputs are merged."""
    shape = spec.only_input(shapes)
    merge = _MERGES[spec.choice("merge_mode", tuple(_MERGES), default="concat")]
    inner = spec.config.get("layer")
    settings = inner.get("config") if isinstance(inner, dict) else None
    has_bias = not isinstance(settings, dict) or settings.get("use_bias", True)
    half = 3 if has_bias else 2
    first, second = (
        plan_inner(replace(spec, arrays=arrays), key, layers_units.CELLS, [shape])
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


TIME_DISTRIBUTED = ("Dense", "Activation", "Dropout", "Flatten", "Reshape", "Conv1D", "Conv2D")
"""What may be applied to each step. Without networks and without another ``TimeDistributed``."""


def plan_time_distributed(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``TimeDistributed``: the same layer for each step of a sequence."""
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


_ALONG_THE_AXIS = ("kernel_size", "strides", "dilation_rate", "pool_size")


def _on_one_row(planner: Planner) -> Planner:
    """Plan a layer on sequences of shape (steps, channels) by `planner`, which takes images.

    Along one axis it is the same as on images of a single row.
    """

    def plan(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
        shape = spec.only_input(shapes)
        spec.check_sequence(shape, "channels")
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

        def run(x: Array) -> Array:
            result = row.run([x[:, None]])
            return result[:, 0] if keeps_row else result

        whole = activation.after(run, row.work, scratch=row.scratch)
        return whole if "activation" in spec.config else replace(whole, activation=None)

    return plan


_IN_ONE_DIMENSION = {
    **layers_image.PLANNERS,
    **{kind: layers_shape.PLANNERS[kind] for kind in ("ZeroPadding2D", "Cropping2D")},
}
PLANNERS: dict[str, Planner] = {
    **layers_units.PLANNERS,
    **layers_scaling.PLANNERS,
    **layers_image.PLANNERS,
    **layers_shape.PLANNERS,
    **operations.PLANNERS,
    **{kind.replace("2D", "1D"): _on_one_row(plan) for kind, plan in _IN_ONE_DIMENSION.items()},
    "Bidirectional": plan_bidirectional,
    "TimeDistributed": plan_time_distributed,
}
"""The allow-list: every kind of layer that is rebuilt, and how."""

COUNTED = (set(_ADVICE) | set(PLANNERS)) - {
    # What these compute with is code, a file or a table, and no array of the network.
    *("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"),
    *("TextVectorization", "StringLookup", "IntegerLookup", "CategoryEncoding"),
    *("Discretization", "Hashing", "HashedCrossing"),
}
"""Kinds of layers that hold all their numbers in arrays, whether they are rebuilt or not."""
