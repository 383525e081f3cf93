"""Builders for notebooks in memory, so that a test case is a few lines."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell

STUDENT_NOTEBOOK = Path(__file__).resolve().parent.parent / "student/m5.ipynb"

TOOLS = ("tools", "local-checks", "pictures", "inside", "lab", "canvas-page", "canvas")
"""The cells that define what others call; folded away, as nobody need read them."""

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


@cache
def _read(path: Path) -> Any:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def released(*answers: str, path: Path = STUDENT_NOTEBOOK) -> Any:
    """The notebook that students get, as committed; answered, where answers are given."""
    made = copy.deepcopy(_read(path))
    for number, text in enumerate(answers, start=1):
        answer(made, f"reflection_{number}", text)
    return made


def answer(made: Any, name: str, text: str) -> None:
    """Write an answer over the placeholder of `reflection_1` (and so on), as a student does."""
    (cell,) = (cell for cell in made.cells if name in cell.metadata.get("tags", ()))
    cell["source"] = text


def cell_of(made: Any, cell_id: str) -> Any:
    """The cell with this id; `model` is the one that students change."""
    (cell,) = (cell for cell in made.cells if cell.get("id") == cell_id)
    return cell


def replace_cell(made: Any, cell_id: str, source: str) -> None:
    """Write another source over a whole cell."""
    cell_of(made, cell_id)["source"] = source


def train_little(made: Any, *, images: int = 1000, epochs: int = 1) -> None:
    """Have the model cell train for a second, where what it reaches does not matter."""
    source = cell_of(made, "model")["source"]
    source = source.replace("    x_train,", f"    x_train[:{images}],")
    source = source.replace("    y_train,", f"    y_train[:{images}],")
    replace_cell(made, "model", re.sub(r"epochs=\d+", f"epochs={epochs}", source))


def fix_network(made: Any, *, units: int = 64, rate: float = 0.002, epochs: int = 2) -> None:
    """Change the model cell as a student does who has understood: one hidden layer, a small rate.

    64 units, on all images, pass accuracy and budget after two epochs.
    """
    hidden = re.compile(r'( +layers\.Dense\()\d+(, activation="relu"\),\n)(?:.*"relu".*\n)*')
    source = hidden.sub(rf"\g<1>{units}\g<2>", cell_of(made, "model")["source"])
    source = re.sub(r"learning_rate=[\d.e-]+", f"learning_rate={rate}", source)
    replace_cell(made, "model", re.sub(r"epochs=\d+", f"epochs={epochs}", source))


def colab(made: Any) -> Any:
    """The same notebook as it comes out of Colab once its cells were copied into a new one there.

    Colab writes format 4.0, puts an id of its own into each cell's metadata and its own kernel into
    the notebook's, and copying takes along what a cell says, Otter's comments included, but
    neither ids nor tags.
    """
    copied = copy.deepcopy(made)
    copied["metadata"] = nbformat.from_dict(
        {
            "colab": {"provenance": [], "toc_visible": True},
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python"},
            "accelerator": "GPU",
        }
    )
    copied["nbformat_minor"] = 0
    for number, cell in enumerate(copied.cells):
        cell.pop("id", None)
        cell["metadata"] = nbformat.from_dict({"id": f"c0laB{number:07d}"})
        if cell["cell_type"] == "code":
            cell["execution_count"], cell["outputs"] = number, []
    return copied


def notebook(*cells: str, answers: Sequence[str] = ANSWERS) -> Any:
    """These code cells and, unless there are no answers, the end of the released notebook."""
    made = released(*answers)
    ids = [cell["id"] for cell in made.cells]
    end = made.cells[ids.index("reflect") :] if answers else []
    code = [new_code_cell(cell, id=f"cell-{number}") for number, cell in enumerate(cells)]
    made["cells"] = code + end
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
