"""One cell of a file, made into a clean one."""

from __future__ import annotations

from typing import Any

from autograder.core.errors import MalformedSubmission
from autograder.intake.cleaning import REPLACEMENT, clean_mapping, clean_text
from autograder.intake.parsing import GET_NOTEBOOK

MAX_CODE_CHARACTERS = 1_000_000
"""In one cell, about 20,000 lines; text cells may be longer, since Colab keeps pictures in them."""

CELL_KINDS = ("code", "markdown", "raw")

_UNUSED_METADATA = frozenset({"collapsed", "scrolled", "jupyter", "execution", "name", "format"})
"""Typed by the notebook format and mistyped in the wild, and of no meaning to grading."""


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
        raise MalformedSubmission(f"“{shown}” is damaged: cell {number} is no cell. {GET_NOTEBOOK}")
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
    clean = clean_text(source)
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
                clean.setdefault(clean_text(name), {})[clean_text(mime)] = clean_text(data)
    return clean
