"""Is the lesson whole, and short enough to be searched; does its example run?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from autograder.grading.reflections.plain import MAX_CHARACTERS
from tests.notebooks import TOOLS

ROOT = Path(__file__).resolve().parents[2]
AT_THE_TOP = ("tools", "local-checks")


def test_tools_at_the_top_are_short_and_every_cell_is_searched_whole(cells: Any) -> None:
    """What is longer than the grader searches keeps it from judging the reflections."""
    lines = [len(cells[name]["source"].splitlines()) for name in AT_THE_TOP]
    assert list(cells)[2:4] == list(AT_THE_TOP) and sum(lines) < 318
    for name, cell in cells.items():
        assert len(cell["source"]) < MAX_CHARACTERS, name


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
    from autograder.core.report import Verdict

    page = (ROOT / "docs/students.md").read_text("utf-8")
    for verdict in Verdict:
        assert f"| `{verdict.value}` |" in page
