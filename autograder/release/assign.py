"""Otter Assign, run on the rendered source."""

from __future__ import annotations

import json
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import ReleaseError
from autograder.release.template import Notebook, source_of

NOTEBOOK_NAME = "m5.ipynb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What Otter Assign made of the source."""

    student: Notebook
    solution: Notebook
    student_tests: dict[str, str]
    """Test files by name, without the hidden cases."""
    grader_tests: dict[str, str]
    """Test files by name, with all cases."""
    requirements: str


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Let every temporary file of this process be made in `folder`.

    Otter Assign writes all tests, hidden ones included, to a temporary folder that it removes
    only when it makes an archive; here it goes with `folder`.
    """
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def run_assign(notebook: Notebook, name: str) -> Assigned:
    """Run Otter Assign on `notebook` and collect what it writes.

    Parameters
    ----------
    notebook
        The rendered source.
    name
        What to call the source in an error.

    Raises
    ------
    ReleaseError
        If Otter Assign refuses the notebook; the message names the cell if Otter does.
    """
    with tempfile.TemporaryDirectory(prefix="m5-assign-") as folder:
        work = Path(folder)
        source = work / "source" / NOTEBOOK_NAME
        source.parent.mkdir()
        source.write_text(json.dumps(notebook), encoding="utf-8")
        try:
            with temporary_files_in(work), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # Here and not above: the import takes seconds, and only a release needs it.
                from otter.assign import main

                main(str(source), str(work / "made"), no_pdfs=True, no_run_tests=True)
        except Exception as error:
            raise ReleaseError(f"{name}: Otter Assign: {explain(error, notebook)}") from error
        student, grader = work / "made" / "student", work / "made" / "autograder"
        requirements = grader / "requirements.txt"
        return Assigned(
            student=_read_cells(student / NOTEBOOK_NAME),
            solution=_read_cells(grader / NOTEBOOK_NAME),
            student_tests=_read_tests(student / "tests"),
            grader_tests=_read_tests(grader / "tests"),
            requirements=requirements.read_text("utf-8") if requirements.exists() else "",
        )


def explain(error: Exception, notebook: Notebook) -> str:
    """Say what Otter complained of, and name the cell that it counts."""
    text = (str(error).strip() or type(error).__name__).rstrip(".")
    if counted := re.search(r"cell number (\d+)", text):
        cell = notebook["cells"][int(counted[1]) - 1]
        text += f": the cell '{cell['id']}'"
    return f"{text}."


def _read_cells(path: Path) -> Notebook:
    notebook: Notebook = json.loads(path.read_bytes())
    for cell in notebook["cells"]:
        cell["source"] = source_of(cell)
    return notebook


def _read_tests(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.py"))}
