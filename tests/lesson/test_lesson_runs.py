"""Does the whole released notebook run from the top, quietly, where nothing lies beside it?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.core.config import load_config
from autograder.release.expectations import read_expectations
from autograder.sandbox import epoch_of

ROOT = Path(__file__).resolve().parents[2]
IMAGES = 600
HAND_OUT_DATA = f"""
import os
os.environ["ACTIVITY_M5"] = "graded"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import numpy, tensorflow
def load_data(path="mnist.npz"):
    with numpy.load({str(ROOT / "assignment/data/mnist.npz")!r}) as data:
        kinds = [data[name][:{IMAGES}] for name in ("x_train", "y_train", "x_test", "y_test")]
    return (kinds[0], kinds[1]), (kinds[2], kinds[3])
tensorflow.keras.datasets.mnist.load_data = load_data
"""
FIGURES = {
    "show-digits": 1,
    "draw-activations": 1,
    "learning-curves": 1,
    "dead-units": 1,
    "look-inside": 3,
    "redraw": 2,  # what no cell above has drawn
    "two-by-two": 0,
    "three-rates": 0,
    "draw-digit": 0,
    "read-digit": 0,
}


pytestmark = pytest.mark.xdist_group("lesson")
"""In one process, so that the notebook runs once."""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The cells of the student's notebook after a run of one epoch on a few hundred images."""
    folder = tmp_path_factory.mktemp("student")
    notebook = nbformat.read(ROOT / "student/m5.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.id == "model":
            cell.source, changes = re.subn(r"epochs=\d+", "epochs=1", cell.source)
            assert changes == 1
    notebook.cells.insert(0, nbformat.v4.new_code_cell(HAND_OUT_DATA, id="hand-out-data"))
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    assert list(folder.iterdir()) == [], "a cell wrote a file"
    return {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}


def texts(cell: Any, name: str) -> str:
    return "".join(
        output.text
        for output in cell.outputs
        if output.output_type == "stream" and output.name == name
    )


def test_says_nothing_on_standard_error(executed: Any) -> None:
    del executed["hand-out-data"]  # TensorFlow may say something when it starts
    assert {name: texts(cell, "stderr") for name, cell in executed.items()} == dict.fromkeys(
        executed, ""
    )


@pytest.mark.parametrize("name", FIGURES)
def test_draws_while_graded_what_needs_nobody_to_look_on(executed: Any, name: Any) -> None:
    kinds = [output for output in executed[name].outputs if "data" in output]
    assert len(kinds) == FIGURES[name] and all("image/png" in output.data for output in kinds)
    assert "No picture here" not in texts(executed[name], "stdout")


def test_local_checks_say_what_is_wrong_with_the_starter(executed: Any) -> None:
    said = texts(executed["check-accuracy"], "stdout")
    assert said.startswith("accuracy: NOT YET. The network reads ")
    assert f"of the {IMAGES} test images" in said and "Gradescope checks more" in said
    said = texts(executed["check-budget"], "stdout")
    parameters = read_expectations(ROOT)["starter"].parameters
    budget = load_config(ROOT / "otter_config.json").budget.max_parameters
    assert said.startswith(
        f"budget: NOT YET. The network has {parameters:,} parameters; at most {budget:,}"
    )


def test_each_epoch_prints_what_a_reflection_asks_for_and_where_the_training_is(
    executed: Any,
) -> None:
    printed = texts(executed["model"], "stdout")
    assert re.fullmatch(
        r"Epoch  1 of 1: loss \d\.\d{4}, training accuracy 0\.\d{4}, test accuracy 0\.\d{4}\n",
        printed,
    )
    assert epoch_of({"text": printed}) == "epoch 1 of 1", "staff are to see it in the terminal"
