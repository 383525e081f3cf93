"""Networks with code of the student's own: followed, and measured as what comes out."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers as kl
from keras import ops

from autograder.core.errors import UnverifiableModel
from autograder.network.export import read_export
from autograder.network.rebuild import rebuild
from autograder.sandbox.inside.export import export_network
from autograder.sandbox.inside.retrace import Hindrance, needs_retracing, retrace
from tests.network.network_harness import BOUNDED, assert_followed, exported, followed, randomize

IMAGES = np.random.default_rng(0).normal(0.3, 1.0, (5, 8, 8)).astype(np.float32)


class Model(keras.Model):
    """A network whose call is the function that it is given."""

    def __init__(self, call: Any, **parts: Any) -> None:
        super().__init__()
        self.flat, self.digits = kl.Flatten(), kl.Dense(10)
        self.hidden = kl.Dense(6, activation="relu")
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = call

    def call(self, x: Any, training: Any = None) -> Any:
        return self.function(self, x, training)


class Block(kl.Layer):
    """A layer of layers that acts otherwise in training."""

    def __init__(self, units: Any = 6) -> None:
        super().__init__()
        self.inner = kl.Dense(units, activation="tanh", name="inner")
        self.norm, self.drop = kl.BatchNormalization(), kl.Dropout(0.5)

    def call(self, x: Any, training: Any = None) -> Any:
        y = self.drop(self.norm(self.inner(x), training=training), training=training)
        return y + 100 if training else y


class Loop(keras.Model):
    """Layers in a list, and one that is made anew in each call."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = [kl.Dense(6, activation=tf.nn.relu) for _ in range(3)]

    def call(self, x: Any) -> Any:
        x = kl.Flatten()(x)
        for step in self.steps:
            x = step(x)
        return x


class OwnSequential(keras.Sequential):
    """Nothing changed but the name."""


class OwnFunctional(keras.Model):
    """A functional network, made within."""

    def __init__(self) -> None:
        source = keras.Input((8, 8))
        super().__init__(source, kl.Dense(10)(kl.Flatten()(source)))


