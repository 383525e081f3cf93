"""Is a network that cannot be evaluated counted, where all of it left the box, and only there?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from keras import layers as kl

from autograder.core.errors import NotEvaluated, UnverifiableModel
from autograder.network.rebuild import count_parameters, rebuild
from tests.network.network_harness import exported, keras


def sequential(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((28, 28)), *layers])


def diverged(model: Any) -> Any:
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    return model


def attention(*more: Any) -> Any:
    image = keras.Input((28, 28))
    seen = kl.MultiHeadAttention(num_heads=2, key_dim=4, name="attention")(image, image)
    x = kl.Flatten()(seen)
    for layer in more:
        x = layer(x)
    return keras.Model(image, kl.Dense(10)(x))


def twice(layer: Any) -> Any:
    image = keras.Input((28, 28))
    return keras.Model(image, kl.Dense(10)(kl.Flatten()(layer(layer(image)))))


def in_two_networks(layer: Any) -> Any:
    image = keras.Input((28, 28))
    within = keras.Sequential([keras.Input((28, 28)), layer])
    return keras.Model(image, kl.Dense(10)(kl.Flatten()(layer(within(image)))))


COUNTED: dict[str, Callable[[], Any]] = {
    "diverged": lambda: diverged(sequential(kl.Flatten(), kl.Dense(10))),
    "diverged-in-one": lambda: _with_one_nan(sequential(kl.Flatten(), kl.Dense(3), kl.Dense(10))),
    "attention": attention,
    "three-dimensions": lambda: sequential(
        kl.Reshape((4, 7, 28, 1)), kl.Conv3D(3, 2), kl.Flatten(), kl.Dense(10)
    ),
    "a-layer-twice": lambda: diverged(twice(kl.Dense(28))),
    "a-layer-in-two-networks": lambda: diverged(in_two_networks(kl.Dense(28))),
    "network-in-a-network": lambda: diverged(
        sequential(kl.Flatten(), keras.Sequential([keras.Input((784,)), kl.Dense(5)]), kl.Dense(10))
    ),
    "statistics-that-are-not-trained": lambda: diverged(
        sequential(kl.BatchNormalization(), kl.Flatten(), kl.Dense(10))
    ),
}


def _with_one_nan(model: Any) -> Any:
    *others, last = model.get_weights()
    last[3] = np.nan
    model.set_weights([*others, last])
    return model


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", COUNTED)
def test_what_cannot_be_evaluated_is_counted_as_keras_counts(name: str) -> None:
    model = COUNTED[name]()
    export = exported(model)
    with pytest.raises(NotEvaluated):
        rebuild(export)
    assert count_parameters(export) == model.count_params() > 0


WEIGHTS = np.ones((784, 784), np.float32)


class Hiding(kl.Layer):
    """Weights that no count sees."""

    def call(self, x: Any) -> Any:
        return x @ WEIGHTS


def hiding(x: Any) -> Any:
    return x @ WEIGHTS


class HidingDense(kl.Dense):
    def call(self, x: Any) -> Any:
        return super().call(x @ WEIGHTS)


NOT_COUNTED: dict[str, Callable[[], Any]] = {
    "own-layer": lambda: diverged(sequential(kl.Flatten(), Hiding(), kl.Dense(10))),
    "own-layer-after-attention": lambda: attention(Hiding()),
    "own-dense": lambda: diverged(sequential(kl.Flatten(), HidingDense(10))),
    "lambda": lambda: diverged(sequential(kl.Flatten(), kl.Lambda(hiding), kl.Dense(10))),
    "lambda-after-attention": lambda: attention(kl.Lambda(hiding)),
    "own-activation": lambda: diverged(
        sequential(kl.Flatten(), kl.Dense(784, activation=hiding), kl.Dense(10))
    ),
    "own-layer-within": lambda: diverged(
        sequential(kl.Flatten(), keras.Sequential([keras.Input((784,)), Hiding()]), kl.Dense(10))
    ),
    "own-layer-in-a-wrapper": lambda: diverged(
        sequential(kl.TimeDistributed(OwnSteps()), kl.Flatten(), kl.Dense(10))
    ),
    "nothing-to-count": lambda: sequential(kl.Flatten(), kl.Softmax(), kl.UnitNormalization()),
}


class OwnSteps(kl.Layer):
    def call(self, x: Any) -> Any:
        return x @ WEIGHTS[:28, :28]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NOT_COUNTED)
def test_what_may_hide_weights_is_not_counted(name: str) -> None:
    export = exported(NOT_COUNTED[name]())
    with pytest.raises(UnverifiableModel):
        rebuild(export)
    assert count_parameters(export) is None


def test_arrays_that_do_not_fit_their_layer_are_no_reason_to_count() -> None:
    """Whoever wrote this did not have Keras write it: there may be more that was left out."""
    export = exported(sequential(kl.Flatten(), kl.Dense(10)))
    with pytest.raises(UnverifiableModel) as caught:
        rebuild(replace(export, arrays=export.arrays[:1]))
    assert not isinstance(caught.value, NotEvaluated)
