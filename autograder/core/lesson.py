"""The released notebook, as far as the grader knows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from autograder.core.config import Record
from autograder.core.errors import DataError

LESSON_PATH = Path("student/m5.ipynb")
FORMULAS_PATH = Path("dist/tests/formulas.json")
ANSWER_TAG = "otter_answer_cell"
"""Of a cell that students fill in."""


class LessonCell(Record, frozen=True, kw_only=True):
    """One cell of the released notebook."""

    kind: str
    source: str
    is_answer: bool
    """Whether students fill it in."""


class Lesson(Record, frozen=True, kw_only=True):
    """The released notebook, to tell what is a student's own from what is the lesson's."""

    cells: list[LessonCell] = msgspec.field(default_factory=list)
    formulas: dict[str, str] = msgspec.field(default_factory=dict)
    """MathML by formula, dollar signs included; made by `m5 release`."""

    @property
    def text(self) -> str:
        """Everything that it says, to recognise copied answers by."""
        return "\n\n".join(cell.source for cell in self.cells)


def read_lesson(root: Path) -> Lesson:
    """Read the released notebook, and its formulas in MathML.

    Raises
    ------
    DataError
        If one of them is missing or is not what `m5 release` writes.
    """
    path = root / LESSON_PATH
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        cells = [
            LessonCell(
                kind=cell["cell_type"],
                source="".join(cell["source"]),
                is_answer=ANSWER_TAG in cell["metadata"].get("tags", ()),
            )
            for cell in notebook["cells"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: cannot be read as a notebook; run `m5 release`.") from error
    path = root / FORMULAS_PATH
    try:
        formulas = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path}: cannot be read ({error}); run `m5 release`.") from error
    return Lesson(cells=cells, formulas=formulas)
