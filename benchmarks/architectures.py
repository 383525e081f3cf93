"""Networks as students build them, in their own words: code that is tried by `verification`.

Each text is the layers of a ``keras.Sequential`` after its Input of (28, 28), one a line; or,
where it says ``model =``, the whole cell.
"""

from __future__ import annotations

_HEAD = "layers.Dense(10, activation='softmax')"
_IMAGE = "layers.Reshape((28, 28, 1))"


def _functional(body: str, shape: str = "28, 28", head: str = _HEAD) -> str:
    return (
        f"inputs = keras.Input(({shape}))\n{body}\n"
        f"model = keras.Model(inputs, {head}(layers.Flatten()(x)))"
    )


def _subclass(made: str, called: str, head: str = "self.head(x)") -> str:
    return (
        "class Network(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        + "".join(f"        self.{line}\n" for line in made.splitlines())
        + f"        self.head = {_HEAD}\n    def call(self, x, training=False):\n"
        + "".join(f"        {line}\n" for line in called.splitlines())
        + f"        return {head}\nmodel = Network()"
    )


_CONV = "layers.Conv2D(8, 3, activation='relu')"
PLAIN = {
    "softmax regression": "layers.Flatten()",
    "one hidden layer": "layers.Flatten()\nlayers.Dense(64, activation='relu')",
    "deep, tanh": "layers.Flatten()\n" + "layers.Dense(32, activation='tanh')\n" * 4,
    "dropout": "layers.Flatten()\nlayers.Dense(64, activation='relu')\nlayers.Dropout(0.3)",
    "batch normalisation": (
        "layers.Flatten()\nlayers.Dense(64, use_bias=False)\nlayers.BatchNormalization()\n"
        "layers.ReLU()"
    ),
    "layer normalisation": (
        "layers.Flatten()\nlayers.Dense(64, activation='gelu')\nlayers.LayerNormalization()"
    ),
    "LeakyReLU, PReLU, ELU": (
        "layers.Flatten()\nlayers.Dense(48)\nlayers.LeakyReLU()\nlayers.Dense(32)\n"
        "layers.PReLU()\nlayers.Dense(32)\nlayers.ELU()"
    ),
    "PReLU as activation": "layers.Flatten()\nlayers.Dense(48, activation=layers.PReLU())",
    "regularised": (
        "layers.Flatten()\nlayers.Dense(48, activation='relu', kernel_regularizer='l2', "
        "kernel_constraint=keras.constraints.MaxNorm(3))"
    ),
    "noise": "layers.GaussianNoise(0.1)\nlayers.Flatten()\nlayers.Dense(48, activation='selu')",
    "Rescaling": "layers.Rescaling(2, offset=-1)\nlayers.Flatten()\nlayers.Dense(48, 'relu')",
    "Normalization, adapted": (
        "normalise = layers.Normalization(axis=None)\nnormalise.adapt(x_train)\n"
        "model = keras.Sequential([keras.Input((28, 28)), normalise, layers.Flatten(), "
        "layers.Dense(48, 'relu'), layers.Dense(10, 'softmax')])"
    ),
    "logits": (
        "model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), "
        "layers.Dense(48, 'relu'), layers.Dense(10)])"
    ),
    "softmax layer, no Input": (
        "model = keras.Sequential([layers.Flatten(), layers.Dense(48, 'relu'), layers.Dense(10), "
        "layers.Softmax()])"
    ),
    "grown by add": (
        "model = keras.Sequential()\nmodel.add(layers.Flatten(input_shape=(28, 28)))\n"
        "model.add(layers.Dense(48, activation='relu'))\nmodel.add(layers.Dense(10, 'softmax'))"
    ),
}
IMAGES = {
    "LeNet": (
        f"{_IMAGE}\nlayers.Conv2D(6, 5, padding='same', activation='tanh')\n"
        "layers.AveragePooling2D(2)\nlayers.Conv2D(16, 5, activation='tanh')\n"
        "layers.AveragePooling2D(2)\nlayers.Flatten()\nlayers.Dense(40, activation='tanh')"
    ),
    "convolutions and maximum": (
        f"{_IMAGE}\n{_CONV}\nlayers.MaxPooling2D()\n{_CONV}\nlayers.MaxPooling2D()\n"
        "layers.Flatten()"
    ),
    "strides, global mean": (
        f"{_IMAGE}\nlayers.Conv2D(16, 3, strides=2, activation='relu')\n"
        "layers.Conv2D(32, 3, strides=2, activation='relu')\nlayers.GlobalAveragePooling2D()"
    ),
    "normalised convolutions": (
        f"{_IMAGE}\nlayers.Conv2D(8, 3, use_bias=False)\nlayers.BatchNormalization()\n"
        "layers.Activation('relu')\nlayers.MaxPooling2D()\nlayers.SpatialDropout2D(0.1)\n"
        "layers.Flatten()"
    ),
    "separable and depthwise": (
        f"{_IMAGE}\nlayers.SeparableConv2D(16, 3, activation='relu')\n"
        "layers.DepthwiseConv2D(3, strides=2, activation='relu')\nlayers.Flatten()"
    ),
    "dilated, padded": (
        f"{_IMAGE}\nlayers.ZeroPadding2D(2)\n"
        "layers.Conv2D(8, 3, dilation_rate=2, activation='relu')\nlayers.Cropping2D(4)\n"
        "layers.GlobalMaxPooling2D()"
    ),
    "augmentation": (
        f"{_IMAGE}\nlayers.RandomRotation(0.05)\nlayers.RandomTranslation(0.05, 0.05)\n"
        f"layers.RandomZoom(0.05)\n{_CONV}\nlayers.MaxPooling2D()\nlayers.Flatten()"
    ),
    "augmentation in a functional network": _functional(
        "x = layers.RandomRotation(0.05)(inputs)\nx = layers.RandomContrast(0.1)(x)\n"
        f"x = {_CONV}(x)",
        "28, 28, 1",
    ),
    "Resizing and CenterCrop": (
        f"{_IMAGE}\nlayers.CenterCrop(22, 22)\nlayers.Resizing(16, 16)\n{_CONV}\nlayers.Flatten()"
    ),
    "residual": _functional(
        "x = layers.Conv2D(8, 3, padding='same', activation='relu')(inputs)\n"
        "y = layers.Conv2D(8, 3, padding='same')(x)\nx = layers.ReLU()(layers.Add()([x, y]))\n"
        "x = layers.MaxPooling2D()(x)",
        "28, 28, 1",
    ),
    "two branches": _functional(
        "a = layers.Conv2D(4, 3, padding='same', activation='relu')(inputs)\n"
        "b = layers.Conv2D(4, 5, padding='same', activation='relu')(inputs)\n"
        "x = layers.MaxPooling2D(4)(layers.Concatenate()([a, b]))",
        "28, 28, 1",
    ),
}
SEQUENCES = {
    "LSTM": "layers.LSTM(32)",
    "GRU": "layers.GRU(32)",
    "SimpleRNN": "layers.SimpleRNN(32)",
    "two LSTMs": "layers.LSTM(16, return_sequences=True)\nlayers.LSTM(16)",
    "bidirectional LSTM": "layers.Bidirectional(layers.LSTM(16))",
    "bidirectional GRU, summed": (
        "layers.Bidirectional(layers.GRU(16, return_sequences=True), merge_mode='sum')\n"
        "layers.GlobalAveragePooling1D()"
    ),
    "Conv1D": (
        "layers.Conv1D(32, 3, activation='relu')\nlayers.MaxPooling1D()\n"
        "layers.Conv1D(32, 3, activation='relu')\nlayers.GlobalMaxPooling1D()"
    ),
    "TimeDistributed": (
        "layers.TimeDistributed(layers.Dense(16, activation='relu'))\nlayers.Flatten()"
    ),
    "attention": _functional(
        "x = layers.Dense(16)(inputs)\nx = layers.MultiHeadAttention(num_heads=2, key_dim=8)(x, x)"
    ),
}
OWN = {
    "operations in the graph": _functional(
        "x = keras.ops.expand_dims(inputs / 2, -1)\n"
        f"x = {_CONV}(x)\nx = keras.ops.mean(keras.ops.abs(x), axis=1)"
    ),
    "slices and powers": _functional(
        "x = keras.ops.transpose(inputs, (0, 2, 1))[:, 4:24]\nx = keras.ops.clip(x ** 0.5, 0, 0.9)"
    ),
    "nested": (
        "features = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(8, 3, "
        "activation='relu'), layers.MaxPooling2D(), layers.Flatten()])\n"
        "model = keras.Sequential([keras.Input((28, 28)), layers.Reshape((28, 28, 1)), features, "
        "layers.Dense(10, activation='softmax')])"
    ),
    "a shared layer": _functional(
        "shared = layers.Dense(28, activation='relu')\nx = shared(shared(inputs))"
    ),
    "subclassed": _subclass(
        "flat = layers.Flatten()\nhidden = layers.Dense(48, activation='relu')",
        "x = self.hidden(self.flat(x))",
    ),
    "subclassed, with convolutions": _subclass(
        f"first = {_CONV}\npool = layers.MaxPooling2D()\ndrop = layers.Dropout(0.2)\n"
        "flat = layers.Flatten()",
        "x = self.pool(self.first(tf.expand_dims(x, -1)))\n"
        "x = self.drop(self.flat(x), training=training)",
    ),
    "subclassed, residual by hand": _subclass(
        "first = layers.Dense(48, activation='relu')\nsecond = layers.Dense(48)",
        "x = self.first(tf.reshape(x, (-1, 784)))\nx = tf.nn.relu(x + self.second(x))",
    ),
    "Lambda": (
        "layers.Lambda(lambda x: x * 2 - 1)\nlayers.Flatten()\nlayers.Dense(48, activation='relu')"
    ),
    "Lambda with TensorFlow": (
        "layers.Lambda(lambda x: tf.expand_dims(x, -1))\n"
        f"{_CONV}\nlayers.Lambda(lambda x: tf.reduce_max(x, axis=(1, 2)))"
    ),
    "a layer of one's own": (
        "class Own(layers.Layer):\n    def __init__(self, units):\n        super().__init__()\n"
        "        self.units = units\n    def build(self, shape):\n"
        "        self.w = self.add_weight(shape=(shape[-1], self.units))\n"
        "        self.b = self.add_weight(shape=(self.units,), initializer='zeros')\n"
        "    def call(self, x):\n        return keras.ops.relu(keras.ops.matmul(x, self.w) + "
        "self.b)\n"
        "model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), Own(48), "
        "layers.Dense(10, activation='softmax')])"
    ),
    "a block of one's own": (
        "class Block(layers.Layer):\n    def __init__(self, units):\n        super().__init__()\n"
        "        self.dense, self.norm = layers.Dense(units), layers.BatchNormalization()\n"
        "    def call(self, x, training=False):\n"
        "        return tf.nn.relu(self.norm(self.dense(x), training=training))\n"
        "model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), Block(48), Block(32), "
        "layers.Dense(10, activation='softmax')])"
    ),
    "an activation of one's own": (
        "def swish(x):\n    return x * tf.sigmoid(x)\n"
        "model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), "
        "layers.Dense(48, activation=swish), layers.Dense(10, activation='softmax')])"
    ),
}
