"""The tests: as Otter's files, and those that students may see in the notebook itself.

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.core.errors import ReleaseError
from autograder.release.template import Notebook

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