class Decorated(keras.Model):
    """As TensorFlow's tutorials have it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.digits = kl.Conv2D(3, 3, activation="relu"), kl.Dense(10)
        self.conv.build((None, 8, 8, 1))
        self.digits.build((None, 6 * 6 * 3))

    @tf.function
    def call(self, x: Any) -> Any:
        x = tf.cast(x, tf.float32)[..., tf.newaxis] / 255.0
        x = tf.reshape(self.conv(x), [tf.shape(x)[0], -1])
        return tf.nn.softmax(self.digits(x))


def tensorflow_calls(model: Any, x: Any, training: Any) -> Any:
    x = tf.image.resize(tf.expand_dims(x, -1), (6, 7), method="nearest")
    x = tf.image.flip_left_right(tf.pad(x, [[0, 0], [1, 0], [0, 1], [0, 0]]))
    x = tf.squeeze(tf.transpose(x, (0, 3, 2, 1)), axis=1)
    x = tf.concat([tf.nn.relu(x), tf.nn.leaky_relu(x), tf.nn.elu(x)], axis=-1)
    x = tf.stack([tf.abs(x), tf.square(x), tf.sqrt(tf.exp(x)), tf.pow(x, 2)], axis=-1)
    x = tf.reduce_mean(x, axis=[1, 3]) + tf.reduce_max(x, axis=(1, 3), keepdims=False)
    x = tf.where(x > 0.3, tf.sigmoid(x), tf.maximum(tf.tanh(x), 0.1))
    x = tf.clip_by_value(tf.identity(x), 0.0, 0.9) + tf.nn.gelu(x) * tf.nn.swish(x)
    return tf.nn.softmax(model.digits(tf.subtract(tf.multiply(x, 2.0), 0.5)))


def with_own_blocks() -> Any:
    source = keras.Input((8, 8))
    shared = Block(6)
    x = shared(Block(6)(kl.Flatten()(source)))
    return keras.Model(source, kl.Dense(10)(shared(x)))


def nested() -> Any:
    inner = keras.Sequential([Block(4), Block(5), kl.GaussianNoise(0.3)])
    plain = keras.Sequential([kl.Dense(4), kl.ReLU()])
    return keras.Sequential([keras.Input((8, 8)), kl.Flatten(), plain, inner, kl.Dense(10)])


def flat(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((8, 8)), kl.Flatten(), *layers, kl.Dense(10)])


FOLLOWED = {
    "subclass": lambda: Model(lambda m, x, training: m.digits(m.hidden(m.flat(x)))),
    "sequential": lambda: OwnSequential([kl.Flatten(), kl.Dense(10)]),
    "functional": OwnFunctional,
    "loop": Loop,
    "decorated": Decorated,
    "blocks": with_own_blocks,
    "nested": nested,
    "lambda": lambda: flat(kl.Lambda(lambda x: x / 255.0), kl.Dense(4)),
    "lambda-tensorflow": lambda: keras.Sequential(
        [
            keras.Input((8, 8)),
            kl.Lambda(lambda x: tf.expand_dims(x, -1)),
            kl.Conv2D(2, 3),
            kl.Lambda(lambda x: ops.mean(x, axis=[1, 2])),
            kl.Dense(10),
        ]
    ),
    "tensorflow": lambda: Model(tensorflow_calls),
    "augmentation-in-training": lambda: Model(
        lambda m, x, training: m.digits(m.flat(m.noise(x) if training else x)),
        noise=kl.GaussianNoise(0.9),
    ),
    "residual": lambda: Model(
        lambda m, x, training: m.digits(m.hidden(m.flat(x)) + m.second(m.flat(x)) * 0.5),
        second=kl.Dense(6),
    ),
    "recurrent": lambda: Model(lambda m, x, training: m.digits(m.memory(x)), memory=kl.LSTM(4)),
    "rows": lambda: Model(lambda m, x, training: m.digits(x[:, -1]) + m.digits(x[:, 0, :])),
    "lambda-activation": lambda: flat(kl.Dense(5, activation=lambda x: ops.maximum(x, 0.1))),
    "partial-activation": lambda: flat(
        kl.Dense(5, activation=functools.partial(keras.activations.relu, max_value=0.5))
    ),
    "scalar-weight": lambda: flat(Scaled(), kl.Dense(4)),
    "own-dense": lambda: flat(OwnDense(lambda x, w, b: ops.matmul(x, w) + b)),
    "own-dense-operator": lambda: flat(OwnDense(lambda x, w, b: ops.add(x @ w, b))),
    "own-dense-tensorflow": lambda: flat(
        OwnDense(lambda x, w, b: tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w), b)))
    ),
    "own-dense-value": lambda: flat(OwnDense(lambda x, w, b: ops.dot(x, w.value) + b.value)),
    "own-dense-on-rows": lambda: keras.Sequential(
        [keras.Input((8, 8)), OwnDense(lambda x, w, b: x @ w + b), kl.Flatten(), kl.Dense(10)]
    ),
    "own-scale": lambda: flat(OwnDense(lambda x, w, b: b + b * (x @ w - b) / b)),
    "own-bias-of-a-row": lambda: flat(OwnDense(lambda x, w, b: x @ w + b, bias=(1, 6))),
    "held-beside": lambda: Model(
        lambda m, x, training: m.digits(m.flat(x)), unused=keras.Sequential([kl.Dense(7)])
    ),
}


class OwnDense(kl.Layer):
    """As Keras's own guide has it, with the function of its input and weights that is given."""

    def __init__(self, function: Any, bias: Any = (6,)) -> None:
        super().__init__()
        self.function, self.bias = function, bias

    def build(self, shape: Any) -> None:
        self.w = self.add_weight(shape=(shape[-1], 6), initializer="random_normal")
        self.b = self.add_weight(shape=self.bias)

    def call(self, x: Any) -> Any:
        return self.function(x, self.w, self.b)


class Scaled(kl.Layer):
    """Multiplies by one learned number."""

    def build(self, shape: Any) -> None:
        self.factor = self.add_weight(shape=(), initializer="ones")

    def call(self, x: Any) -> Any:
        return x * self.factor


@pytest.mark.parametrize("name", FOLLOWED)
def test_code_is_followed_and_computes_as_in_the_notebook(name: Any) -> None:
    model = FOLLOWED[name]()
    if name == "held-beside":
        model.unused.build((None, 50))
    with pytest.raises(UnverifiableModel):
        model(IMAGES)
        rebuild(exported(model))
    assert_followed(model, IMAGES)


