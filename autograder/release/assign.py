"""Otter Assign, run on the rendered source, and the tests: as Otter's files, and in the notebook.

Otter's files are written so that they are the same on every version of Python.

Otter Assign decides which cases a file has, which are hidden and what they are worth. It writes
their code with ``ast.unparse``, whose quotes and line breaks differ from one version of Python to
the next and which drops comments; the code is therefore taken from the source again. The cases
also get names, which Otter's own files cannot give them.

Colab opens a notebook without the folder `tests` beside it, and on a student's computer a folder
of that name may hold anything. So the notebook carries its own copy of what students may see.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


# ------------------------------------------------------------------------------------------ tests


HEADER = "# Made by `m5 release` from assignment/m5.ipynb: change it there, not here."
"""First line of every test file of a release, by which a later release knows it again."""
CHECKS_CELL_ID = "local-checks"
PLACE = "# PUBLIC TESTS"
"""The line of the cell `local-checks` that the tests take the place of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test function and what its decorator says."""

    function: str
    hidden: bool
    points: int | float | None
    success_message: str | None
    failure_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtterFile:
    """One question's test file."""

    name: str
    points: int | float | None
    all_or_nothing: bool
    cases: tuple[Case, ...]


def parse_otter_file(text: str, name: str) -> OtterFile:
    """Read a test file as Otter Assign writes it.

    Raises
    ------
    ReleaseError
        If it is no Python, or a decorator holds something else than a plain value.
    """
    values: dict[str, Any] = {"points": None, "all_or_nothing": False}
    cases: list[Case] = []
    try:
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                values[node.targets[0].id] = ast.literal_eval(node.value)
            elif isinstance(node, ast.FunctionDef):
                cases.append(_case(node))
    except (SyntaxError, ValueError) as error:
        raise ReleaseError(
            f"The tests of '{name}' cannot be read as Otter Assign wrote them ({error}). "
            "A message in a TEST CONFIG must be one line without double quotes."
        ) from error
    return OtterFile(
        name=name,
        points=values["points"],
        all_or_nothing=values["all_or_nothing"],
        cases=tuple(cases),
    )


def _case(node: ast.FunctionDef) -> Case:
    [decorator] = node.decorator_list
    if not isinstance(decorator, ast.Call):
        raise ValueError(f"{node.name} has a decorator without values")
    said = {word.arg: ast.literal_eval(word.value) for word in decorator.keywords}
    return Case(
        function=node.name,
        hidden=said["hidden"],
        points=said["points"],
        success_message=said.get("success_message"),
        failure_message=said.get("failure_message"),
    )


def write_otter_file(file: OtterFile, functions: Mapping[str, str]) -> str:
    """Write a test file.

    Parameters
    ----------
    file
        What to write.
    functions
        The code of each test, by the name of its function, each with a docstring, whose first
        line without its full stop becomes the name of the case.
    """
    lines = [
        HEADER,
        "from otter.test_files import test_case",
        "",
        "OK_FORMAT = False",
        "",
        f"name = {_literal(file.name)}",
        f"points = {_literal(file.points)}",
    ]
    if file.all_or_nothing:
        lines.append("all_or_nothing = True")
    for case in file.cases:
        code = functions[case.function]
        lines += ["", "", "@test_case(", f"    name={_literal(case_name(code))},"]
        lines.append(f"    points={_literal(case.points)},")
        lines.append(f"    hidden={_literal(case.hidden)},")
        if case.success_message is not None:
            lines.append(f"    success_message={_literal(case.success_message)},")
        if case.failure_message is not None:
            lines.append(f"    failure_message={_literal(case.failure_message)},")
        lines += [")", code]
    return "\n".join(lines) + "\n"


def case_name(code: str) -> str:
    """Return the first line of a function's docstring, without its full stop."""
    [function] = ast.parse(code).body
    assert isinstance(function, ast.FunctionDef)
    docstring = ast.get_docstring(function) or function.name
    return docstring.splitlines()[0].rstrip(".")


def _literal(value: object) -> str:
    """Write a plain value as Python; text in double quotes, as JSON and Python share them."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def embed_tests(
    notebook: Notebook, files: Sequence[OtterFile], functions: Mapping[str, str], name: str
) -> Notebook:
    """Return `notebook` with `files` in its cell of local checks.

    Parameters
    ----------
    notebook
        A finished student's or solution notebook.
    files
        What students may see.
    functions
        The code of each test, by the name of its function.
    name
        What to call the notebook in an error.

    Raises
    ------
    ReleaseError
        If the notebook has no place for the tests.
    """
    cells = []
    places = 0
    for cell in notebook["cells"]:
        lines = cell["source"].split("\n")
        if cell["id"] == CHECKS_CELL_ID and lines.count(PLACE) == 1:
            places += 1
            at = lines.index(PLACE)
            lines[at : at + 1] = _local_checks(files, functions).split("\n")
            cell = {**cell, "source": "\n".join(lines)}
        cells.append(cell)
    if places != 1:
        raise ReleaseError(f"{name}: the cell '{CHECKS_CELL_ID}' needs one line '{PLACE}'.")
    return {**notebook, "cells": cells}


def _local_checks(files: Sequence[OtterFile], functions: Mapping[str, str]) -> str:
    """The tests one after another, and `grader`, which knows them by question."""
    parts = [functions[case.function] for file in files for case in file.cases]
    table = ["grader = LocalChecks(", "    {"]
    for file in files:
        table.append(f"        {json.dumps(file.name)}: [")
        for case in file.cases:
            table.append("            (")
            table.append(f"                {case.function},")
            for message in (case.success_message, case.failure_message):
                table.append(f"                {json.dumps(message or '', ensure_ascii=False)},")
            table.append("            ),")
        table.append("        ],")
    table += ["    }", ")"]
    return "\n\n\n".join([*parts, "\n".join(table)])
