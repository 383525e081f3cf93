"""From a JSON object to a clean notebook of format 4.5.

The notebook is built anew from what is known, not changed in place, so that nothing unknown can
reach what comes after. Cells keep their order and their code to the letter: magics, syntax errors
and all. Outputs are dropped, since nothing that a student's file claims to have printed counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from autograder.core.errors import MalformedSubmission
from autograder.core.text import REPLACEMENT, shown_name, writable
from autograder.intake.notebook import GET_NOTEBOOK, cells_of, too_deep

MAX_CELLS = 2_000
"""The largest of 40 public notebooks on this task has under 200."""

MAX_CODE_CHARACTERS = 1_000_000
"""In one cell, about 20,000 lines; text cells may be longer, since Colab keeps pictures in them."""

CELL_KINDS = ("code", "markdown", "raw")

_UNUSED_METADATA = frozenset({"collapsed", "scrolled", "jupyter", "execution", "name", "format"})
"""Typed by the notebook format and mistyped in the wild, and of no meaning to grading."""

MAX_DEPTH = 32
"""Levels of metadata; Jupyter's own has at most six."""

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
        What was repaired, a sentence each.

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


def repair_cell(cell: Any, number: int, shown: str, repairs: list[str]) -> dict[str, Any]:
    """Build a cell of format 4.5 from whatever a file holds in its place.

    Parameters
    ----------
    cell
        JSON data.
    number
        Its place among the cells, from 1, for sentences.
    shown
        What to call the file in a sentence.
    repairs
        Gets a sentence for each repair.

    Returns
    -------
    dict
        Valid but for its id, which is as it was found, if at all.

    Raises
    ------
    MalformedSubmission
        If it holds no text, or code that could never run.
    """
    if not isinstance(cell, dict):
        raise MalformedSubmission(
            f"“{shown}” is damaged: cell {number} is not a cell. {GET_NOTEBOOK}"
        )
    kind = cell.get("cell_type")
    if kind not in CELL_KINDS:
        kind = "code" if kind is None and "outputs" in cell else "markdown"
        repairs.append(f"Cell {number} was of no known kind and is taken for {kind}.")
    source = _repair_source(cell.get("source"), kind, number, shown, repairs)
    metadata = cell.get("metadata")
    clean: dict[str, Any] = {
        "cell_type": kind,
        "id": cell.get("id"),
        "metadata": _repair_cell_metadata(metadata if isinstance(metadata, dict) else {}, shown),
        "source": source,
    }
    if kind == "code":
        clean |= {"execution_count": None, "outputs": []}
    elif attachments := _repair_attachments(cell.get("attachments")):
        clean["attachments"] = attachments
    return clean


def _repair_cell_metadata(metadata: dict[str, Any], shown: str) -> dict[str, Any]:
    kept = {key: value for key, value in metadata.items() if key not in _UNUSED_METADATA}
    clean = clean_mapping(kept, shown)
    tags = clean.pop("tags", None)
    if isinstance(tags, list):
        # The format asks for different, non-empty words without commas.
        words = (tag.replace(",", " ").strip() for tag in tags if isinstance(tag, str))
        clean["tags"] = list(dict.fromkeys(word for word in words if word))
    return clean


def _repair_source(source: Any, kind: str, number: int, shown: str, repairs: list[str]) -> str:
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if source is None:
        repairs.append(f"Cell {number} had no text and is taken for empty.")
        source = ""
    if not isinstance(source, str):
        raise MalformedSubmission(
            f"“{shown}” is damaged: cell {number} holds something else than text. {GET_NOTEBOOK}"
        )
    clean = writable(source)
    if kind == "code":
        if len(clean) > MAX_CODE_CHARACTERS:
            raise MalformedSubmission(
                f"Cell {number} of “{shown}” holds {len(clean):,} characters of code; at most "
                f"{MAX_CODE_CHARACTERS:,} are read. Take the data out of it and upload it again."
            )
        if clean.count(REPLACEMENT) > source.count(REPLACEMENT):
            raise MalformedSubmission(
                f"Cell {number} of “{shown}” holds a character that no program may hold (NUL or "
                "half an emoji). Type that line anew, save, and upload it again."
            )
    elif clean != source:
        repairs.append(f"Broken characters in the text of cell {number} were replaced.")
    return clean


def _repair_attachments(attachments: Any) -> dict[str, dict[str, str]]:
    """The pictures that were pasted into a text cell; anything else goes."""
    clean: dict[str, dict[str, str]] = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        for mime, data in bundle.items() if isinstance(bundle, dict) else ():
            if mime.startswith("image/") and isinstance(data, str):
                clean.setdefault(writable(name), {})[writable(mime)] = writable(data)
    return clean


def clean_mapping(value: Mapping[str, Any], shown: str, depth: int = MAX_DEPTH) -> dict[str, Any]:
    """A copy of `value` with clean keys and values.

    Raises
    ------
    MalformedSubmission
        If it has more than `depth` levels; `shown` names the file.
    """
    return {writable(key): _clean_value(item, shown, depth) for key, item in value.items()}


def _clean_value(value: Any, shown: str, depth: int) -> Any:
    if depth == 0:
        raise too_deep(shown)
    if isinstance(value, dict):
        return clean_mapping(value, shown, depth - 1)
    if isinstance(value, list):
        return [_clean_value(item, shown, depth - 1) for item in value]
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
