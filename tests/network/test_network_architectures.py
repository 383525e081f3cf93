"""Whole networks against Keras: random ones, and the ways in which students put them together."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers as kl

from autograder.network.rebuild import rebuild
from tests.network.network_harness import BOUNDED, assert_agrees, exported, images_for, randomize

ACTIVATION = st.sampled_from(
    ["relu", "tanh", "sigmoid", "elu", "softplus", "gelu", "linear", "silu"]
)
PADDING = st.sampled_from(["same", "valid"])


def any_rank_layer(draw: Any, channels: Any) -> Any:
    """A layer that takes an input of any shape, and keeps that shape."""
    return draw(
        st.sampled_from(
            [
                lambda: kl.Activation(draw(ACTIVATION)),
                lambda: kl.ReLU(negative_slope=0.1),
                lambda: kl.LeakyReLU(),
                lambda: kl.PReLU(),
                lambda: kl.Dropout(0.4),
                lambda: kl.GaussianNoise(0.1),
                lambda: kl.BatchNormalization(
                    center=draw(st.booleans()), scale=draw(st.booleans())
                ),
                lambda: kl.LayerNormalization(),
                lambda: kl.GroupNormalization(
                    draw(st.sampled_from([-1, *(g for g in (1, 2, 3) if channels % g == 0)])),
                    center=draw(st.booleans()),
                    scale=draw(st.booleans()),
                ),
                lambda: kl.Normalization(),
                lambda: kl.Rescaling(0.5, offset=0.1),
            ]
        )
    )()


def image_layer(draw: Any, shape: Any) -> Any:
    """A layer that takes images of `shape` and gives images."""
    small = st.integers(1, min(3, *shape[:2]))
    size, strides = (draw(small), draw(small)), draw(st.integers(1, 2))
    padding = draw(PADDING)
    options = {"padding": padding, "strides": strides}
    activation = {"activation": draw(ACTIVATION), "use_bias": draw(st.booleans())}
    return draw(
        st.sampled_from(
            [
                lambda: kl.Conv2D(draw(st.integers(1, 6)), size, **options, **activation),
                lambda: kl.Conv2D(4, size, padding="same", dilation_rate=2, **activation),
                lambda: kl.DepthwiseConv2D(size, depth_multiplier=2, **options, **activation),
                lambda: kl.SeparableConv2D(3, size, **options, **activation),
                lambda: kl.MaxPooling2D(size, **options),
                lambda: kl.AveragePooling2D(size, **options),
                lambda: kl.ZeroPadding2D(((0, 1), (2, 1))),
                lambda: kl.Permute((2, 1, 3)),
                lambda: kl.SpatialDropout2D(0.2),
                lambda: kl.Resizing(
                    draw(st.integers(1, 9)),
                    draw(st.integers(1, 9)),
                    interpolation=draw(st.sampled_from(["bilinear", "nearest", "bicubic", "area"])),
                    crop_to_aspect_ratio=draw(st.booleans()),
                ),
                lambda: kl.UpSampling2D(
                    (draw(st.integers(1, 2)), draw(st.integers(1, 3))),
                    interpolation=draw(st.sampled_from(["nearest", "bilinear", "bicubic"])),
                ),
                lambda: kl.CenterCrop(draw(st.integers(1, 7)), draw(st.integers(1, 7))),
            ]
        )
    )()


def sequence_layer(draw: Any, shape: Any) -> Any:
    """A layer that takes sequences of `shape` and gives sequences."""
    size, strides = draw(st.integers(1, min(3, shape[0]))), draw(st.integers(1, 2))
    options = {"padding": draw(PADDING), "strides": strides}
    activation = {"activation": draw(ACTIVATION), "use_bias": draw(st.booleans())}
    reading = {"return_sequences": True, **activation}
    kind = draw(st.sampled_from([kl.LSTM, kl.GRU, kl.SimpleRNN]))
    return draw(
        st.sampled_from(
            [
                lambda: kind(draw(st.integers(1, 5)), go_backwards=draw(st.booleans()), **reading),
                lambda: kl.GRU(3, reset_after=draw(st.booleans()), **reading),
                lambda: kl.Bidirectional(
                    kind(3, **reading),
                    merge_mode=draw(st.sampled_from(["concat", "sum", "mul", "ave"])),
                ),
                lambda: kl.TimeDistributed(kl.Dense(4, **activation)),
                lambda: kl.Conv1D(draw(st.integers(1, 5)), size, **options, **activation),
                lambda: kl.Conv1D(4, size, padding="causal", dilation_rate=2, **activation),
                lambda: kl.SeparableConv1D(3, size, **options, **activation),
                lambda: kl.MaxPooling1D(size, **options),
                lambda: kl.AveragePooling1D(size, **options),
                lambda: kl.ZeroPadding1D((1, 2)),
            ]
        )
    )()


def operation(draw: Any, x: Any) -> Any:
    """An operation on a tensor that keeps its axes, or gives one more or one less."""
    rank = len(x.shape)
    axis = draw(st.integers(1, rank - 1))
    steps = [
        lambda: keras.ops.clip(x, -1.0, 0.8),
        lambda: abs(x) ** draw(st.sampled_from([0.5, 2])),
        lambda: keras.ops.cast(x > draw(st.sampled_from([0.0, 0.4])), "float32") * x,
        lambda: keras.ops.expand_dims(x, draw(st.sampled_from([axis, -1]))) if rank < 4 else x,
        lambda: keras.ops.pad(x, ((0, 0), *((1, 0),) * (rank - 1)), constant_values=0.5),
        lambda: keras.ops.transpose(x, (0, *draw(st.permutations(range(1, rank))))),
        lambda: keras.ops.flip(x, axis=axis),
        lambda: keras.ops.mean(x, axis=axis, keepdims=True),
    ]
    if rank > 2:
        steps += [
            lambda: keras.ops.max(x, axis=axis),
            lambda: keras.ops.sum(x, axis=-1),
            lambda: x[:, draw(st.integers(-x.shape[1], x.shape[1] - 1))],
            lambda: x[..., draw(st.integers(0, x.shape[-1] - 1)) :],
            lambda: keras.ops.squeeze(keras.ops.expand_dims(x, axis), axis),
        ]
    return draw(st.sampled_from(steps))()


def some_layer(draw: Any, shape: Any) -> Any:
    """A layer that takes an input of `shape`, without the batch axis."""
    if len(shape) == 2 and draw(st.integers(0, 2)):
        return sequence_layer(draw, shape)
    if len(shape) == 3 and draw(st.integers(0, 2)):
        return image_layer(draw, shape)
    if draw(st.booleans()):
        return any_rank_layer(draw, shape[-1])
    return kl.Dense(draw(st.integers(1, 8)), activation=draw(ACTIVATION))


def head(draw: Any, x: Any) -> Any:
    """Ten probabilities from an output of any shape."""
    if len(x.shape) == 4 and draw(st.booleans()):
        pool = draw(st.sampled_from([kl.GlobalMaxPooling2D, kl.GlobalAveragePooling2D]))
        x = pool()(x)
    elif len(x.shape) == 3 and draw(st.booleans()):
        last = [kl.GlobalMaxPooling1D(), kl.GlobalAveragePooling1D(), kl.LSTM(3), kl.GRU(3)]
        x = draw(st.sampled_from(last))(x)
    elif len(x.shape) > 2:
        x = kl.Flatten()(x)
    return kl.Dense(10, activation="softmax")(x)


SHAPES = st.sampled_from([(12,), (5, 6), (8, 6, 1), (7, 7, 3)])


@BOUNDED
@given(st.data())
def test_random_sequential_networks(data: Any) -> None:
    model = keras.Sequential([keras.Input(data.draw(SHAPES)), kl.Activation("linear")])
    for _ in range(data.draw(st.integers(0, 5))):
        model.add(some_layer(data.draw, model.output_shape[1:]))
    if len(model.output_shape) > 2:
        model.add(kl.Flatten())
    model.add(kl.Dense(10, activation="softmax"))
    assert_agrees(model, seed=data.draw(st.integers(0, 99)))


@BOUNDED
@given(st.data())
def test_random_functional_networks(data: Any) -> None:
    draw = data.draw
    source = keras.Input(draw(SHAPES))
    tensors = [source]
    used: list[Any] = []
    for _ in range(draw(st.integers(1, 7))):
        x = draw(st.sampled_from(tensors))
        action = draw(
            st.sampled_from(["new", "new", "merge", "operator", "operation", "again", "nested"])
        )
        alike = [t for t in tensors if t.shape == x.shape]
        y = draw(st.sampled_from(alike))
        if action == "merge":
            kind = draw(st.sampled_from([kl.Add, kl.Multiply, kl.Average, kl.Maximum, kl.Subtract]))
            tensors.append(kind()([x, y]))
        elif action == "operator":
            tensors.append(draw(st.sampled_from([x + y, x * 0.5 - y, kl.Concatenate()([x, y])])))
        elif action == "operation":
            tensors.append(operation(draw, x))
        elif action == "again" and used:
            # A layer that was called before, on another tensor of the same shape.
            layer, shape = draw(st.sampled_from(used))
            fitting = [t for t in tensors if t.shape == shape]
            tensors.append(layer(draw(st.sampled_from(fitting))))
        else:
            layer = some_layer(draw, x.shape[1:])
            if action == "nested":
                layer = keras.Sequential([layer, kl.Dense(3)])
            used.append((layer, x.shape))
            tensors.append(layer(x))
    assert_agrees(keras.Model(source, head(draw, tensors[-1])), seed=draw(st.integers(0, 99)))


def lenet() -> Any:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            kl.Rescaling(1 / 255),
            kl.Conv2D(4, 5, activation="relu", padding="same"),
            kl.AveragePooling2D(2),
            kl.Conv2D(6, 5, activation="relu"),
            kl.MaxPooling2D(),
            kl.Flatten(),
            kl.Dense(16, activation="relu"),
            kl.Dropout(0.5),
            kl.Dense(10, activation="softmax"),
        ]
    )


def starter() -> Any:
    return keras.Sequential(
        [
            kl.Flatten(input_shape=(28, 28)),
            kl.Dense(100, activation="relu"),
            kl.Dense(10, activation="relu"),
            kl.Dense(10, activation="softmax"),
        ]
    )


def built_late() -> Any:
    model = keras.Sequential([kl.Flatten(), kl.Dense(5, activation="relu"), kl.Dense(10)])
    model(np.zeros((2, 28, 28), np.float32))
    return model


def with_loss_on_logits() -> Any:
    return keras.Sequential([keras.Input((784,)), kl.Dense(10)])


def tensorflow_functions() -> Any:
    import tensorflow as tf

    return keras.Sequential(
        [
            keras.Input((784,)),
            kl.Dense(8, activation=tf.nn.relu),
            kl.Dense(8, activation=tf.nn.swish),
            kl.Dense(10, activation=tf.nn.softmax),
        ]
    )


def residual() -> Any:
    source = keras.Input((14, 14, 2))
    x = kl.Conv2D(4, 3, padding="same", use_bias=False)(source)
    for _ in range(2):
        y = kl.Activation("relu")(kl.BatchNormalization()(x))
        y = kl.Conv2D(4, 3, padding="same")(y)
        x = kl.add([x, y])
    return keras.Model(source, kl.Dense(10, activation="softmax")(kl.GlobalAveragePooling2D()(x)))


def siamese() -> Any:
    """A layer and a network, both used twice, one of them within the other too."""
    source = keras.Input((6,))
    shared = kl.Dense(6, activation="tanh", name="shared")
    inner_source = keras.Input((6,))
    inner = keras.Model(inner_source, shared(kl.Dense(6)(inner_source)), name="inner")
    x = shared(inner(shared(source)))
    return keras.Model(source, kl.Dense(10)(kl.Subtract()([inner(x), x])))


def nested() -> Any:
    augment = keras.Sequential([kl.RandomFlip(), kl.RandomRotation(0.1)], name="augment")
    core = keras.Sequential([keras.Input((8, 8, 1)), kl.Conv2D(2, 3), kl.Flatten()], name="core")
    top = keras.Sequential([core, kl.Dense(4)], name="top")
    return keras.Sequential([keras.Input((8, 8, 1)), augment, top, kl.Dense(10)])


def keyword_input() -> Any:
    source = keras.Input((12,))
    return keras.Model(inputs=[source], outputs=[kl.Dense(10)(inputs=source)])


def named_ends() -> Any:
    source = keras.Input((12,), name="pixels")
    return keras.Model({"pixels": source}, {"digit": kl.Dense(10)(source)})


def fixed_batch() -> Any:
    return keras.Sequential([keras.Input(batch_shape=(5, 12)), kl.Dense(10)])


def double_precision() -> Any:
    return keras.Sequential([keras.Input((12,)), kl.Dense(10, dtype="float64")])


def cut_open() -> Any:
    """A network that begins in the middle of another."""
    whole = keras.Sequential([keras.Input((12,)), kl.Dense(6), kl.Dense(4), kl.Dense(10)])
    return keras.Model(whole.layers[1].input, whole.layers[2].output)


ARCHITECTURES = [
    *(lenet, starter, built_late, with_loss_on_logits, tensorflow_functions, residual, siamese),
    *(nested, keyword_input, fixed_batch, double_precision, cut_open),
]


@pytest.mark.parametrize("build", ARCHITECTURES, ids=lambda build: build.__name__)
def test_architecture(build: Any) -> None:
    assert_agrees(build())


def test_inputs_and_outputs_with_names() -> None:
    model = named_ends()
    network = rebuild(exported(model))
    images = np.random.default_rng(0).normal(size=(5, 12)).astype(np.float32)
    expected = model({"pixels": images})["digit"]
    np.testing.assert_allclose(network.predict(images), expected, atol=1e-5)


def test_half_precision_is_measured_in_single() -> None:
    model = keras.Sequential([keras.Input((12,)), kl.Dense(10, dtype="mixed_float16")])
    randomize(model)
    network = rebuild(exported(model))
    images = images_for(model)
    np.testing.assert_allclose(network.predict(images), model(images), atol=0.02)
    assert network.parameters == model.count_params()


def test_open_input_shape_is_that_of_the_images() -> None:
    source = keras.Input((None, None, 1))
    x = kl.GlobalAveragePooling2D()(kl.Conv2D(3, 3)(source))
    network = rebuild(exported(keras.Model(source, kl.Dense(10)(x))))
    assert network.input_shape == (28, 28, 1)


def test_parameters_count_frozen_ones_and_shared_ones_once() -> None:
    model = siamese()
    model.layers[1].trainable = False
    network = assert_agrees(model)
    assert network.parameters == 6 * 6 + 6 + 6 * 6 + 6 + 6 * 10 + 10
    by_name = {layer.name: layer for layer in network.layers}
    assert by_name["shared"].parameters == by_name["inner/shared"].parameters == 42
    assert by_name["shared"].activation == "tanh"


def test_summaries_and_observed_outputs() -> None:
    model = keras.Sequential(
        [
            keras.Input((4, 4)),
            kl.Flatten(name="flat"),
            kl.Dense(5, activation="relu", name="hidden"),
            kl.Dense(3, activation="softmax", name="digits"),
        ]
    )
    network = assert_agrees(model)
    images = images_for(model, count=7)
    seen: dict[str, list[np.ndarray]] = {}

    def see(layer: Any, output: Any) -> None:
        seen.setdefault(layer.name, []).append(output)

    result = network.predict(images, observer=see, batch_size=3)
    assert [layer.name for layer in network.layers] == ["flat", "hidden", "digits"]
    assert [layer.kind for layer in network.layers] == ["Flatten", "Dense", "Dense"]
    assert [layer.output_shape for layer in network.layers] == [(16,), (5,), (3,)]
    assert [layer.activation for layer in network.layers] == [None, "relu", "softmax"]
    assert network.input_shape == (4, 4)
    assert network.output_shape == (3,)
    assert [len(part) for part in seen["hidden"]] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(seen["digits"]), result)
    hidden = keras.Model(model.inputs, model.layers[1].output)(images)
    np.testing.assert_allclose(np.concatenate(seen["hidden"]), hidden, atol=1e-5)


def test_images_of_another_shape_are_a_fault_of_the_caller() -> None:
    network = rebuild(exported(with_loss_on_logits()))
    with pytest.raises(ValueError, match="784"):
        network.predict(np.zeros((2, 28, 28)))


def test_batches_of_any_size_give_the_same_result() -> None:
    model = lenet()
    randomize(model)
    network = rebuild(exported(model))
    images = images_for(model, count=5)
    expected = network.predict(images, batch_size=5)
    for size in (1, 2, 4, 100):
        np.testing.assert_allclose(network.predict(images, batch_size=size), expected, atol=1e-6)
    assert network.predict(images[:0]).shape == (0, 10)
