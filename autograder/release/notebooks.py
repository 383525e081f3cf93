"""The notebooks of a release, put in their final form, and the lesson's formulas in MathML.

Browsers draw MathML without a script. Students' pages show the lesson as it ran: a formula of the
lesson is drawn there; one that a student wrote stays as written, so that no converter ever reads
what students wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert

from autograder.core.assignment import ANSWER_TAG
from autograder.core.config import REFLECTION_NAMES
from autograder.core.errors import ReleaseError
from autograder.release.source import solution_code
from autograder.release.template import Notebook, parse, refuse_repeated_ids

METADATA_KEY = "activity_m5"
"""In a notebook's metadata; its ``assignment`` tells our notebooks from others."""

MODEL_CELL_ID = "model"
"""The cell that builds, compiles and trains the network."""

SOLUTION_TAG = "otter_assign_solution_cell"
KEPT_METADATA = ("cellView", "deletable", "editable", "jupyter")
"""Whether a cell may be changed, and whether its code is folded away (in Colab, in JupyterLab)."""
CHECK_CALL = re.compile(r'grader\.check\("(\w+)"\)')
MARKER = re.compile(r"<!-- m5:(\w+) -->")

Cell = dict[str, Any]


def finish_student(notebook: Notebook, assignment_id: str, name: str) -> Notebook:
    """Return the student's notebook as it is released; see `finish`."""
    return finish(notebook["cells"], assignment_id, name)


def finish_solution(notebook: Notebook, assignment_id: str, name: str) -> Notebook:
    """Return Otter's solution notebook as a student who solved all would hand it in."""
    cells: list[Cell] = []
    for cell in notebook["cells"]:
        is_solution = SOLUTION_TAG in cell["metadata"].get("tags", [])
        if is_solution and cell["cell_type"] == "markdown" and cells and _is_answer(cells):
            # Otter keeps the placeholder in front of the sample answer.
            cells.pop()
        code = cell["source"]
        if is_solution and cell["cell_type"] == "code":
            code = solution_code(code, f"{name}, cell '{cell['id']}'")
        cells.append({**cell, "source": code})
    return finish(cells, assignment_id, name, solution="reference")


def _is_answer(cells: list[Cell]) -> bool:
    """Whether the last of `cells` directly follows the prompt of a reflection."""
    return len(cells) > 1 and reflection_of(cells[-2]) is not None


def reflection_of(cell: Cell) -> str | None:
    """Return the name of the reflection that this cell asks for, if it is a prompt."""
    if cell["cell_type"] != "markdown":
        return None
    marker = MARKER.search(cell["source"])
    return marker[1] if marker else None


