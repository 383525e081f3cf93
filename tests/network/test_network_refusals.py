"""What is not rebuilt, and whether the student is told which layer and what to use instead."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl

from autograder.core.errors import UnverifiableModel
from autograder.network.rebuild import rebuild
from tests.network.network_harness import exported


def refusal_of(model: Any) -> Any:
    """The sentence that the student reads."""
    with pytest.raises(UnverifiableModel) as caught:
        rebuild(exported(model))
    text = str(caught.value)
    assert caught.value.__cause__ is None, "an honest network gets a sentence of its own"
    assert "\n" not in text
    assert text.endswith(".")
    return text


class Dense(kl.Dense):
    """Named as Keras's, but it is not."""

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) * 2


@keras.saving.register_keras_serializable(package="Course")
class Registered(kl.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs


class Functional(keras.Model):
    """A functional network with another call."""


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = kl.Dense(4)
        self.digits = kl.Dense(10)

    def call(self, inputs: Any) -> Any:
        return self.digits(self.hidden(inputs))


def doubled(x: Any) -> Any:
    return x * 2


def flat(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((12,)), *layers, kl.Dense(10)])


def images(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((8, 8, 1)), *layers, kl.Flatten(), kl.Dense(10)])


def sequence(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((8, 8)), *layers, kl.Flatten(), kl.Dense(10)])


def subclassed() -> Any:
    model = Subclassed()
    model(np.zeros((1, 12), np.float32))
    return model


def subclass_of_functional() -> Any:
    source = keras.Input((12,))
    return Functional(source, kl.Dense(10)(source))


def attention() -> Any:
    source = keras.Input((8, 8))
    x = kl.MultiHeadAttention(2, 4)(source, source)
    return keras.Model(source, kl.Dense(10)(kl.Flatten()(x)))


def two_inputs() -> Any:
    sources = [keras.Input((12,)), keras.Input((12,))]
    return keras.Model(sources, kl.Dense(10)(kl.Add()(sources)))


def two_outputs() -> Any:
    source = keras.Input((12,))
    return keras.Model(source, [kl.Dense(10)(source), kl.Dense(1)(source)])


def operation(function: Any) -> Any:
    source = keras.Input((12,))
    return keras.Model(source, kl.Dense(10)(kl.Flatten()(function(source))))


def stateful() -> Any:
    source = keras.Input(batch_shape=(5, 8, 8))
    return keras.Model(source, kl.Dense(10)(kl.LSTM(4, stateful=True)(source)))


def cubes(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((8, 8, 8, 1)), *layers, kl.Flatten(), kl.Dense(10)])


def unsupported_operation() -> Any:
    source = keras.Input((12,))
    return keras.Model(source, kl.Dense(10)(keras.ops.sort(source)))