@settings(BOUNDED, max_examples=12)
@given(st.data())
def test_random_subclassed_networks(data: Any) -> None:
    units = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    kinds = [data.draw(st.sampled_from(["dense", "block", "lambda", "residual"])) for _ in units]
    parts = {
        f"part_{i}": Block(size) if kind == "block" else kl.Dense(size)
        for i, (kind, size) in enumerate(zip(kinds, units, strict=True))
    }

    def call(model: Any, x: Any, training: Any) -> Any:
        x = model.flat(x)
        for i, kind in enumerate(kinds):
            y = getattr(model, f"part_{i}")(x)
            if kind == "lambda":
                y = kl.Lambda(lambda z: tf.nn.relu(z) - 0.1)(y)
            x = ops.concatenate([x, y], axis=-1) if kind == "residual" else y
        return model.digits(x)

    assert_followed(Model(call, **parts), IMAGES)


@settings(BOUNDED, max_examples=8)
@given(st.data())
def test_random_own_layers_with_weights(data: Any) -> None:
    parts = {
        "matmul": lambda x, layer: ops.matmul(x, layer.weight(x.shape[-1], 5)),
        "operator": lambda x, layer: x @ layer.weight(x.shape[-1], 3),
        "dense": lambda x, layer: tf.matmul(x, layer.weight(x.shape[-1], 4)) + layer.weight(4),
        "bias": lambda x, layer: layer.weight(x.shape[-1]) + x,
        "scale": lambda x, layer: x * layer.weight(1, x.shape[-1]),
        "gate": lambda x, layer: ops.tanh(x) * layer.weight(1),
        "difference": lambda x, layer: ops.subtract(x, layer.weight(*x.shape[1:])),
        "softplus": lambda x, layer: ops.softplus(x),
    }
    chosen = data.draw(st.lists(st.sampled_from(sorted(parts)), min_size=1, max_size=4))
    is_flat = data.draw(st.booleans())

    class Own(kl.Layer):
        def weight(self, *shape: Any) -> Any:
            if not self.is_followed:
                self.made.append(self.add_weight(shape=shape))
                return self.made[-1]
            return next(self.waiting)

        def build(self, shape: Any) -> None:
            self.made: list[Any] = []
            self.is_followed = False
            self.call(ops.zeros((2, *shape[1:])))

        def call(self, x: Any) -> Any:
            self.waiting = iter(self.made)
            for name in chosen:
                x = parts[name](x, self)
            self.is_followed = True
            return x

    begin = [kl.Flatten()] if is_flat else []
    layers = [keras.Input((8, 8)), *begin, Own(), kl.Flatten(), kl.Dense(10)]
    assert_followed(keras.Sequential(layers), IMAGES)


def arrays_of(*shapes: Any) -> Any:
    """How the exporter lists arrays that one operation holds, and their bytes."""
    entries, content = [], b""
    for index, shape in enumerate(shapes):
        values = np.ones(shape, np.float32)
        entries.append(
            {
                "layer": ["operation"],
                "index": index,
                "name": "w",
                "shape": list(shape),
                "dtype": "float32",
                "trainable": True,
                "offset": len(content),
                "bytes": values.nbytes,
            }
        )
        content += values.tobytes()
    return entries, content


@pytest.mark.parametrize(
    ("kind", "shapes", "outcome"),
    [
        ("Add", [(3,)], 3),
        ("Matmul", [(3, 10)], 30),
        ("Matmul", [(60_000, 10)], "for (3, 10)"),
        ("Matmul", [(3,)], "two axes"),
        ("Matmul", [(2, 3, 10)], "two axes"),
        ("Matmul", [(3, 10), (3, 10)], "one weight"),
        ("Matmul", [], "one weight"),
        ("Add", [], "other than 2 values"),
        ("Add", [(3,), (3,)], "one weight"),
        ("Add", [(5, 3)], "a weight of shape (5, 3)"),
        ("Multiply", [(1, 1, 3)], "a weight of shape (1, 1, 3)"),
        ("Multiply", [(4,)], "cannot join"),
        ("Power", [(3,)], "other than 2 values"),
        ("Greater", [(3,)], "other than 2 values"),
        ("Take", [(60_000, 10)], "(Take)"),
        ("GetItem", [(60_000, 10)], "1 arrays of weights"),
        ("Absolute", [(3,)], "1 arrays of weights"),
        ("Relu", [(3,)], "1 arrays of weights"),
    ],
)
def test_what_an_operation_may_hold(kind: Any, shapes: Any, outcome: Any, tmp_path: Path) -> None:
    """Written as if by the exporter: it could be the student's own hand."""
    source = keras.Input((3,))
    plain = keras.Model(source, keras.ops.relu(source))
    export_network(plain, tmp_path, chosen_by="the test's model")
    description = json.loads((tmp_path / "network.json").read_text())
    config = description["network"]["config"]
    config["layers"][1].update(class_name=kind, registered_name=kind, name="operation")
    config["layers"][1]["module"] = "keras.src.ops.numpy"
    config["layers"][1]["config"]["name"] = "operation"
    config["output_layers"] = ["operation", 0, 0]
    description["arrays"], content = arrays_of(*shapes)
    (tmp_path / "network.json").write_text(json.dumps(description))
    (tmp_path / "weights.bin").write_bytes(content)
    export = read_export(tmp_path, max_bytes=1 << 24)
    if isinstance(outcome, int):
        assert rebuild(export).parameters == outcome
        return
    with pytest.raises(UnverifiableModel) as refused:
        rebuild(export)
    assert outcome in str(refused.value)


