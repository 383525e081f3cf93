"""What to tell a student whose network has a layer that the grader does not rebuild."""

from __future__ import annotations

from autograder.core.errors import NotEvaluated, UnverifiableModel
from autograder.network.spec import LayerSpec

_IMAGES = "Use Conv2D and MaxPooling2D on images of shape (28, 28, 1), or Flatten and Dense"
_SEQUENCES = (
    "An image is no sequence: use Flatten and Dense, or Conv2D on images of shape (28, 28, 1)"
)
_OWN = "Use Keras's own layers, in keras.Sequential([...]) or the functional API"
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
    """: "It wraps a model made elsewhere. " + _OWN,
}
"""Advice by kind of layer; kinds with the same advice share an entry."""

_ADVICE = {kind: advice for kinds, advice in _KINDS.items() for kind in kinds.split()}

KINDS_OF_KERAS = frozenset(_ADVICE)
"""Kinds of layers that are Keras's and are not rebuilt."""


def unsupported(spec: LayerSpec) -> UnverifiableModel:
    """The error for a layer of Keras's that is not among those that are rebuilt."""
    advice = _ADVICE.get(spec.kind, f"{_OWN}: Dense or Conv2D, Flatten, MaxPooling2D, Dropout")
    return spec.refusal(f"is of a kind that the grader does not rebuild. {advice}")


def own_class(spec: LayerSpec) -> UnverifiableModel:
    """The error for a layer or network of a class that is not Keras's."""
    return spec.distrust(
        f"is of a class of your own, or not of Keras's, so that the grader cannot know what it "
        f"computes. {_OWN}"
    )


def array_operand(spec: LayerSpec) -> UnverifiableModel:
    """The error for an array that stands in the network beside the layers' weights."""
    return spec.distrust(
        "computes with an array of numbers that is no layer's weights, so that it is in no count. "
        "Use a single number, or a layer that holds it: Dense, Rescaling or Normalization"
    )


def too_large(what: str, amount: int, limit: int) -> UnverifiableModel:
    """The error for a network that would take the grader too long to compute."""
    # A hostile size can have more digits than may be written out.
    shown = f"{amount:,}" if amount < 10**18 else "more than 10^18"
    return NotEvaluated(
        f"The network needs {shown} {what} for each image, and the grader stops at {limit:,}. "
        "Use fewer filters or units, more pooling, and no pretrained network: a small one of "
        "Conv2D or Dense layers is enough for handwritten digits."
    )