NOT_REBUILT = {
    "lambda": (lambda: flat(kl.Lambda(doubled, name="twice")), "'twice' (Lambda)", "Rescaling"),
    "masking": (lambda: sequence(kl.Masking(name="gaps")), "'gaps' (Masking)", "Flatten and Dense"),
    "cell": (lambda: sequence(kl.RNN(kl.LSTMCell(4), name="memory")), "'memory' (RNN)", "Use LSTM"),
    "time": (
        lambda: sequence(kl.TimeDistributed(kl.LayerNormalization(name="inner"), name="each")),
        "'each/inner' (LayerNormalization)",
        "Dense",
    ),
    "stateful": (stateful, "(LSTM)", "stateful=False"),
    "conv3d": (lambda: cubes(kl.Conv3D(4, 3)), "(Conv3D)", "Conv2D and MaxPooling2D"),
    "transposed": (lambda: images(kl.Conv2DTranspose(2, 3)), "(Conv2DTranspose)", "Conv2D"),
    "attention": (attention, "(MultiHeadAttention)", "Conv2D"),
    "resizing": (
        lambda: images(kl.Resizing(4, 4, interpolation="lanczos3")),
        "(Resizing)",
        "interpolation='bilinear'",
    ),
    "up-sampling": (
        lambda: images(kl.UpSampling2D(interpolation="lanczos3")),
        "(UpSampling2D)",
        "nearest, bilinear, bicubic",
    ),
    "resizing-padded": (
        lambda: images(kl.Resizing(4, 4, pad_to_aspect_ratio=True)),
        "(Resizing)",
        "pad_to_aspect_ratio=True",
    ),
    "array": (lambda: operation(lambda x: x * np.arange(12.0)), "(Multiply)", "Rescaling"),
    "tensor": (lambda: operation(lambda x: x + keras.ops.ones(12)), "(Add)", "no layer's weights"),
    "matrix": (lambda: operation(lambda x: x @ np.eye(12)), "(Matmul)", "no layer's weights"),
    "whole-batch": (lambda: operation(lambda x: x - keras.ops.mean(x)), "(Mean)", "axis=-1"),
    "first-axis": (lambda: operation(lambda x: x[:5, :]), "(GetItem)", "x[:, 0]"),
    "mixed-images": (lambda: operation(lambda x: keras.ops.reshape(x, (-1, 6))), "", "Reshape"),
    "unit-norm": (
        lambda: flat(kl.UnitNormalization()),
        "(UnitNormalization)",
        "BatchNormalization",
    ),
    "own-dense": (lambda: flat(Dense(3)), "(Dense) is of a class of your own", "Keras's own"),
    "own-registered": (lambda: flat(Registered()), "(Registered)", "class of your own"),
    "own-nested": (
        lambda: flat(keras.Sequential([keras.Input((12,)), Dense(3, name="d")], name="n")),
        "'n/d' (Dense)",
        "class of your own",
    ),
    "subclassed": (subclassed, "Subclassed (layers: Dense)", "keras.Sequential"),
    "subclassed-functional": (subclass_of_functional, "(Functional)", "class of your own"),
    "two-inputs": (two_inputs, "2 inputs", "one input"),
    "two-outputs": (two_outputs, "2 outputs", "one output"),
    "operation": (unsupported_operation, "(Sort)", "Dense or Conv2D"),
    "own-activation": (
        lambda: flat(kl.Dense(3, activation=doubled)),
        "(Dense) has an activation that the grader does not know (doubled)",
        "activation='relu'",
    ),
    "lambda-activation": (
        lambda: flat(kl.Dense(3, activation=lambda x: x)),
        "(Dense)",
        "activation='relu'",
    ),
    "partial-activation": (
        lambda: flat(kl.Dense(3, activation=functools.partial(keras.activations.relu))),
        "(Dense)",
        "Keras's own layers",
    ),
    "threshold": (
        lambda: flat(kl.Activation(keras.activations.threshold)),
        "(Activation)",
        "activation='relu'",
    ),
    "not-built": (lambda: keras.Sequential([kl.Dense(10)]), "no weights yet", "model.fit"),
    "no-model": (lambda: {"a": 1}, "(dict) is no Keras model", "keras.Sequential"),
    "none": (lambda: None, "(NoneType) is no Keras model", "keras.Sequential"),
    "class": (lambda: keras.Model, "is no Keras model", "keras.Sequential"),
    "one-layer": (lambda: kl.Dense(3), "(Dense) is no Keras model", "keras.Sequential"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NOT_REBUILT)
def test_refusal_names_the_layer_and_says_what_to_use(name: Any) -> None:
    build, named, advice = NOT_REBUILT[name]
    if name == "threshold":
        model = keras.Sequential([keras.Input((12,)), kl.Dense(10)])
        model.add(kl.Activation("linear"))
        model.layers[-1].activation = keras.activations.threshold
    else:
        model = build()
    text = refusal_of(model)
    assert named in text
    assert advice in text


def test_channels_first() -> None:
    network = exported(images(kl.Conv2D(2, 3)))
    network.network.config["layers"][1]["config"]["data_format"] = "channels_first"
    with pytest.raises(UnverifiableModel, match="channels_last"):
        rebuild(network)


def test_diverged_training() -> None:
    model = flat(kl.Dense(3, name="first"))
    weights = np.zeros((12, 3), np.float32)
    weights[1, 2] = np.nan
    model.layers[0].set_weights([weights, np.zeros(3)])
    text = refusal_of(model)
    assert "'first'" in text
    assert "learning rate" in text


def test_weights_beyond_single_precision() -> None:
    model = flat(kl.Dense(3, dtype="float64"))
    model.layers[0].set_weights([np.full((12, 3), 1e300), np.zeros(3)])
    assert "too large" in refusal_of(model)


def test_names_from_the_notebook_are_shown_on_one_line_and_short() -> None:
    network = exported(flat(kl.Dense(3)))
    layer = network.network.config["layers"][1]
    layer["class_name"] = "\x1b[31m\n<b>" + "x" * 150
    with pytest.raises(UnverifiableModel) as caught:
        rebuild(network)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "x" * 100 not in str(caught.value)


def wide() -> Any:
    return images(kl.Conv2D(32, 3, padding="same"), kl.Conv2D(32, 5, padding="same"))


def tall() -> Any:
    return keras.Sequential([keras.Input((12,)), *(kl.Dense(4) for _ in range(20)), kl.Dense(10)])


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("MAX_WORK", 100_000, "operations"),
        ("MAX_ELEMENTS", 10_000, "numbers in memory"),
    ],
)
def test_network_beyond_a_limit_is_refused_before_it_is_computed(
    monkeypatch: pytest.MonkeyPatch, limit: Any, value: Any, words: Any
) -> None:
    export = exported(wide())
    monkeypatch.setattr(f"autograder.network.graph.{limit}", value)
    with pytest.raises(UnverifiableModel, match=words):
        rebuild(export)


def test_too_many_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    export = exported(tall())
    monkeypatch.setattr("autograder.network.graph.MAX_STEPS", 20)
    with pytest.raises(UnverifiableModel):
        rebuild(export)
    monkeypatch.setattr("autograder.network.graph.MAX_STEPS", 22)
    rebuild(export)


def test_a_residual_network_of_some_size_is_within_the_limits() -> None:
    source = keras.Input((28, 28, 1))
    x = kl.Conv2D(32, 3, padding="same")(source)
    for filters in (32, 64, 128):
        for stride in (2, 1):
            y = kl.Conv2D(filters, 3, padding="same", strides=stride, activation="relu")(x)
            y = kl.BatchNormalization()(kl.Conv2D(filters, 3, padding="same")(y))
            x = kl.Activation("relu")(
                kl.Add()([kl.Conv2D(filters, 1, strides=stride, padding="same")(x), y])
            )
    rebuild(exported(keras.Model(source, kl.Dense(10)(kl.GlobalAveragePooling2D()(x)))))
