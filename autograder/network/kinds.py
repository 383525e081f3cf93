"""The allow-list: every kind of layer that is rebuilt, and what to use in place of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograder.network import (
    layers_activation,
    layers_dense,
    layers_image,
    layers_norm,
    layers_recurrent,
    layers_shape,
    operations,
)
from autograder.network.layer import LayerSpec, Plan, Planner, Shape
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


def plan_inner(spec: LayerSpec, key: str, kinds: Sequence[str], shapes: Sequence[Shape]) -> Plan:
    """Plan the layer under `key` of a layer that wraps it; see ``layers_recurrent.PlanInner``."""
    layer = parse_layer(spec.config.get(key), f"{spec.name}/")
    inner = replace(spec, name=f"{spec.name}/{layer.name}", kind=layer.kind, config=layer.config)
    if layer.kind not in kinds:
        raise inner.refusal(
            f"is of a kind that the grader does not rebuild within {spec.kind}. It rebuilds "
            f"{', '.join(kinds)} there"
        )
    return planner_of(layer, inner)(inner, shapes)


PLANNERS: dict[str, Planner] = {
    **layers_activation.PLANNERS,
    **layers_dense.PLANNERS,
    **layers_norm.PLANNERS,
    **layers_image.PLANNERS,
    **layers_recurrent.PLANNERS,
    **layers_shape.PLANNERS,
    **operations.PLANNERS,
    "Bidirectional": layers_recurrent.bidirectional(plan_inner),
    "TimeDistributed": layers_recurrent.time_distributed(plan_inner),
}
"""The allow-list: every kind of layer that is rebuilt, and how."""

COUNTED = (set(_ADVICE) | set(PLANNERS)) - {
    # What these compute with is code, a file or a table, and no array of the network.
    *("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"),
    *("TextVectorization", "StringLookup", "IntegerLookup", "CategoryEncoding"),
    *("Discretization", "Hashing", "HashedCrossing"),
}
"""Kinds of layers that hold all their numbers in arrays, whether they are rebuilt or not."""
