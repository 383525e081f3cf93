"""Answers put into the notebook that students get, and judged by the course's own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from autograder.core.assignment import load_assignment
from autograder.core.config import REFLECTION_NAMES
from autograder.core.report import ReflectionReport
from autograder.grading.reflections import Fault, Written, judge_written
from autograder.intake.repairing import repair_notebook
from tests.notebooks import released

ASSIGNMENT = load_assignment(Path(__file__).resolve().parents[2])
SETTINGS = ASSIGNMENT.config.reflections
NAMES = REFLECTION_NAMES
PROMPTS = {name: SETTINGS.prompts.of(name) for name in NAMES}
ONE = "The learning rate was so high that all the neurons of the second layer died."
TWO = "With a smaller rate the loss went down in every epoch and the network learned."
THREE = "Bigger batches make an epoch faster, and hardly change what comes out in the end."
ANSWERS = dict(zip(NAMES, (ONE, TWO, THREE), strict=True))
SAID = {
    Fault.UNTOUCHED: "have not written anything",
    Fault.PLACEHOLDER: "only a placeholder",
    Fault.PROMPT: "repeats its question",
    Fault.LESSON: "own text",
    Fault.REPETITION: "over and over",
    Fault.SHORT: "is short",
    Fault.SAME: "the same text",
}
PLACEHOLDER = next(c.source for c in released().cells if NAMES[0] in c.metadata.get("tags", ()))


def judged(notebook: Any) -> list[ReflectionReport]:
    """What is said of each reflection in a notebook that was handed in."""
    data, _ = repair_notebook(notebook, "notebook.ipynb")
    judgements = judge_written(written(msgspec.json.encode(data)))
    assert list(judgements) == list(NAMES)
    for judgement in judgements.values():
        assert judgement.present == (fault_of(judgement) is None) == (not judgement.reason)
        assert "QUESTION" not in judgement.text
        assert "m5:" not in judgement.text
    return list(judgements.values())


def fault_of(judgement: ReflectionReport) -> Fault | None:
    """What keeps a text from being an answer, as its student reads it."""
    return next((fault for fault, said in SAID.items() if said in judgement.reason), None)


def written(notebook: bytes) -> Written:
    """What is judged, with the course's own questions and minimum."""
    return Written(
        notebook=notebook,
        prompts=PROMPTS,
        lesson_text=ASSIGNMENT.lesson.text,
        min_characters=SETTINGS.min_characters,
    )


def judge(text: str, place: int = 1) -> ReflectionReport:
    """What is said of one answer, typed over the placeholder, when the others are good."""
    answers = [ONE, TWO, THREE]
    answers[place - 1] = text
    return judged(released(*answers))[place - 1]


def judge_all(texts: Sequence[str]) -> list[tuple[str, ReflectionReport]]:
    """What is said of each text, three to a notebook."""
    told: list[Any] = []
    for start in range(0, len(texts), len(NAMES)):
        some = texts[start : start + len(NAMES)]
        told += zip(some, judged(released(*some)), strict=False)
    return told


def ending(*cells: Any) -> Any:
    """The released notebook with other cells in place of the questions and the answer cells."""
    made = released()
    ids = [cell.id for cell in made.cells]
    made.cells[ids.index("reflect") + 1 : ids.index("hand-in")] = cells
    return made


def questions(
    *answers: Any, marker: bool = True, label: bool = True, otter: bool = True
) -> list[Any]:
    """The released questions, or what is left of them, each followed by a new cell."""
    cells = []
    for name, answer in zip(NAMES, answers, strict=True):
        cells += [md(question(name, marker=marker, label=label, otter=otter)), answer]
    return cells


def question(name: str, *, marker: bool = True, label: bool = True, otter: bool = True) -> str:
    """A question as it is released, or what is left of it."""
    (source,) = (cell.source for cell in released().cells if f"m5:{name} " in cell.source)
    lines = source.splitlines()
    if not otter:
        lines = [line for line in lines if "QUESTION" not in line]
    if not marker:
        lines = [line for line in lines if "m5:" not in line]
    if not label:
        lines = [line.rpartition(": ")[2] if line.startswith("###") else line for line in lines]
    return "\n".join(lines)


def md(text: str, *tags: str) -> nbformat.NotebookNode:
    """A text cell."""
    return new_markdown_cell(text, metadata={"tags": list(tags)})


def code(text: str, *tags: str) -> nbformat.NotebookNode:
    """A code cell."""
    return new_code_cell(text, metadata={"tags": list(tags)})


def raw(text: str) -> nbformat.NotebookNode:
    """A cell that is neither."""
    return new_raw_cell(text)
