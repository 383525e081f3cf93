"""Each layer and each option that is rebuilt, one at a time, against Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from tests.network.network_harness import assert_agrees, images_for

IMAGE = (9, 7, 4)
FLAT = (12,)

ACTIVATIONS = sorted(
    name
    for name in dir(keras.activations)
    if not name.startswith("_") and name not in ("deserialize", "get", "serialize", "threshold")
)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_of_keras_by_name(name: Any) -> None:
    model = keras.Sequential(
        [keras.Input(FLAT), kl.Dense(8), kl.Rescaling(3.0), kl.Activation(name)]
    )
    network = assert_agrees(model)
    assert network.layers[-1].activation is not None


def test_activation_for_large_inputs_stays_finite() -> None:
    for name in ("softmax", "sigmoid", "softplus", "log_softmax", "silu", "mish", "gelu"):
        model = keras.Sequential(
            [keras.Input(FLAT), kl.Dense(8), kl.Rescaling(300.0), kl.Activation(name)]
        )
        assert_agrees(model, tolerance=1e-3)


FLAT_LAYERS = {
    "dense": lambda: kl.Dense(5),
    "dense-no-bias": lambda: kl.Dense(5, use_bias=False, activation="tanh"),
    "dense-layer-as-activation": lambda: kl.Dense(5, activation=kl.LeakyReLU(negative_slope=0.1)),
    "dense-relu-layer-as-activation": lambda: kl.Dense(5, activation=kl.ReLU(max_value=0.3)),
    "dense-glu": lambda: kl.Dense(6, activation="glu"),
    "dropout": lambda: kl.Dropout(0.5),
    "identity": lambda: kl.Identity(),
    "gaussian-noise": lambda: kl.GaussianNoise(0.5),
    "gaussian-dropout": lambda: kl.GaussianDropout(0.5),
    "alpha-dropout": lambda: kl.AlphaDropout(0.5),
    "activity-regularization": lambda: kl.ActivityRegularization(l2=0.1),
    "relu": lambda: kl.ReLU(),
    "relu-capped": lambda: kl.ReLU(max_value=0.5),
    "relu-six": lambda: kl.ReLU(max_value=6),
    "relu-leaky-threshold": lambda: kl.ReLU(negative_slope=0.2, threshold=0.3),
    "relu-all": lambda: kl.ReLU(max_value=0.8, negative_slope=0.2, threshold=0.3),
    "relu-capped-leaky": lambda: kl.ReLU(max_value=0.8, negative_slope=0.2),
    "leaky-relu": lambda: kl.LeakyReLU(),
    "leaky-relu-slope": lambda: kl.LeakyReLU(negative_slope=0.05),
    "prelu": lambda: kl.PReLU(),
    "elu": lambda: kl.ELU(),
    "elu-alpha": lambda: kl.ELU(alpha=0.4),
    "softmax": lambda: kl.Softmax(),
    "batch-norm": lambda: kl.BatchNormalization(),
    "batch-norm-bare": lambda: kl.BatchNormalization(center=False, scale=False, epsilon=0.1),
    "batch-norm-frozen": lambda: kl.BatchNormalization(trainable=False),
    "layer-norm": lambda: kl.LayerNormalization(),
    "layer-norm-bare": lambda: kl.LayerNormalization(center=False, scale=False),
    "group-norm": lambda: kl.GroupNormalization(3),
    "layer-norm-rms": lambda: kl.LayerNormalization(rms_scaling=True, epsilon=0.01),
    "rms-norm": lambda: kl.RMSNormalization(),
    "rescaling": lambda: kl.Rescaling(1 / 255, offset=-0.5),
    "rescaling-numpy": lambda: kl.Rescaling(np.float32(1 / 255), offset=np.arange(12.0)),
    "normalization": lambda: kl.Normalization(),
    "normalization-inverse": lambda: kl.Normalization(invert=True),
    "normalization-given": lambda: kl.Normalization(mean=np.arange(12.0), variance=[2.0] * 12),
    "normalization-scalar": lambda: kl.Normalization(axis=None, mean=33.3, variance=78.6**2),
    "reshape": lambda: kl.Reshape((2, 6)),
    "reshape-open": lambda: kl.Reshape((3, -1, 2)),
    "repeat": lambda: kl.RepeatVector(3),
    "flatten": lambda: kl.Flatten(),
    "dense-learned-activation": lambda: kl.Dense(5, activation=kl.PReLU()),
    "dense-learned-activation-no-bias": lambda: kl.Dense(5, use_bias=False, activation=kl.PReLU()),
}


@pytest.mark.parametrize("name", FLAT_LAYERS)
def test_layer_on_vectors(name: Any) -> None:
    assert_agrees(keras.Sequential([keras.Input(FLAT), FLAT_LAYERS[name]()]))


IMAGE_LAYERS = {
    "dense-on-images": lambda: kl.Dense(3, activation="relu"),
    "conv": lambda: kl.Conv2D(6, 3),
    "conv-same": lambda: kl.Conv2D(6, 3, padding="same", activation="relu"),
    "conv-pointwise": lambda: kl.Conv2D(6, 1),
    "conv-strides": lambda: kl.Conv2D(6, (2, 3), strides=(2, 1)),
    "conv-strides-same": lambda: kl.Conv2D(6, (4, 3), strides=(2, 3), padding="same"),
    "conv-strides-larger-than-kernel": lambda: kl.Conv2D(6, 1, strides=3, padding="same"),
    "conv-dilated": lambda: kl.Conv2D(6, 3, dilation_rate=2),
    "conv-dilated-same": lambda: kl.Conv2D(6, (3, 2), dilation_rate=(1, 2), padding="same"),
    "conv-groups": lambda: kl.Conv2D(6, 3, groups=2, use_bias=False),
    "conv-groups-each": lambda: kl.Conv2D(8, 3, groups=4, padding="same", activation="elu"),
    "conv-whole-image": lambda: kl.Conv2D(6, (9, 7)),
    "conv-learned-activation": lambda: kl.Conv2D(6, 3, activation=kl.PReLU(shared_axes=[1, 2])),
    "depthwise-learned-activation": lambda: kl.DepthwiseConv2D(3, activation=kl.PReLU()),
    "separable-learned-activation": lambda: kl.SeparableConv2D(5, 3, activation=kl.PReLU()),
    "depthwise": lambda: kl.DepthwiseConv2D(3),
    "depthwise-multiplied": lambda: kl.DepthwiseConv2D(
        (3, 2), strides=2, padding="same", depth_multiplier=3, activation="relu"
    ),
    "depthwise-dilated": lambda: kl.DepthwiseConv2D(2, dilation_rate=2, use_bias=False),
    "separable": lambda: kl.SeparableConv2D(6, 3),
    "separable-options": lambda: kl.SeparableConv2D(
        5, (2, 3), strides=2, padding="same", depth_multiplier=2, use_bias=False, activation="relu"
    ),
    "padding": lambda: kl.ZeroPadding2D(),
    "padding-pair": lambda: kl.ZeroPadding2D((1, 3)),
    "padding-sides": lambda: kl.ZeroPadding2D(((0, 2), (3, 1))),
    "cropping": lambda: kl.Cropping2D(((0, 2), (3, 1))),
    "max-pool": lambda: kl.MaxPooling2D(),
    "max-pool-overlap": lambda: kl.MaxPooling2D(3, strides=1),
    "max-pool-same": lambda: kl.MaxPooling2D((2, 3), padding="same"),
    "average-pool": lambda: kl.AveragePooling2D(2),
    "average-pool-same": lambda: kl.AveragePooling2D(3, strides=2, padding="same"),
    "average-pool-same-large": lambda: kl.AveragePooling2D((4, 5), strides=1, padding="same"),
    "global-max": lambda: kl.GlobalMaxPooling2D(),
    "global-average": lambda: kl.GlobalAveragePooling2D(),
    "global-max-keepdims": lambda: kl.GlobalMaxPooling2D(keepdims=True),
    "global-average-keepdims": lambda: kl.GlobalAveragePooling2D(keepdims=True),
    "flatten": lambda: kl.Flatten(),
    "flatten-channels-first": lambda: kl.Flatten(data_format="channels_first"),
    "resizing-smaller": lambda: kl.Resizing(5, 4),
    "resizing-larger": lambda: kl.Resizing(13, 16),
    "resizing-nearest": lambda: kl.Resizing(5, 16, interpolation="nearest"),
    "resizing-bicubic-smaller": lambda: kl.Resizing(4, 5, interpolation="bicubic"),
    "resizing-bicubic-larger": lambda: kl.Resizing(20, 11, interpolation="bicubic"),
    "resizing-area": lambda: kl.Resizing(4, 3, interpolation="area"),
    "resizing-area-larger": lambda: kl.Resizing(13, 10, interpolation="area"),
    "resizing-cropped": lambda: kl.Resizing(6, 6, crop_to_aspect_ratio=True),
    "resizing-cropped-wide": lambda: kl.Resizing(3, 7, crop_to_aspect_ratio=True),
    "up-sampling": lambda: kl.UpSampling2D(),
    "up-sampling-sides": lambda: kl.UpSampling2D((3, 1)),
    "up-sampling-bilinear": lambda: kl.UpSampling2D((2, 3), interpolation="bilinear"),
    "up-sampling-bicubic": lambda: kl.UpSampling2D(2, interpolation="bicubic"),
    "center-crop": lambda: kl.CenterCrop(6, 4),
    "center-crop-odd": lambda: kl.CenterCrop(4, 7),
    "center-crop-larger": lambda: kl.CenterCrop(12, 5),
    "time-distributed-conv": lambda: kl.TimeDistributed(kl.Conv1D(3, 2)),
    "time-distributed-flatten": lambda: kl.TimeDistributed(kl.Flatten()),
    "permute": lambda: kl.Permute((3, 1, 2)),
    "permute-flatten": lambda: keras.Sequential([kl.Permute((2, 3, 1)), kl.Flatten()]),
    "spatial-dropout": lambda: kl.SpatialDropout2D(0.4),
    "softmax-axis": lambda: kl.Softmax(axis=1),
    "softmax-axes": lambda: kl.Softmax(axis=[1, 2]),
    "prelu-shared": lambda: kl.PReLU(shared_axes=[1, 2]),
    "batch-norm": lambda: kl.BatchNormalization(),
    "batch-norm-axis": lambda: kl.BatchNormalization(axis=1),
    "layer-norm-axis": lambda: kl.LayerNormalization(axis=1),
    "layer-norm-axes": lambda: kl.LayerNormalization(axis=[1, 2, 3]),
    "layer-norm-last-two": lambda: kl.LayerNormalization(axis=[-2, -1], center=False),
    "group-norm": lambda: kl.GroupNormalization(2),
    "group-norm-each": lambda: kl.GroupNormalization(-1, epsilon=0.1),
    "group-norm-bare": lambda: kl.GroupNormalization(2, center=False, scale=False),
    "group-norm-axis": lambda: kl.GroupNormalization(3, axis=1),
    "group-norm-middle-axis": lambda: kl.GroupNormalization(7, axis=-2),
    "rms-norm-axes": lambda: kl.RMSNormalization(axis=[2, 3]),
    "normalization": lambda: kl.Normalization(),
    "normalization-all-axes": lambda: kl.Normalization(axis=[1, 2, 3]),
    "normalization-one-axis": lambda: kl.Normalization(axis=2),
    "normalization-whole": lambda: kl.Normalization(axis=None),
    "normalization-given": lambda: kl.Normalization(mean=np.arange(4.0), variance=[3.0] * 4),
    "rescaling-channels": lambda: kl.Rescaling([1.0, 2.0, 3.0, 4.0]),
}


if keras.__version__ >= "3.15":  # earlier ones cannot do it
    IMAGE_LAYERS["normalization-given-rows"] = lambda: kl.Normalization(
        axis=1, mean=np.arange(9.0), variance=[3.0] * 9
    )


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_layer_on_images(name: Any) -> None:
    assert_agrees(keras.Sequential([keras.Input(IMAGE), IMAGE_LAYERS[name]()]))


SEQUENCE = (9, 4)

SEQUENCE_LAYERS = {
    "simple": lambda: kl.SimpleRNN(5),
    "simple-options": lambda: kl.SimpleRNN(
        5, activation="relu", use_bias=False, return_sequences=True, go_backwards=True
    ),
    "lstm": lambda: kl.LSTM(5),
    "lstm-sequences": lambda: kl.LSTM(5, return_sequences=True),
    "lstm-backwards": lambda: kl.LSTM(5, go_backwards=True),
    "lstm-backwards-sequences": lambda: kl.LSTM(5, go_backwards=True, return_sequences=True),
    "lstm-no-bias": lambda: kl.LSTM(5, use_bias=False),
    "lstm-activations": lambda: kl.LSTM(
        5, activation="softsign", recurrent_activation="hard_sigmoid", unroll=True
    ),
    "lstm-dropout": lambda: kl.LSTM(5, dropout=0.3, recurrent_dropout=0.3),
    "gru": lambda: kl.GRU(5),
    "gru-reset-before": lambda: kl.GRU(5, reset_after=False),
    "gru-reset-before-no-bias": lambda: kl.GRU(5, reset_after=False, use_bias=False),
    "gru-no-bias": lambda: kl.GRU(5, use_bias=False, return_sequences=True),
    "gru-backwards": lambda: kl.GRU(5, go_backwards=True, activation="elu"),
    "bidirectional": lambda: kl.Bidirectional(kl.LSTM(5)),
    "bidirectional-sequences": lambda: kl.Bidirectional(kl.GRU(3, return_sequences=True)),
    "bidirectional-sum": lambda: kl.Bidirectional(
        kl.SimpleRNN(5, return_sequences=True, use_bias=False), merge_mode="sum"
    ),
    "bidirectional-average": lambda: kl.Bidirectional(kl.LSTM(5), merge_mode="ave"),
    "bidirectional-product": lambda: kl.Bidirectional(kl.GRU(5), merge_mode="mul"),
    "bidirectional-two-kinds": lambda: kl.Bidirectional(
        kl.LSTM(5, use_bias=False), backward_layer=kl.GRU(5, go_backwards=True)
    ),
    "time-distributed": lambda: kl.TimeDistributed(kl.Dense(5, activation="relu")),
    "conv": lambda: kl.Conv1D(5, 3),
    "conv-same": lambda: kl.Conv1D(5, 4, padding="same", strides=2, activation="relu"),
    "conv-causal": lambda: kl.Conv1D(5, 3, padding="causal"),
    "conv-causal-options": lambda: kl.Conv1D(
        6, 3, padding="causal", dilation_rate=2, groups=2, use_bias=False
    ),
    "conv-causal-strides": lambda: kl.Conv1D(6, 3, padding="causal", strides=2),
    "conv-learned-activation": lambda: kl.Conv1D(5, 3, activation=kl.PReLU()),
    "conv-activation-along-steps": lambda: kl.Conv1D(5, 3, activation=kl.Softmax(axis=1)),
    "conv-shared-activation": lambda: kl.Conv1D(5, 3, activation=kl.PReLU(shared_axes=[1])),
    "depthwise": lambda: kl.DepthwiseConv1D(3, depth_multiplier=2),
    "separable": lambda: kl.SeparableConv1D(5, 3, depth_multiplier=2, padding="same"),
    "max-pool": lambda: kl.MaxPooling1D(),
    "max-pool-same": lambda: kl.MaxPooling1D(4, strides=3, padding="same"),
    "average-pool": lambda: kl.AveragePooling1D(3),
    "average-pool-same": lambda: kl.AveragePooling1D(4, strides=2, padding="same"),
    "global-max": lambda: kl.GlobalMaxPooling1D(),
    "global-average": lambda: kl.GlobalAveragePooling1D(),
    "global-max-keepdims": lambda: kl.GlobalMaxPooling1D(keepdims=True),
    "global-average-keepdims": lambda: kl.GlobalAveragePooling1D(keepdims=True),
    "padding": lambda: kl.ZeroPadding1D((1, 3)),
    "padding-both": lambda: kl.ZeroPadding1D(2),
    "cropping": lambda: kl.Cropping1D((2, 1)),
    "spatial-dropout": lambda: kl.SpatialDropout1D(0.4),
    "flatten-channels-first": lambda: kl.Flatten(data_format="channels_first"),
}


@pytest.mark.parametrize("name", SEQUENCE_LAYERS)
def test_layer_on_sequences(name: Any) -> None:
    assert_agrees(keras.Sequential([keras.Input(SEQUENCE), SEQUENCE_LAYERS[name]()]))


AUGMENTATIONS = {
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomContrast": {"factor": 0.2},
    "RandomBrightness": {"factor": 0.2},
    "RandomErasing": {},
    "RandomShear": {},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomElasticTransform": {},
    "RandomGaussianBlur": {},
    "RandomSharpness": {"factor": 0.2},
    "Equalization": {},
    "Solarization": {},
    "MixUp": {},
    "CutMix": {},
}


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentation_is_the_identity_once_trained(name: Any) -> None:
    source = keras.Input((8, 8, 3))
    x = getattr(kl, name)(**AUGMENTATIONS[name])(source)
    x = getattr(kl, name)(**AUGMENTATIONS[name])(x, training=True)
    assert_agrees(keras.Model(source, kl.Flatten()(x)))


@pytest.mark.skipif(keras.__version__ < "3.14", reason="batch renormalisation came later")
def test_batch_renormalisation() -> None:
    assert_agrees(keras.Sequential([keras.Input(FLAT), kl.BatchNormalization(renorm=True)]))


MERGES = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"]


@pytest.mark.parametrize("name", MERGES)
def test_merging_layer(name: Any) -> None:
    source = keras.Input(IMAGE)
    parts = [kl.Conv2D(3, 3, padding="same")(source), kl.Conv2D(3, 1)(source)]
    assert_agrees(keras.Model(source, getattr(kl, name)()(parts)))


def test_merging_many_and_of_unlike_shapes() -> None:
    source = keras.Input(IMAGE)
    weights = kl.Dense(4, activation="sigmoid")(kl.GlobalAveragePooling2D(keepdims=True)(source))
    scaled = kl.Multiply()([source, weights])
    low = kl.Dense(4)(kl.Flatten()(source))
    joined = kl.Add()([scaled, low, source])
    rows = kl.Concatenate(axis=1)([joined, source])
    assert_agrees(keras.Model(source, kl.Average()([rows, rows, rows])))


def test_operators_on_tensors() -> None:
    source = keras.Input(FLAT)
    x = 1 - source / 255.0 + source * 2
    x = keras.ops.relu(-x) + keras.ops.maximum(x, 0.1)
    x = keras.ops.minimum(x - 1, 0.5) * x
    x = keras.ops.softmax(keras.ops.gelu(x) + keras.activations.gelu(x))
    x = keras.activations.relu(x, max_value=0.4) + keras.ops.leaky_relu(x, negative_slope=0.3)
    x = keras.ops.concatenate([keras.ops.elu(x, 0.5), keras.ops.reshape(x, (-1, 12))], axis=-1)
    assert_agrees(keras.Model(source, x))


OPERATIONS = {
    "mean": lambda x: ops.mean(x, axis=1),
    "mean-axes": lambda x: ops.mean(x, axis=[1, -1], keepdims=True),
    "sum": lambda x: ops.sum(x, axis=(1, 2)),
    "max": lambda x: ops.max(x, axis=-1),
    "min": lambda x: ops.min(x, axis=2),
    "std": lambda x: ops.std(x, axis=1),
    "var": lambda x: ops.var(x, axis=-1, keepdims=True),
    "expand-last": lambda x: ops.expand_dims(x, -1),
    "expand-first": lambda x: ops.expand_dims(x, 1),
    "expand-two": lambda x: ops.expand_dims(ops.expand_dims(x, 2), -2),
    "squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 2), 2),
    "squeeze-last": lambda x: ops.squeeze(ops.expand_dims(x, -1), -1),
    "squeeze-all": lambda x: ops.squeeze(ops.expand_dims(ops.expand_dims(x, 1), -1)),
    "item": lambda x: x[:, 0],
    "item-last": lambda x: x[:, -1, :],
    "item-slices": lambda x: x[:, 1:4, ::2],
    "item-ellipsis": lambda x: x[..., 1],
    "item-new-axis": lambda x: x[:, None, ::-1, :, None],
    "cast": lambda x: ops.cast(x, "float32"),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "flip": lambda x: ops.flip(x, axis=1),
    "clip": lambda x: ops.clip(x, -0.3, 0.4),
    "power": lambda x: x**2,
    "power-function": lambda x: ops.power(ops.abs(x), 0.7),
    "abs": lambda x: abs(x) + ops.absolute(x - 1),
    "square": lambda x: ops.square(x),
    "roots": lambda x: ops.sqrt(ops.exp(x)),
    "logarithms": lambda x: ops.log(ops.abs(x) + 1) + ops.log1p(ops.square(x)),
    "rounding": lambda x: ops.floor(x * 3) + ops.round(x * 5) + ops.sign(x),
    "floor-divide": lambda x: x // 0.4,
    "remainder": lambda x: x % 0.7,
    "divide": lambda x: 2 / (ops.abs(x) + 1) - ops.divide(x, 3),
    "numpy-number": lambda x: x * np.float32(2) - np.array(0.5, "float32"),
    "compared": lambda x: ops.cast(x > 0.2, "float32") - ops.cast(x <= 0.5, "float32"),
    "compared-inputs": lambda x: ops.where(x >= -x, x * 2, 0.25) + ops.where(x < 0.3, 1.0, x),
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 2), (3, 0))),
    "pad-value": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=0.5),
    "stack": lambda x: ops.stack([x, x * 2, -x], axis=-1),
    "stack-first": lambda x: ops.stack([x, x * 2], axis=1),
    "concatenate": lambda x: ops.concatenate([x, x[:, :2]], axis=1),
    "reshape": lambda x: ops.reshape(x, (-1, 24)),
    "log-softmax": lambda x: ops.log_softmax(x),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_on_tensors(name: Any) -> None:
    source = keras.Input((4, 6))
    assert_agrees(keras.Model(source, OPERATIONS[name](source)))


def test_training_in_a_call_is_overridden_as_keras_does() -> None:
    source = keras.Input(FLAT)
    x = kl.Dropout(0.5)(source, training=True)
    x = kl.BatchNormalization()(kl.GaussianNoise(1.0)(x, training=True), training=True)
    model = keras.Model(source, kl.Dense(10)(x))
    network = assert_agrees(model)
    images = images_for(model)
    expected = model.predict(images, verbose=0)
    np.testing.assert_allclose(network.predict(images), expected, rtol=1e-4, atol=1e-4)
