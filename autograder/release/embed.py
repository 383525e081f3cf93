"""The public tests, put into the notebook itself.

Colab opens a notebook without the folder `tests` beside it, and on a student's computer a folder
of that name may hold anything. So the notebook carries its own copy of what students may see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from autograder.core.errors import ReleaseError
from autograder.release.template import Notebook
from autograder.release.testfiles import OtterFile

CHECKS_CELL_ID = "local-checks"
PLACE = "# PUBLIC TESTS"
"""The line of the cell `local-checks` that the tests take the place of."""


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
            lines[at : at + 1] = _code(files, functions).split("\n")
            cell = {**cell, "source": "\n".join(lines)}
        cells.append(cell)
    if places != 1:
        raise ReleaseError(f"{name}: the cell '{CHECKS_CELL_ID}' needs one line '{PLACE}'.")
    return {**notebook, "cells": cells}


def _code(files: Sequence[OtterFile], functions: Mapping[str, str]) -> str:
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
