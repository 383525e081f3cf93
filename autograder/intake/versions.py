"""The cells of a notebook, whichever format wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.core.errors import MalformedSubmission
from autograder.intake.parsing import GET_NOTEBOOK, no_notebook

OLDEST_FORMAT = 3
"""IPython 1 to 2, 2013; what came before can no longer be converted by nbformat alone."""

NEWEST_FORMAT = 4

_TOO_OLD = "Open it in JupyterLab or Colab, save it there, and upload it again."


def cells_of(document: Mapping[str, Any], shown: str, repairs: list[str]) -> list[Any]:
    """The cells of a file's JSON, as in format 4; what is inside a cell is not checked.

    Parameters
    ----------
    document
        The file's JSON; not changed.
    shown
        What to call the file in a sentence.
    repairs
        Gets a sentence for each repair.

    Raises
    ------
    MalformedSubmission
        If it is no notebook, or of a format too old or too new.
    """
    cells, sheets = document.get("cells"), document.get("worksheets")
    version = _major_version(document.get("nbformat"))
    if version is None:
        if not isinstance(cells, list) and not isinstance(sheets, list):
            raise _other_json(document, shown)
        version = OLDEST_FORMAT if not isinstance(cells, list) else NEWEST_FORMAT
        repairs.append(f"The file named no format; it was read as format {version}.")
    if version < OLDEST_FORMAT:
        raise MalformedSubmission(
            f"“{shown}” is a notebook of format {version}, from before 2013. {_TOO_OLD}"
        )
    if version > NEWEST_FORMAT:
        raise MalformedSubmission(
            f"“{shown}” is a notebook of format {version}, newer than Jupyter itself knows. "
            f"{GET_NOTEBOOK}"
        )
    if not isinstance(cells, list):
        if not isinstance(sheets, list):
            raise no_notebook(shown)
        repairs.append("The notebook was converted from format 3.")
        return _convert_sheets(sheets, shown)
    return cells


def _major_version(value: Any) -> int | None:
    """A format number, also where some tool wrote it as ``4.0`` or ``"4"``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, (int, float)) and value == value and abs(value) < 1e9:
        return int(value)
    return None


def _convert_sheets(sheets: list[Any], shown: str) -> list[Any]:
    """Bring the cells of format 3 to format 4, through nbformat's own converter."""
    import nbformat  # a quarter of a second, and only old notebooks need it

    cells: list[dict[str, Any]] = []
    kept_metadata: list[Any] = []  # kept out of the converter, which recurses into it
    for sheet in sheets:
        if not isinstance(sheet, dict) or not isinstance(sheet.get("cells"), list):
            raise no_notebook(shown)
        for cell in sheet["cells"]:
            if not isinstance(cell, dict):
                raise no_notebook(shown)
            cells.append(_tidy_old_cell(cell))
            kept_metadata.append(cell.get("metadata"))
    old = nbformat.from_dict(
        {
            "nbformat": 3,
            "nbformat_minor": 0,
            "metadata": {"name": ""},
            "worksheets": [{"cells": cells, "metadata": {}}],
        }
    )
    new = nbformat.convert(old, NEWEST_FORMAT)
    return [
        # nbformat's new ids are random; ours are the same at every reading.
        {**cell, "id": None, "metadata": metadata}
        for cell, metadata in zip(new["cells"], kept_metadata, strict=True)
    ]


def _tidy_old_cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    """What nbformat's converter needs of a cell of format 3, and nothing that could upset it."""
    kind = cell.get("cell_type")
    tidy: dict[str, Any] = {"metadata": {}}
    if kind == "code":
        return tidy | {
            "cell_type": "code",
            "language": "python",
            "collapsed": False,
            "input": _joined(cell.get("input", cell.get("source", ""))),
            "outputs": [],
        }
    source = _joined(cell.get("source", ""))
    if kind == "heading":
        level = cell.get("level")
        level = level if isinstance(level, int) and 1 <= level <= 6 else 1
        return tidy | {"cell_type": "heading", "level": level, "source": source}
    return tidy | {"cell_type": "raw" if kind == "raw" else "markdown", "source": source}


def _joined(source: Any) -> str:
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _other_json(document: Mapping[str, Any], shown: str) -> MalformedSubmission:
    """The refusal of a JSON object that is something else, named where it is known."""
    if "doc_id" in document or "resource_id" in document:
        return MalformedSubmission(
            f"“{shown}” is only a link to a file on Google Drive. {GET_NOTEBOOK}"
        )
    return no_notebook(shown)
