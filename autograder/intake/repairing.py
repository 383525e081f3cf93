"""From a JSON object to a clean notebook of format 4.5.

The notebook is built anew from what is known, not mended in place, so that nothing unknown can
reach what comes after. Cells keep their order and their code to the letter: magics, syntax errors
and all. Outputs are dropped, since nothing that a student's file claims to have printed counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autograder.core.errors import MalformedSubmission
from autograder.intake.cells import repair_cell
from autograder.intake.cleaning import clean_mapping
from autograder.intake.naming import shown_name
from autograder.intake.versions import cells_of

MAX_CELLS = 2_000
"""The largest of 40 public notebooks on this task has under 200."""

PYTHON_NAMES = frozenset({"python", "python3", "ipython", "python 3"})

_OTHER_KERNELS = re.compile(r"(?:ir|xr|ark|julia.*|javascript|deno|ijavascript|bash|sos)")
"""Kernel names that tell the language where the metadata does not."""

_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""As nbformat 4.5 defines it."""

_DROPPED_METADATA = frozenset(
    {"kernelspec", "language_info", "widgets", "signature", "orig_nbformat", "title", "authors"}
)
"""Rewritten; outputs in disguise (the saved state of widgets); typed by the format and unused."""

MAX_REPAIRS = 20
"""Sentences in a report; a file with more was made by a program, and says the same of each cell."""


def repair_notebook(document: Mapping[str, Any], shown: str) -> tuple[dict[str, Any], list[str]]:
    """Make a valid notebook of what a file holds.

    Parameters
    ----------
    document
        The file's JSON; not changed.
    shown
        What to call the file in a sentence.

    Returns
    -------
    notebook
        JSON data that ``nbformat.validate`` accepts: format 4.5, kernel ``python3``, no outputs.
    repairs
        What was mended, a sentence each.

    Raises
    ------
    MalformedSubmission
        If there is no Python notebook to be had from it.
    """
    repairs: list[str] = []
    raw_cells = cells_of(document, shown, repairs)
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    _refuse_other_language(metadata, shown)
    if len(raw_cells) > MAX_CELLS:
        raise MalformedSubmission(
            f"“{shown}” has {len(raw_cells):,} cells; at most {MAX_CELLS:,} are read. "
            "Delete the cells that you do not need and upload it again."
        )
    cells = [repair_cell(cell, n, shown, repairs) for n, cell in enumerate(raw_cells, start=1)]
    if not any(cell["cell_type"] == "code" and cell["source"].strip() for cell in cells):
        raise MalformedSubmission(
            f"“{shown}” has no code to run. Do your work in the notebook that was handed out, "
            "save it, and upload that."
        )
    _repair_ids(cells)
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": _repair_metadata(metadata, shown, repairs),
        "cells": cells,
    }
    if len(repairs) > MAX_REPAIRS:
        more = len(repairs) - MAX_REPAIRS
        repairs = [*repairs[:MAX_REPAIRS], f"{more} more repairs were made."]
    return notebook, repairs


def _refuse_other_language(metadata: Mapping[str, Any], shown: str) -> None:
    kernel, info = metadata.get("kernelspec"), metadata.get("language_info")
    kernel = kernel if isinstance(kernel, dict) else {}
    info = info if isinstance(info, dict) else {}
    # The kernel that ran last wrote `language_info`, so it outranks what was chosen first.
    for stated in (info.get("name"), kernel.get("language"), metadata.get("language")):
        if isinstance(stated, str) and stated.strip():
            language = stated.strip()
            break
    else:
        name = kernel.get("name")
        language = name if isinstance(name, str) and _OTHER_KERNELS.fullmatch(name) else "python"
    if language.lower() not in PYTHON_NAMES:
        raise MalformedSubmission(
            f"“{shown}” is a notebook in the language {shown_name(language)}. Choose a Python 3 "
            "kernel (Kernel > Change kernel), run all cells, save, and upload it again."
        )


def _repair_metadata(metadata: Mapping[str, Any], shown: str, repairs: list[str]) -> dict[str, Any]:
    kernel = metadata.get("kernelspec")
    name = kernel.get("name") if isinstance(kernel, dict) else None
    if not isinstance(name, str) or not name:
        repairs.append("The notebook named no kernel; python3 was used.")
    elif name != "python3":
        repairs.append(f"The kernel “{shown_name(name)}” was replaced by python3.")
    kept = {key: value for key, value in metadata.items() if key not in _DROPPED_METADATA}
    return {
        **clean_mapping(kept, shown),
        "kernelspec": {
            "name": "python3",
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
        },
        "language_info": {"name": "python"},
    }


def _repair_ids(cells: list[dict[str, Any]]) -> None:
    """Give each cell an id of its own; the first of several keeps it.

    Nobody is told: Colab writes none, and no grade hangs on them.
    """
    ids = [cell["id"] for cell in cells]
    valid = {i for i in ids if isinstance(i, str) and _CELL_ID.fullmatch(i)}
    taken: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        stated_id = cell["id"]
        if not isinstance(stated_id, str) or stated_id not in valid or stated_id in taken:
            cell["id"] = f"cell-{number}"
            while cell["id"] in valid | taken:
                cell["id"] += "x"
        taken.add(cell["id"])
