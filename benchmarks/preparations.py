"""How students prepare the digits, in their own words: code that is tried by `verification`.

Each text is an expression of ``x``, images of shape (n, 28, 28), or, where it says ``x_train``,
the whole cell.
"""

from __future__ import annotations

LINES = {
    "x / 255": "x / 255.0",
    "x / 255 in single precision": "x.astype('float32') / 255",
    "x / 255 in half precision": "(x / 255).astype('float16')",
    "bytes": "x",
    "x / 127.5 - 1": "x / 127.5 - 1",
    "x / 256": "x / 256",
    "x / 128 - 1": "x / 128 - 1",
    "x / 255 - 0.5": "x / 255 - 0.5",
    "1 - x / 255": "1 - x / 255",
    "divided by 255 twice": "x / 255 / 255",
    "mean and deviation of all pixels": (
        "mean, std = x_train.mean(), x_train.std()\n"
        "x_train, x_test = (x_train - mean) / std, (x_test - mean) / std"
    ),
    "0.1307 and 0.3081": "(x / 255 - 0.1307) / 0.3081",
    "each set by its own mean and deviation": "(x - x.mean()) / x.std()",
    "divided by the maximum": "x / x.max()",
    "changed in place": (
        "x_train = x_train.astype('float32')\nx_test = x_test.astype('float32')\n"
        "x_train /= 255\nx_test /= 255"
    ),
}
TABLES = {
    "x > 127": "(x > 127).astype('float32')",
    "x > 0 as truth values": "x > 0",
    "rounded fractions": "np.round(x / 255)",
    "x // 64": "x // 64",
    "square root": "np.sqrt(x / 255)",
    "logarithm": "np.log1p(x.astype('float32'))",
    "gamma 2.2": "(x / 255) ** 2.2",
    "clipped": "np.clip(x.astype('float32'), 30, 200) / 200",
    "faint ink taken away": "np.where(x < 50, 0, x) / 255",
    "three steps": "np.digitize(x, [85, 170]) / 2",
    "OpenCV threshold": (
        "np.stack([cv2.threshold(i, 100, 255, cv2.THRESH_BINARY)[1] for i in x]) / 255"
    ),
    "tanh": "np.tanh(x / 127.5 - 1)",
}
GEOMETRIES = {
    "flat": "x.reshape(len(x), 784) / 255",
    "flat by -1": "x.reshape(-1, 28 * 28).astype('float32') / 255",
    "one channel": "x[..., np.newaxis] / 255",
    "one channel by expand_dims": "np.expand_dims(x, -1).astype('float32') / 255",
    "one channel first": "x.reshape(-1, 1, 28, 28) / 255",
    "transposed": "x.transpose(0, 2, 1) / 255",
    "mirrored": "x[:, :, ::-1] / 255",
    "quarter turn": "np.rot90(x, axes=(1, 2)) / 255",
    "three channels": "np.repeat(x[..., None] / 255, 3, axis=-1)",
    "three channels by stack": "np.stack([x / 255] * 3, axis=-1)",
    "three channels by TensorFlow": "tf.image.grayscale_to_rgb(tf.constant(x[..., None])) / 255",
    "padded to 32": "np.pad(x / 255, ((0, 0), (2, 2), (2, 2)))",
    "padded, then x / 127.5 - 1": "np.pad(x, ((0, 0), (2, 2), (2, 2))) / 127.5 - 1",
    "padded after x / 127.5 - 1": "np.pad(x / 127.5 - 1, ((0, 0), (2, 2), (2, 2)))",
    "cropped to 20": "x[:, 4:24, 4:24] / 255",
    "cropped to 24": "x[:, 2:-2, 2:-2] / 255",
    "every second pixel": "x[:, ::2, ::2] / 255",
    "averaged to 14": "x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255",
    "averaged to 7": "x.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)) / 255",
    "maximum of 2 x 2": "x.reshape(-1, 14, 2, 14, 2).max(axis=(2, 4)) / 255",
    "rows of the image as steps": "x.reshape(-1, 28, 28).astype('float32') / 255.0",
    "pixels repeated": "x.repeat(2, axis=1).repeat(2, axis=2)[:, 8:48, 8:48] / 255",
}
RESIZED = {
    "OpenCV to 32": "np.stack([cv2.resize(i, (32, 32)) for i in x]) / 255",
    "OpenCV to 14, area": (
        "np.stack([cv2.resize(i, (14, 14), interpolation=cv2.INTER_AREA) for i in x]) / 255"
    ),
    "OpenCV to 20, cubic": (
        "np.stack([cv2.resize(i, (20, 20), interpolation=cv2.INTER_CUBIC) for i in x]) / 255"
    ),
    "OpenCV to 20, of fractions": "np.stack([cv2.resize(i / 255, (20, 20)) for i in x])",
    "Pillow to 20": "np.stack([np.array(Image.fromarray(i).resize((20, 20))) for i in x]) / 255",
    "Pillow to 14, bilinear": (
        "np.stack([np.array(Image.fromarray(i).resize((14, 14), Image.BILINEAR)) for i in x]) / 255"
    ),
    "Pillow to 32, Lanczos": (
        "np.stack([np.array(Image.fromarray(i).resize((32, 32), Image.LANCZOS)) for i in x]) / 255"
    ),
    "TensorFlow to 32": "tf.image.resize(x[..., None], (32, 32)) / 255",
    "TensorFlow to 14, antialias": "tf.image.resize(x[..., None], (14, 14), antialias=True) / 255",
    "TensorFlow to 20, area": "tf.image.resize(x[..., None] / 255, (20, 20), method='area')",
    "TensorFlow to 14, nearest": (
        "tf.image.resize(x[..., None], (14, 14), method='nearest').numpy() / 255"
    ),
    "TensorFlow, resize_with_pad": "tf.image.resize_with_pad(x[..., None], 32, 32) / 255",
    "SciPy, zoom by a half": "scipy.ndimage.zoom(x, (1, 0.5, 0.5), order=1) / 255",
}
ALONE = {
    "keras.utils.normalize, axis 1": "keras.utils.normalize(x, axis=1)",
    "keras.utils.normalize": "keras.utils.normalize(x)",
    "normalize, flat": "keras.utils.normalize(x.reshape(-1, 784))",
    "scikit-learn's normalize": "sk.normalize(x.reshape(-1, 784))",
    "scikit-learn's normalize, l1": "sk.normalize(x.reshape(-1, 784), norm='l1')",
    "scikit-learn's scale of each": "sk.scale(x.reshape(-1, 784), axis=1)",
    "minmax of each": "sk.minmax_scale(x.reshape(-1, 784), axis=1)",
    "per_image_standardization": "tf.image.per_image_standardization(x[..., None])",
    "less the mean of each": "x / 255 - (x / 255).mean(axis=(1, 2), keepdims=True)",
    "divided by the maximum of each": "x / x.max(axis=(1, 2), keepdims=True)",
}
_SCALER = (
    "scaler = sk.{}\nx_train = scaler.fit_transform(x_train.reshape(-1, 784))\n"
    "x_test = scaler.transform(x_test.reshape(-1, 784))"
)
OVER_MANY = {
    "StandardScaler": _SCALER.format("StandardScaler()"),
    "StandardScaler without deviation": _SCALER.format("StandardScaler(with_std=False)"),
    "MinMaxScaler": _SCALER.format("MinMaxScaler()"),
    "MinMaxScaler from -1 to 1": _SCALER.format("MinMaxScaler((-1, 1))"),
    "MaxAbsScaler": _SCALER.format("MaxAbsScaler()"),
    "RobustScaler": _SCALER.format("RobustScaler()"),
    "StandardScaler by column": (
        "scaler = sk.StandardScaler()\n"
        "x_train = scaler.fit_transform(x_train.reshape(-1, 28)).reshape(-1, 28, 28)\n"
        "x_test = scaler.transform(x_test.reshape(-1, 28)).reshape(-1, 28, 28)"
    ),
    "StandardScaler for each set": "sk.StandardScaler().fit_transform(x.reshape(-1, 784))",
    "less the mean image": (
        "mean = x_train.mean(axis=0)\nx_train, x_test = (x_train - mean) / 255, "
        "(x_test - mean) / 255"
    ),
    "mean image and deviation + 1e-7": (
        "mean, std = x_train.mean(axis=0), x_train.std(axis=0) + 1e-7\n"
        "x_train, x_test = (x_train - mean) / std, (x_test - mean) / std"
    ),
    "mean image and deviation + 1": (
        "mean, std = x_train.mean(axis=0), x_train.std(axis=0) + 1\n"
        "x_train, x_test = (x_train - mean) / std, (x_test - mean) / std"
    ),
    "principal components": (
        "from sklearn.decomposition import PCA\npca = PCA(40, random_state=0).fit("
        "x_train[:5000].reshape(-1, 784) / 255)\n"
        "x_train = pca.transform(x_train.reshape(-1, 784) / 255)\n"
        "x_test = pca.transform(x_test.reshape(-1, 784) / 255)"
    ),
    "StandardScaler after train_test_split": (
        "from sklearn.model_selection import train_test_split\n"
        "x_train, _, y_train, _ = train_test_split(x_train, y_train, random_state=1, "
        "test_size=0.2)\n" + _SCALER.format("StandardScaler()")
    ),
    "x / 255 after shuffling": (
        "order = np.random.permutation(len(x_train))\n"
        "x_train, y_train = x_train[order] / 255, y_train[order]\nx_test = x_test / 255"
    ),
}
_INVERTED = "x_train, x_test = 1 - x_train / 255, 1 - x_test / 255"
WITHOUT_ARRAYS = {
    "a dataset of prepared arrays": (
        _INVERTED,
        "model.fit(tf.data.Dataset.from_tensor_slices((x_train, y_train)).batch(128), verbose=0)",
        "model.evaluate(x_test, y_test, verbose=0)[1]",
    ),
    "a dataset that prepares": (
        "prepare = lambda x, y: (tf.cast(x, 'float32') / 127.5 - 1, y)\n"
        "make = lambda x, y: tf.data.Dataset.from_tensor_slices((x, y)).map(prepare).batch(128)",
        "model.fit(make(x_train, y_train), verbose=0)",
        "model.evaluate(make(x_test, y_test), verbose=0)[1]",
    ),
    "a dataset that standardises": (
        "prepare = lambda x, y: (tf.image.per_image_standardization(x[..., None]), y)\n"
        "make = lambda x, y: tf.data.Dataset.from_tensor_slices((x, y)).map(prepare).batch(128)",
        "model.fit(make(x_train, y_train), verbose=0)",
        "model.evaluate(make(x_test, y_test), verbose=0)[1]",
    ),
    "a dataset that turns": (
        "prepare = lambda x, y: (tf.transpose(tf.cast(x, 'float32')) / 255, y)\n"
        "make = lambda x, y: tf.data.Dataset.from_tensor_slices((x, y)).map(prepare).batch(128)",
        "model.fit(make(x_train, y_train), verbose=0)",
        "model.evaluate(make(x_test, y_test), verbose=0)[1]",
    ),
    "a generator": (
        "def batches(x, y):\n    while True:\n        for i in range(0, len(x), 100):\n"
        "            yield 1 - x[i : i + 100] / 255, y[i : i + 100]",
        "model.fit(batches(x_train, y_train), steps_per_epoch=600, verbose=0)",
        "model.evaluate(batches(x_test, y_test), steps=100, verbose=0)[1]",
    ),
    "augmented by a generator": (
        "x_train, x_test = x_train[..., None] / 127.5 - 1, x_test[..., None] / 127.5 - 1\n"
        "from tensorflow.keras.preprocessing.image import ImageDataGenerator\n"
        "augment = ImageDataGenerator(width_shift_range=0.05)",
        "model.fit(augment.flow(x_train[:10000], y_train[:10000]), epochs=2, verbose=0)",
        "model.evaluate(x_test, y_test, verbose=0)[1]",
    ),
    "train_on_batch": (
        _INVERTED,
        "for i in range(0, 60000, 128):\n"
        "    model.train_on_batch(x_train[i : i + 128], y_train[i : i + 128])",
        "model.evaluate(x_test, y_test, verbose=0)[1]",
    ),
    "a training loop of one's own": (
        "x_train, x_test = x_train / np.float32(255) - 0.5, x_test / np.float32(255) - 0.5",
        "optimizer = keras.optimizers.Adam()\n"
        "loss = keras.losses.SparseCategoricalCrossentropy()\n"
        "@tf.function\ndef step(x, y):\n    with tf.GradientTape() as tape:\n"
        "        error = loss(y, model(x, training=True))\n"
        "    optimizer.apply_gradients(zip(tape.gradient(error, model.trainable_variables), "
        "model.trainable_variables))\n"
        "for i in range(0, 60000 - 100, 100):\n"
        "    step(tf.constant(x_train[i : i + 100]), tf.constant(y_train[i : i + 100]))",
        "float(np.mean(model(x_test).numpy().argmax(axis=1) == y_test))",
    ),
}
"""(preparation, training, own accuracy) where `fit` is given no arrays."""