def test_a_weight_that_two_layers_use_is_counted_once() -> None:
    class Tied(kl.Layer):
        def __init__(self, of: Any) -> None:
            super().__init__()
            self.of = of

        def build(self, shape: Any) -> None:
            self.of.built or self.of.build((None, 64))
            self.w = self.of.w

        def call(self, x: Any) -> Any:
            return x @ self.w

    first = OwnDense(lambda x, w, b: x @ w + b)
    model = flat(first, kl.Dense(64), Tied(first))
    assert_followed(model, IMAGES, parameters=64 * 6 + 6 + 6 * 64 + 64 + 6 * 10 + 10)


def test_weights_are_counted_that_only_the_graph_has_or_only_the_model() -> None:
    elsewhere = kl.Dense(300)

    class Hidden(kl.Layer):
        def call(self, x: Any) -> Any:
            return elsewhere(x)

    model = flat(Hidden())
    assert model.count_params() == 3010
    assert_followed(model, IMAGES, parameters=64 * 300 + 300 + 3010)

    model = Model(lambda m, x, training: m.digits(m.flat(x)), big=kl.Dense(500))
    model.big.build((None, 64))
    network = assert_followed(model, IMAGES)
    assert network.parameters == 650 + 64 * 500 + 500


def test_layers_called_as_in_training_are_measured_as_in_evaluation_and_named() -> None:
    model = Model(
        lambda m, x, training: m.digits(m.drop(m.flat(x), training=True)),
        drop=kl.Dropout(0.5, name="always"),
    )
    model(IMAGES)
    export = followed(model)
    assert export.always_training == ("always",)
    network = rebuild(export)
    assert len(network.remarks) == 1
    assert "'always'" in network.remarks[0]
    flat_images = IMAGES.reshape(5, 64)
    kernel, bias = model.digits.get_weights()
    np.testing.assert_allclose(network.predict(IMAGES), flat_images @ kernel + bias, atol=1e-4)


def test_plain_networks_are_left_alone() -> None:
    source = keras.Input((8, 8, 1))
    x = kl.RandomFlip()(kl.Rescaling(1 / 255)(source))
    x = kl.Dense(3, activation=tf.nn.relu)(keras.Sequential([kl.Flatten()])(x / 2))
    assert not needs_retracing(keras.Model(source, kl.Dense(3, activation=kl.ReLU())(x)))
    assert not needs_retracing("model")


TABLE = np.random.default_rng(0).normal(size=(64, 10)).astype(np.float32)


class Untracked(kl.Layer):
    """Holds an array where Keras does not look for weights."""

    def build(self, shape: Any) -> None:
        self.kept = np.ones((2, shape[-1], 6), np.float32)

    def call(self, x: Any) -> Any:
        return x @ self.kept[0]


def with_if(model: Any, x: Any, training: Any) -> Any:
    x = model.flat(x)
    if x[0, 0] > 0:
        x = x * 2
    return model.digits(x)


def leaving(model: Any, x: Any, training: Any) -> Any:
    if isinstance(x, keras.KerasTensor):
        raise SystemExit(3)
    return model.digits(model.flat(x))


def untraced(call: Any) -> Any:
    """A model that was built without its call, which fails where it is compiled."""
    model = Model(call)
    model.build((None, 8, 8))
    return model


