"""The same training in nothing but NumPy: what the arithmetic itself costs.

The network of the reference solution, 784 - 64 (ReLU) - 10 (softmax), trained with Adam as Keras
does it, in float32, one batch after another. ``python -m benchmarks.floor DIGITS EPOCHS BATCH``
prints the accuracy on all test images of the file of digits.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

HIDDEN = 64
CLASSES = 10
LEARNING_RATE = 0.001
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
"""Of Adam, Keras's defaults."""
SEED = 20261121


class Network:
    """Both layers' weights in one flat array, so that one step of Adam is a few operations."""

    def __init__(self, inputs: int, generator: np.random.Generator) -> None:
        shapes = ((inputs, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,))
        sizes = [int(np.prod(shape)) for shape in shapes]
        ends = np.cumsum(sizes)[:-1]
        self.weights = np.zeros(sum(sizes), np.float32)
        self.gradients = np.zeros_like(self.weights)
        self.first, self.second = np.zeros_like(self.weights), np.zeros_like(self.weights)
        self.step = 0

        def views(flat: Array) -> list[Array]:
            parts = np.split(flat, ends)
            return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

        self.layers, self.slopes = views(self.weights), views(self.gradients)
        for matrix in (self.layers[0], self.layers[2]):
            bound = np.sqrt(6 / sum(matrix.shape))  # Glorot's, as in Keras
            matrix[:] = generator.uniform(-bound, bound, matrix.shape)

    def hidden(self, images: Array) -> Array:
        """Outputs of the hidden layer, of shape (n, 64)."""
        outputs: Array = np.maximum(images @ self.layers[0] + self.layers[1], 0)
        return outputs

    def train(self, images: Array, labels: NDArray[np.uint8]) -> None:
        """One step of Adam on the mean cross-entropy of a batch."""
        hidden = self.hidden(images)
        scores = hidden @ self.layers[2] + self.layers[3]
        slope = np.exp(scores - scores.max(axis=1, keepdims=True))
        slope /= slope.sum(axis=1, keepdims=True)
        slope[np.arange(len(labels)), labels] -= 1
        slope /= np.float32(len(labels))
        np.matmul(hidden.T, slope, out=self.slopes[2])
        slope.sum(axis=0, out=self.slopes[3])
        back = (slope @ self.layers[2].T) * (hidden > 0)
        np.matmul(images.T, back, out=self.slopes[0])
        back.sum(axis=0, out=self.slopes[1])
        self.step += 1
        self.first += (self.gradients - self.first) * np.float32(1 - BETA_1)
        self.second += (self.gradients**2 - self.second) * np.float32(1 - BETA_2)
        rate = LEARNING_RATE * np.sqrt(1 - BETA_2**self.step) / (1 - BETA_1**self.step)
        self.weights -= np.float32(rate) * self.first / (np.sqrt(self.second) + np.float32(EPSILON))

    def accuracy(self, images: Array, labels: NDArray[np.uint8]) -> float:
        """Fraction of images that are read rightly."""
        scores = self.hidden(images) @ self.layers[2] + self.layers[3]
        return float(np.mean(scores.argmax(axis=1) == labels))


def train(digits: Path, *, epochs: int, batch: int) -> float:
    """Train on all training images; the accuracy on the test images."""
    with np.load(digits) as data:
        x_train, x_test = (
            data[name].reshape(len(data[name]), -1).astype(np.float32) / np.float32(255)
            for name in ("x_train", "x_test")
        )
        y_train, y_test = data["y_train"], data["y_test"]
    generator = np.random.default_rng(SEED)
    network = Network(x_train.shape[1], generator)
    for _ in range(epochs):
        order = generator.permutation(len(x_train))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            network.train(x_train[chosen], y_train[chosen])
        network.accuracy(x_test, y_test)  # the notebook validates after each epoch, too
    return network.accuracy(x_test, y_test)


if __name__ == "__main__":
    print(f"{train(Path(sys.argv[1]), epochs=int(sys.argv[2]), batch=int(sys.argv[3])):.4f}")
