"""Does the lesson say what it should, in readable code and a readable length?"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from autograder.core.config import load_config
from autograder.release.template import percent

ROOT = Path(__file__).resolve().parents[2]
WANTED = percent(load_config(ROOT / "otter_config.json").accuracy.threshold)
PURPOSES = ("learning-curves", "misread-digits", "dead-units", "where-it-stands", "show-digits")

MUST_SAY = {
    "welcome": ("two purposes", "hyperparameters", f"more than {WANTED}", "top to bottom"),
    "data": ("70,000", "60,000", "10,000", "28 × 28", "label", "National Institute", "LeCun"),
    "networks": (
        "weights",
        "bias",
        "activation function",
        "input layer",
        "hidden layers",
        "output layer",
        "feedforward",
        "backpropagation",
        "gradient descent",
        r"y = f\Big(\sum_i w_i x_i + b\Big)",
        r"w \leftarrow w - \eta",
        "https://www.youtube.com/watch?v=aircAruvnKk",
        "https://www.3blue1brown.com/lessons/neural-networks",
        "http://neuralnetworksanddeeplearning.com/",
        "https://www.deeplearningbook.org/",
        "https://keras.io/",
        "https://www.tensorflow.org/",
    ),
    "hyperparameters": (
        r"\max(0, x)",
        r"\dfrac{1}{1 + e^{-x}}",
        r"\dfrac{e^{x_i}}{\sum_j e^{x_j}}",
        "slope",
        "bottleneck",
        "vanishing gradient",
    ),
    "learning-rate": ("Dying ReLU", "dead", "learning rate", "batches", "epoch", "1,875"),
    "labels": (
        "sparse_categorical_crossentropy",
        "`categorical_crossentropy`",
        "one-hot",
        "255",
        "normalisation",
        "on purpose",
    ),
    "keras": (
        "Sequential",
        "Dense",
        "Flatten",
        "Input",
        "Optimizer",
        "Loss",
        "Metrics",
        "fit",
        "evaluate",
        "predict",
        "summary",
    ),
    "overfitting": (
        "validat",
        "overfitting",
        "underfitting",
        "dropout",
        "learning curves",
        "by heart",
    ),
    "objective": ("Analyse", "Change", "Reach the goal", "Reflect", "Hand in", "One change"),
    "evaluate": ("Learning curves",),
    "reflect": ("your own words",),
    "hand-in": ("Restart the kernel", "Colab", "JupyterLab", "VS Code", ".ipynb", "Gradescope"),
}


@pytest.mark.parametrize("cell", MUST_SAY)
def test_section_says_what_it_is_about(cells: Any, cell: Any) -> None:
    for words in MUST_SAY[cell]:
        assert words.lower() in cells[cell]["source"].lower(), words


def test_reads_in_twenty_minutes(cells: Any) -> None:
    text = "\n".join(cell["source"] for cell in cells.values() if cell["cell_type"] == "markdown")
    text = re.sub(r"```.*?```|\$\$.*?\$\$|\$[^$\n]*\$|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    words = re.findall(r"[^\W\d_][\w'’-]*", text)
    assert 2500 <= len(words) <= 3500


def test_every_code_cell_is_short_and_can_be_read(cells: Any) -> None:
    for name, cell in cells.items():
        if cell["cell_type"] == "code":
            ast.parse(cell["source"])
            assert all(len(line) <= 100 or '"' in line for line in cell["source"].splitlines()), (
                name
            )
            assert "%" not in {line[:1] for line in cell["source"].splitlines()}, "a magic"
            assert "!" not in {line[:1] for line in cell["source"].splitlines()}, "a shell command"


@pytest.mark.parametrize("name", PURPOSES)
def test_live_cells_begin_with_their_purpose(cells: Any, name: Any) -> None:
    assert re.match(r"# .*\?", cells[name]["source"])


@pytest.mark.parametrize("name", ["local-checks", "pictures"])
def test_tools_are_folded_away_and_locked(cells: Any, name: Any) -> None:
    metadata = cells[name]["metadata"]
    assert metadata["jupyter"] == {"source_hidden": True} and metadata["cellView"] == "form"
    assert metadata["editable"] is False and metadata["deletable"] is False
    assert cells[name]["source"].startswith("# @title ")


def test_asks_and_does_not_answer(cells: Any) -> None:
    """Neither text nor tools name a width, a rate or a cause that mends this very network."""
    text = "\n".join(cell["source"] for cell in cells.values())
    for answer in ("Dense(64", "Dense(128", "0.001", "too high for", "ten units die"):
        assert answer not in text


def test_formulas_are_closed_and_no_picture_is_linked(cells: Any) -> None:
    for name, cell in cells.items():
        if cell["cell_type"] == "markdown":
            text = cell["source"]
            assert text.count("$$") % 2 == 0, name
            assert text.replace("$$", "").count("$") % 2 == 0, name
            assert "<img" not in text and "![" not in text, name


def test_parts_are_numbered_as_the_welcome_says(cells: Any) -> None:
    text = "\n".join(cell["source"] for cell in cells.values() if cell["cell_type"] == "markdown")
    numbers = [int(number) for number in re.findall(r"^## (\d)\. ", text, re.MULTILINE)]
    listed = [int(n) for n in re.findall(r"^\| (\d) \|", cells["welcome"]["source"], re.MULTILINE)]
    assert numbers == listed == list(range(1, 9))


def test_example_in_the_lesson_runs_and_learns(
    cells: Any, capsys: pytest.CaptureFixture[str], recwarn: Any
) -> None:
    [code] = re.findall(r"```python\n(.*?)```", cells["keras"]["source"], re.DOTALL)
    import keras

    keras.utils.set_random_seed(1)
    made: dict[str, object] = {}
    exec(code, made)
    history = made["history_of_example"].history  # type: ignore[attr-defined]
    assert history["val_accuracy"][-1] > 0.9
    assert [str(warning.message) for warning in recwarn if "keras" in warning.filename] == []
    assert "model" not in made and "history" not in made


def test_questions_and_answers_name_every_verdict() -> None:
    from autograder.core.verdict import Verdict

    page = (ROOT / "docs/students.md").read_text("utf-8")
    for verdict in Verdict:
        assert f"| `{verdict.value}` |" in page
    for word in ("JupyterLab", "Colab", "VS Code", "requirements.txt", "hand in again", "group"):
        assert word.lower() in page.lower()
    assert "«" not in page