HINDERED = {
    "array": (lambda: Model(lambda m, x, training: m.flat(x) @ TABLE), "640 numbers", "Dense"),
    "tensor": (
        lambda: Model(lambda m, x, training: m.flat(x) + tf.constant(TABLE[:, 0])),
        "64 numbers",
        "tf.constant(TABLE[:, 0])",
    ),
    "lambda-table": (
        lambda: flat(kl.Lambda(lambda x: tf.matmul(x, TABLE))),
        "640 numbers",
        "Dense",
    ),
    "own-weights": (
        lambda: flat(OwnDense(lambda x, w, b: x @ (w * 2) + b)),
        "384 numbers that is not a layer's weight",
        "x @ (w * 2)",
    ),
    "own-untracked": (lambda: flat(Untracked()), "384 numbers", "x @ self.kept[0]"),
    "own-table": (
        lambda: flat(OwnDense(lambda x, w, b: ops.take(w, ops.cast(x[:, 0], "int32"), axis=0))),
        "in Take",
        "layers.Dense",
    ),
    "tensorflow": (
        lambda: Model(lambda m, x, training: m.digits(m.flat(tf.sort(x)))),
        "TensorFlow's sort",
        "keras.ops",
    ),
    "numpy": (
        lambda: untraced(lambda m, x, training: m.digits(np.reshape(x, (-1, 64)))),
        "NumPy",
        "np.reshape(x, (-1, 64))",
    ),
    "if": (lambda: untraced(with_if), "decides", "if x[0, 0] > 0:"),
    "exit": (lambda: Model(leaving), "SystemExit", "raise SystemExit(3)"),
    "two-outputs": (
        lambda: Model(lambda m, x, training: [m.digits(m.flat(x)), m.flat(x)]),
        "one tensor",
        "",
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", HINDERED)
def test_what_cannot_be_followed_is_told_with_its_line(name: Any) -> None:
    build, why, line = HINDERED[name]
    model = build()
    if not model.built:
        model(IMAGES)
    with pytest.raises(Hindrance) as caught:
        retrace(model)
    text, remedy = str(caught.value), caught.value.remedy
    assert why in text
    assert line in f"{text} {remedy}"
    assert text.startswith("Your ")
    assert "\n" not in text
    with pytest.raises(UnverifiableModel) as refused:
        rebuild(exported(model, hindrance=text, remedy=remedy))
    assert (str(refused.value), refused.value.next_step) == (text, remedy)


def test_keras_is_as_before_once_a_call_has_failed() -> None:
    before = kl.Layer.__call__, keras.Operation.symbolic_call
    model = Model(leaving)
    model(IMAGES)
    with pytest.raises(Hindrance):
        retrace(model)
    assert (kl.Layer.__call__, keras.Operation.symbolic_call) == before


def test_the_network_that_is_measured_is_the_one_that_came_out() -> None:
    """A call that shows a better network where it is symbolic changes what is measured, no more."""
    model = Model(
        lambda m, x, training: m.digits(m.flat(x)) * (2 if isinstance(x, keras.KerasTensor) else 1)
    )
    model(IMAGES)
    randomize(model)
    network = rebuild(followed(model))
    doubled = 2 * model.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(network.predict(IMAGES), doubled, rtol=1e-4, atol=1e-4)


REMEDIES = {
    "array": lambda: Model(lambda m, x, training: m.project(m.flat(x)), project=kl.Dense(10)),
    "own-weights": lambda: flat(OwnDense(lambda x, w, b: (x @ w) * 2 + b)),
    "own-untracked": lambda: flat(kl.Dense(6)),
    "numpy": lambda: Model(lambda m, x, training: m.digits(ops.reshape(x, (-1, 64)))),
    "if": lambda: Model(
        lambda m, x, training: m.digits(ops.where(m.flat(x)[:, :1] > 0, m.flat(x) * 2, m.flat(x)))
    ),
    "two-outputs": lambda: Model(lambda m, x, training: m.digits(m.flat(x))),
}


@pytest.mark.parametrize("name", REMEDIES)
def test_the_change_that_is_advised_is_accepted(name: Any) -> None:
    assert name in HINDERED
    model = REMEDIES[name]()
    model(IMAGES)
    randomize(model)
    expected = np.asarray(model(IMAGES, training=False))
    network = rebuild(followed(model) if needs_retracing(model) else exported(model))
    np.testing.assert_allclose(network.predict(IMAGES), expected, rtol=1e-4, atol=1e-4)
