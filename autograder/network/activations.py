"""Keras's activation functions, in NumPy.

Each takes an array with the batch axis first, leaves it unchanged, and returns float32. Where
Keras documents no formula, the constants are those of the paper that Keras's documentation cites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from autograder.network.layer import (
    ACTIVATION_WORK,
    CHEAP_ACTIVATION_WORK,
    Array,
    Plan,
    Shape,
    volume,
)

Activation: TypeAlias = Callable[[Array], Array]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
"""Klambauer et al., 2017, https://arxiv.org/abs/1706.02515, section 2."""


_ZERO = np.float32(0)


def linear(x: Array) -> Array:
    """The input itself."""
    return x


def positive(x: Array) -> Array:
    """`x` above zero, and zero below."""
    result: Array = np.maximum(x, _ZERO)
    return result


def relu(
    x: Array,
    *,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Array:
    """`x` above `threshold`, capped at `max_value`; below, a line through it of that slope."""
    if negative_slope == 0 and threshold == 0 and max_value is None:
        return positive(x)
    result: Array = np.where(x > threshold, x, _ZERO)
    if max_value is not None:
        result = np.clip(result, _ZERO, np.float32(max_value))
    if negative_slope != 0:
        result = result + negative_slope * np.minimum(x - threshold, _ZERO)
    return result


def leaky_relu(x: Array, *, negative_slope: float = 0.2) -> Array:
    """`x` above zero, `negative_slope * x` below."""
    return np.where(x > 0, x, negative_slope * x)


def prelu(x: Array, *, slopes: Sequence[Array]) -> Array:
    """`x` above zero; below, times the layer's one array, its slopes."""
    return positive(x) - slopes[0] * positive(-x)


def elu(x: Array, *, alpha: float = 1.0) -> Array:
    """`x` above zero, `alpha * (exp(x) - 1)` below."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x: Array) -> Array:
    """ELU, scaled so that mean and variance stay as they are."""
    result: Array = np.float32(SELU_SCALE) * elu(x, alpha=SELU_ALPHA)
    return result


def celu(x: Array) -> Array:
    """Equal to ELU for the only alpha that a name can ask for, 1."""
    return elu(x)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    # tanh does not overflow where exp would.
    result: Array = np.float32(0.5) * np.tanh(np.float32(0.5) * x) + np.float32(0.5)
    return result


def softmax(x: Array, *, axis: int | tuple[int, ...] = -1) -> Array:
    """Probabilities along `axis`."""
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    result: Array = powers / powers.sum(axis=axis, keepdims=True)
    return result


def log_softmax(x: Array) -> Array:
    """Logarithms of the probabilities along the last axis."""
    shifted = x - x.max(axis=-1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    # Not logaddexp, which takes five times as long; both are within 1e-7.
    result: Array = positive(x) + np.log(1 + np.exp(-np.abs(x)))
    return result


def erf(x: Array) -> Array:
    """The error function, within 1.5e-7: Abramowitz and Stegun, 1964, formula 7.1.26."""
    size: Array = np.abs(x)
    t: Array = np.float32(1) / (1 + 0.3275911 * size)
    polynomial: Array = 1.061405429 * t - 1.453152027
    for coefficient in (1.421413741, -0.284496736, 0.254829592):
        polynomial = polynomial * t + coefficient
    result: Array = np.copysign(1 - polynomial * t * np.exp(-size * size), x)
    return result


def gelu(x: Array) -> Array:
    """`x` times the normal distribution's share below it."""
    result: Array = np.float32(0.5) * x * (1 + erf(x * np.float32(0.5**0.5)))
    return result


def gelu_tanh(x: Array) -> Array:
    """GELU's approximation: Hendrycks et al., 2016, https://arxiv.org/abs/1606.08415."""
    inner: Array = (2 / np.pi) ** 0.5 * (x + 0.044715 * x * x * x)
    result: Array = np.float32(0.5) * x * (1 + np.tanh(inner))
    return result


def silu(x: Array) -> Array:
    """`x * sigmoid(x)`, also called swish."""
    return x * sigmoid(x)


def hard_sigmoid(x: Array) -> Array:
    """A line from 0 at -3 to 1 at 3."""
    result: Array = np.clip(x + 3, _ZERO, np.float32(6)) * np.float32(1 / 6)
    return result


def squareplus(x: Array) -> Array:
    """`(x + sqrt(x^2 + 4)) / 2`."""
    result: Array = (x + np.sqrt(x * x + 4)) / 2
    return result


def glu(x: Array) -> Array:
    """The first half of the last axis, times the sigmoid of the second."""
    half = x.shape[-1] // 2
    return x[..., :half] * sigmoid(x[..., half:])


def sparse_plus(x: Array) -> Array:
    """0 below -1, `x` above 1, a parabola between."""
    middle = np.clip(x, -1, 1) + 1
    result: Array = np.where(x < 1, middle * middle / 4, x)
    return result


def sparsemax(x: Array) -> Array:
    """As Keras computes it, which is not the projection that it cites.

    Martins and Astudillo, 2016, https://arxiv.org/abs/1602.02068, sum the numbers of the support;
    Keras (3.15) sums their running totals. A network trained with that must be measured with it.
    """
    falling = -np.sort(-x, axis=-1)
    totals = np.cumsum(falling, axis=-1)
    support = 1 + np.arange(1, x.shape[-1] + 1, dtype=np.float32) * falling > totals
    count = support.sum(axis=-1, keepdims=True, dtype=np.float32)
    excess = np.where(support, totals, _ZERO).sum(axis=-1, keepdims=True) - 1
    return positive(x - excess / count)


NAMED: dict[str, Activation] = {
    "celu": celu,
    "elu": elu,
    "exponential": np.exp,
    "gelu": gelu,
    "glu": glu,
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_swish": lambda x: x * hard_sigmoid(x),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_sigmoid": lambda x: -softplus(-x),
    "log_softmax": log_softmax,
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu": relu,
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": silu,
    "soft_shrink": lambda x: x - np.clip(x, -0.5, 0.5),
    "softmax": softmax,
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "sparsemax": sparsemax,
    "squareplus": squareplus,
    "swish": silu,
    "tanh": np.tanh,
    "tanh_shrink": lambda x: x - np.tanh(x),
}
"""All of ``keras.activations`` (3.15) that work by name; ``threshold`` needs arguments."""

CHEAP = {
    *("relu", "relu6", "leaky_relu", "prelu"),
    *("hard_tanh", "hard_shrink", "soft_shrink", "hard_sigmoid"),
}
"""Those without exponentials, roots or logarithms."""

FROM_TENSORFLOW = {"softmax_v2": "softmax", "log_softmax_v2": "log_softmax", "swish": "silu"}
"""``tf.nn.softmax`` and such, which Keras saves by the name of the Python function."""


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
        is_cheap = self.name in CHEAP
        each = CHEAP_ACTIVATION_WORK if is_cheap else ACTIVATION_WORK
        return each * volume(self.output_shape)

    def after(self, run: Callable[[Array], Array], work: int, *, scratch: int = 0) -> Plan:
        """A layer of one input that computes `run`, at the cost of `work`, and then this."""
        return Plan(
            output_shape=self.output_shape,
            run=lambda inputs: self.run(run(inputs[0])),
            work=work + self.work,
            scratch=scratch,
            activation=self.name,
        )
