"""The notebooks that `verification` has graded: honest ones, each with something of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks import architectures, preparations

IMPORTS = """\
import cv2
import keras
import numpy as np
import scipy
import tensorflow as tf
from keras import layers
from PIL import Image
from sklearn import preprocessing as sk
keras.utils.set_random_seed(7)
(x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()"""
DENSE = """\
model = keras.Sequential([
    keras.Input(x_train.shape[1:]), layers.Flatten(),
    layers.Dense(32, activation="relu"), layers.Dense(10, activation="softmax"),
])"""
COMPILE = 'model.compile("adam", {loss}, metrics=["accuracy"])'
FIT = "model.fit(x_train, y_train, batch_size=128, verbose=0)"
FIT_LITTLE = "model.fit(x_train[:6000], y_train[:6000], epochs=2, verbose=0)"
EVALUATE = "model.evaluate(x_test, y_test, verbose=0)[1]"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One honest notebook.

    Attributes
    ----------
    cells
        Its code.
    """

    group: str
    name: str
    cells: tuple[str, ...]

    @cached_property
    def notebook(self) -> str:
        """The notebook's file; the same each time, so that its hash names it."""
        cells = [new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(self.cells)]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        return str(nbformat.writes(new_notebook(cells=cells, metadata=kernel)))

    @cached_property
    def key(self) -> str:
        """A hash of the notebook."""
        return hashlib.sha256(self.notebook.encode()).hexdigest()


def cases() -> list[Case]:
    """All cases, group by group."""
    found = []
    for group, texts in {
        "Preparation: a line": preparations.LINES,
        "Preparation: a table": preparations.TABLES,
        "Preparation: where pixels go": preparations.GEOMETRIES,
        "Preparation: resized": preparations.RESIZED,
        "Preparation: scaled by itself": preparations.ALONE,
        "Preparation: statistics over many images": preparations.OVER_MANY,
    }.items():
        found += [_prepared(group, name, text, FIT, EVALUATE) for name, text in texts.items()]
    found += [
        _prepared("Preparation: no arrays given to `fit`", name, *texts)
        for name, texts in preparations.WITHOUT_ARRAYS.items()
    ]
    for group, networks in {
        "Network: dense layers": architectures.PLAIN,
        "Network: images": architectures.IMAGES,
        "Network: sequences": architectures.SEQUENCES,
        "Network: code of one's own": architectures.OWN,
    }.items():
        found += [_built(group, name, text) for name, text in networks.items()]
    return found


def _prepared(group: str, name: str, text: str, fit: str, evaluate: str) -> Case:
    if "x_train" not in text and "lambda" not in text and "def " not in text:
        text = (
            f"def prepare(x):\n    return {text}\n\n"
            "x_train, x_test = prepare(x_train), prepare(x_test)"
        )
    loss = "'sparse_categorical_crossentropy'"
    return _case(group, name, text, DENSE, COMPILE.format(loss=loss), fit, evaluate)


def _built(group: str, name: str, text: str) -> Case:
    if "model =" not in text:
        lines = ["keras.Input((28, 28))", *text.splitlines(), "layers.Dense(10, 'softmax')"]
        text = "model = keras.Sequential([\n    " + ",\n    ".join(lines) + ",\n])"
    loss = "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"
    compiled = COMPILE.format(
        loss=loss if name == "logits" else "'sparse_categorical_crossentropy'"
    )
    prepared = "x_train, x_test = x_train / 255, x_test / 255"
    if "28, 28, 1))\n" in text and "inputs" in text:
        prepared = "x_train, x_test = x_train[..., None] / 255, x_test[..., None] / 255"
    return _case(group, name, prepared, text, compiled, FIT_LITTLE, EVALUATE)


def _case(group: str, name: str, *parts: str) -> Case:
    prepared, network, compiled, fit, evaluate = parts
    said = f'print("own accuracy:", {evaluate})'
    cells = (IMPORTS, prepared, f"{network}\n{compiled}", fit, said)
    return Case(group=group, name=name, cells=cells)
