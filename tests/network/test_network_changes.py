"""Is the change that a refusal asks for one that is accepted? Each is made here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras import layers as kl

from tests.network.network_harness import assert_agrees
from tests.network.test_network_refusals import NOT_REBUILT, flat, images, operation, sequence


def one_way() -> Any:
    source = keras.Input((12,))
    return keras.Model(source, kl.Dense(10)(source))


def own_layer() -> Any:
    return flat(kl.Dense(3))


def own_activation() -> Any:
    return flat(kl.Dense(3, activation="relu"))


CHANGED: dict[str, Callable[[], Any]] = {
    "lambda": lambda: flat(kl.Rescaling(2.0)),
    "masking": lambda: sequence(kl.Flatten(), kl.Dense(4)),
    "cell": lambda: sequence(kl.LSTM(4)),
    "time": lambda: sequence(kl.TimeDistributed(kl.Dense(4))),
    "stateful": lambda: sequence(kl.LSTM(4, stateful=False)),
    "conv3d": lambda: images(kl.Conv2D(4, 3), kl.MaxPooling2D()),
    "transposed": lambda: images(kl.Conv2D(2, 3)),
    "attention": lambda: images(kl.Conv2D(4, 3)),
    "resizing": lambda: images(kl.Resizing(4, 4, interpolation="bilinear")),
    "resizing-padded": lambda: images(kl.Resizing(4, 4)),
    "array": lambda: operation(kl.Rescaling([float(number) for number in range(12)])),
    "tensor": lambda: operation(lambda x: x + 1.0),
    "matrix": lambda: operation(kl.Dense(12)),
    "whole-batch": lambda: operation(lambda x: x - keras.ops.mean(x, axis=-1, keepdims=True)),
    "first-axis": lambda: operation(lambda x: kl.Reshape((1,))(x[:, 0])),
    "mixed-images": lambda: operation(kl.Reshape((2, 6))),
    "up-sampling": lambda: images(kl.UpSampling2D(interpolation="bilinear")),
    "unit-norm": lambda: flat(kl.BatchNormalization()),
    "own-dense": own_layer,
    "own-registered": own_layer,
    "own-nested": lambda: flat(keras.Sequential([keras.Input((12,)), kl.Dense(3)])),
    "subclassed": own_layer,
    "subclassed-functional": one_way,
    "two-inputs": one_way,
    "two-outputs": one_way,
    "operation": own_layer,
    "own-activation": own_activation,
    "lambda-activation": own_activation,
    "partial-activation": own_activation,
    "threshold": own_activation,
    "not-built": own_layer,
    "no-model": own_layer,
    "none": own_layer,
    "class": own_layer,
    "one-layer": own_layer,
}
"""By the name of the refusal: the shortest change that it asks for, made."""


def test_each_refusal_has_its_change() -> None:
    assert set(CHANGED) == set(NOT_REBUILT)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHANGED)
def test_the_change_that_a_refusal_asks_for_is_accepted(name: str) -> None:
    assert_agrees(CHANGED[name]())