def finish(cells: list[Cell], assignment_id: str, name: str, solution: str = "") -> Notebook:
    """Give cells their final ids, tags and metadata, and make a notebook of them.

    Otter makes up ids for the cells that it adds and leaves notes of its own in their metadata;
    here an id follows from what the cell is for, and only what the notebook needs stays.

    Parameters
    ----------
    cells
        As Otter Assign writes them, sources as one string.
    assignment_id
        Written into the notebook's metadata.
    name
        What to call the notebook in an error.
    solution
        Name of the solution, if it is one; written into the metadata, so that a later release
        knows the file again.

    Raises
    ------
    ReleaseError
        If a cell's code cannot be parsed, a reflection has no cell to answer in, or two cells
        would have one id.
    """
    finished: list[Cell] = []
    asked: str | None = None
    found: list[str] = []
    for cell in cells:
        if asked is not None:
            if cell["cell_type"] != "markdown":
                raise ReleaseError(f"{name}: no cell for the answer follows the prompt of {asked}.")
            found.append(asked)
        finished.append(_finish_cell(cell, asked, name))
        asked = reflection_of(cell)
    if tuple(found) != REFLECTION_NAMES:
        missing = ", ".join(sorted(set(REFLECTION_NAMES) - set(found))) or "none"
        raise ReleaseError(
            f"{name}: each reflection needs one prompt, in order; missing: {missing}."
        )
    refuse_repeated_ids(finished, name)
    if all(cell["id"] != MODEL_CELL_ID for cell in finished):
        raise ReleaseError(f"{name}: there is no cell with the id '{MODEL_CELL_ID}'.")
    return {
        "cells": finished,
        "metadata": {
            METADATA_KEY: {"assignment": assignment_id}
            | ({"solution": solution} if solution else {}),
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _finish_cell(cell: Cell, answers: str | None, name: str) -> Cell:
    """The cell with its final id, tags and metadata; `answers` is the reflection it answers."""
    cell_id = cell["id"]
    tags = {ANSWER_TAG if tag == SOLUTION_TAG else tag for tag in cell["metadata"].get("tags", [])}
    if answers is not None:
        cell_id = answers.replace("_", "-")
        tags.add(answers)
    elif check := CHECK_CALL.fullmatch(cell["source"].strip()):
        cell_id = f"check-{check[1]}"
    metadata: dict[str, Any] = {
        key: cell["metadata"][key] for key in KEPT_METADATA if key in cell["metadata"]
    }
    if tags:
        metadata["tags"] = sorted(tags)
    finished = {
        "cell_type": cell["cell_type"],
        "id": cell_id,
        "metadata": metadata,
        "source": cell["source"].strip("\n"),
    }
    if cell["cell_type"] == "code":
        parse(finished["source"], f"{name}, cell '{cell_id}'")
        finished |= {"execution_count": None, "outputs": []}
    return finished


def with_answers(student: Notebook, answers: Mapping[str, str], solution: str) -> Notebook:
    """Return the student's notebook with other sources in the cells that students fill in.

    Parameters
    ----------
    student
        A finished student notebook.
    answers
        New sources by cell id: ``model``, ``reflection-1`` and so on. Others stay as they are.
    solution
        Name of the solution.
    """
    cells = [
        {**cell, "source": answers.get(cell["id"], cell["source"])} for cell in student["cells"]
    ]
    ours = {**student["metadata"][METADATA_KEY], "solution": solution}
    return {**student, "cells": cells, "metadata": {**student["metadata"], METADATA_KEY: ours}}


def to_bytes(notebook: Notebook) -> bytes:
    """Write a notebook as Jupyter does, but always the same way."""
    cells = [{**cell, "source": cell["source"].splitlines(True)} for cell in notebook["cells"]]
    text = json.dumps({**notebook, "cells": cells}, indent=1, sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8") + b"\n"


# --------------------------------------------------------------------------------------- formulas


FORMULA = re.compile(r"(?<!\\)\$\$.+?(?<!\\)\$\$|(?<![$\\])\$[^$\n]+(?<!\\)\$", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
"""Dollars in it stand for themselves."""
MATHML = "{http://www.w3.org/1998/Math/MathML}"
ELEMENTS = frozenset(
    {"math", "mfrac", "mi", "mn", "mo", "mover", "mroot", "mrow", "mspace", "msqrt", "mstyle"}
    | {"msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover"}
)
ATTRIBUTES = frozenset(
    {"accent", "columnalign", "display", "displaystyle", "linethickness", "mathvariant"}
    | {"maxsize", "minsize", "scriptlevel", "separator", "stretchy", "width"}
)


def formulas_of(notebook: Notebook, name: str) -> bytes:
    """The file of all formulas of a notebook, with what browsers draw them from.

    Raises
    ------
    ReleaseError
        If one of them cannot be converted, or into more than plain MathML.
    """
    texts = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    found = {formula for text in texts for formula in FORMULA.findall(CODE.sub("", text))}
    made = {formula: _mathml(formula, name) for formula in sorted(found)}
    return (json.dumps(made, indent=1, ensure_ascii=False) + "\n").encode()


def _mathml(formula: str, name: str) -> str:
    display = "block" if formula.startswith("$$") else "inline"
    try:
        made = str(convert(formula.strip("$"), display=display))
        root = ElementTree.fromstring(made)
    except Exception as error:  # the library has a dozen of its own, without a common one
        why = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ReleaseError(f"{name}: {formula} cannot be turned into MathML: {why}.") from error
    for element in root.iter():
        tag = element.tag.removeprefix(MATHML)
        if tag not in ELEMENTS or not set(element.attrib) <= ATTRIBUTES:
            kinds = " ".join([tag, *element.attrib])
            raise ReleaseError(f"{name}: {formula} makes more than a formula: <{kinds}>.")
    return made
