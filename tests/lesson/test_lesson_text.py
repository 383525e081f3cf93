"""Does the lesson say what it should, in readable code and a readable length?"""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from autograder.core.config import load_config
from autograder.grading.reflections.plain import MAX_CHARACTERS
from autograder.release.template import percent
from tests.notebooks import TOOLS

ROOT = Path(__file__).resolve().parents[2]
WANTED = percent(load_config(ROOT / "otter_config.json").accuracy.threshold)
PURPOSES = (
    "show-digits",
    "learning-curves",
    "dead-units",
    "look-inside",
    "draw-activations",
    "two-by-two",
    "three-rates",
    "redraw",
    "draw-digit",
    "read-digit",
)
AT_THE_TOP = ("tools", "local-checks")

MUST_SAY = {
    "welcome": ("two purposes", "hyperparameters", f"more than {WANTED}", "top to bottom"),
    "data": (
        "70,000",
        "60,000",
        "10,000",
        "28 × 28",
        "label",
        "National Institute",
        "LeCun",
        "mnist.npz",
        "255",
        "normalisation",
    ),
    "objective": ("compiles", "epoch", "■", "guesses"),
    "networks": (
        "weights",
        "bias",
        "activation function",
        "input layer",
        "hidden layers",
        "output layer",
        r"y = f\Big(\sum_i w_i x_i + b\Big)",
    ),
    "learning": (
        "feedforward",
        "backpropagation",
        "gradient descent",
        r"w \leftarrow w - \eta",
        "learning rate",
        "sparse_categorical_crossentropy",
        "`categorical_crossentropy`",
        "one-hot",
    ),
    "hyperparameters": (
        r"\max(0, x)",
        r"\dfrac{1}{1 + e^{-x}}",
        r"\dfrac{e^{x_i}}{\sum_j e^{x_j}}",
        "slope",
        "vanishing gradient",
    ),
    "dying": ("Dying ReLU", "dead", "bottleneck"),
    "learning-rate": ("learning rate", "batch", "epoch", "1,875", "number of layers"),
    "experiments": ("width", "rate", "expect", "run=True"),
    "overfitting": (
        "validat",
        "overfitting",
        "underfitting",
        "dropout",
        "learning curves",
        "by heart",
        "average over the epoch",
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
    "task": ("Analyse", "Change", "Reach the goal", "One change", "on purpose", WANTED),
    "reflect": ("your own words", "your own numbers"),
    "reflection-1-prompt": ("Your numbers",),
    "reflection-2-prompt": ("Your numbers",),
    "reflection-3-prompt": ("Your numbers",),
    "hand-in": (
        "Restart the kernel",
        "Colab",
        "JupyterLab",
        "VS Code",
        ".ipynb",
        "Gradescope",
        "https://www.youtube.com/watch?v=aircAruvnKk",
        "http://neuralnetworksanddeeplearning.com/",
        "https://www.3blue1brown.com/lessons/neural-networks",
        "https://www.deeplearningbook.org/",
        "https://www.tensorflow.org/",
    ),
}


@pytest.mark.parametrize("cell", MUST_SAY)
def test_section_says_what_it_is_about(cells: Any, cell: Any) -> None:
    for words in MUST_SAY[cell]:
        assert words.lower() in cells[cell]["source"].lower(), words


def words_in(text: str) -> list[str]:
    """The words that are read: no code blocks, formulas, addresses and comments."""
    hidden = r"<!--.*?-->|```.*?```|\$\$.*?\$\$|\$[^$\n]*\$|\]\([^)]*\)"
    return re.findall(r"[^\W\d_][\w'’-]*", re.sub(hidden, " ", text, flags=re.DOTALL))


def test_asks_for_little_reading_before_the_reflections(cells: Any) -> None:
    before: Any = itertools.takewhile(lambda cell: cell["id"] != "reflect", cells.values())
    text = "\n".join(cell["source"] for cell in before if cell["cell_type"] == "markdown")
    assert 1500 <= len(words_in(text)) <= 2200


def test_tools_at_the_top_are_short_and_every_cell_is_searched_whole(cells: Any) -> None:
    """What is longer than the grader searches keeps it from judging the reflections."""
    lines = [len(cells[name]["source"].splitlines()) for name in AT_THE_TOP]
    assert list(cells)[2:4] == list(AT_THE_TOP) and sum(lines) < 318
    for name, cell in cells.items():
        assert len(cell["source"]) < MAX_CHARACTERS, name


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


@pytest.mark.parametrize("name", TOOLS)
def test_tools_are_folded_away_and_locked(cells: Any, name: Any) -> None:
    metadata = cells[name]["metadata"]
    assert metadata["jupyter"] == {"source_hidden": True} and metadata["cellView"] == "form"
    assert metadata["editable"] is False and metadata["deletable"] is False
    assert cells[name]["source"].startswith("# @title ")


def test_asks_and_does_not_answer(cells: Any) -> None:
    """Neither text nor tools name a width, a rate or a cause that fixes this very network."""
    text = "\n".join(cell["source"] for cell in cells.values())
    for answer in ("Dense(64", "Dense(128", "[64]", "too high for", "ten units die"):
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
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", text, re.MULTILINE)]
    listed = [int(n) for n in re.findall(r"^\| (\d+) \|", cells["welcome"]["source"], re.MULTILINE)]
    assert numbers == listed == list(range(1, 12))


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
    assert "<!-- =" not in page
