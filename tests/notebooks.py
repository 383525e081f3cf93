"""Builders for notebooks in memory, so that a test case is a few lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ANSWERS = (
    "The ten ReLU units of the narrow layer died: the learning rate was so high that their "
    "weights jumped to where they give zero for every image.",
    "A smaller learning rate keeps the units alive, and one layer of 64 units leaves room for "
    "what tells the digits apart, with far fewer parameters.",
    "Looking at the curve of each epoch told me more than the last number did; a rate that is "
    "too high looks like a flat line, not like a bad result.",
)

SMALL_DATA = """
import keras
from keras import layers
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, x_test = x_train[:6000] / 255.0, x_test / 255.0
y_train = y_train[:6000]
"""

SMALL_NETWORK = """
model = keras.Sequential([
    keras.Input((28, 28)), layers.Flatten(),
    layers.Dense(32, activation="relu"), layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=2, verbose=0)
"""


def notebook(*cells: str, answers: Sequence[str] = ANSWERS) -> Any:
    """A notebook with these code cells, and reflections as in the released one."""
    built = [new_code_cell(cell) for cell in cells]
    for number, answer in enumerate(answers, start=1):
        built.append(
            new_markdown_cell(f"### Reflection {number}: why?\n<!-- m5:reflection_{number} -->")
        )
        built.append(new_markdown_cell(answer, metadata={"tags": [f"reflection_{number}"]}))
    made = new_notebook(cells=built)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"
    return made


def write(path: Path, made: Any) -> Path:
    """Save a notebook, or any text, under `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(made, bytes):
        path.write_bytes(made)
    elif isinstance(made, str):
        path.write_text(made, encoding="utf-8")
    else:
        path.write_text(nbformat.writes(made), encoding="utf-8")
    return path


def read_json(path: Path) -> Any:
    """Parse a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
