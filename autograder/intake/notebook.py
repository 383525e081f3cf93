"""From a file's bytes to the cells in it, or to a sentence that says what the file is instead."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from autograder.core.errors import MalformedSubmission

MAX_VALUES = 5_000_000
"""Commas, brackets and braces in the text, an upper bound for the values in it. Parsed, a value
takes up to 100 bytes, so 64 MiB of ``[],`` would need gigabytes; a class's largest notebook with
interactive plots has about a tenth of this."""

MAX_INTEGER_DIGITS = 18
"""Fits 64 bits. Converting millions of digits takes quadratic time in Python before 3.10.7."""

SNIFFED_BYTES = 4096
"""Enough to tell one kind of file from another."""

GET_NOTEBOOK = (
    "Download the notebook itself (Colab: File > Download > Download .ipynb; "
    "JupyterLab: File > Download) and upload that file."
)

_SIGNATURES = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"BZh", "a compressed archive"),
    (b"\xfd7zXZ", "a compressed archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x89HDF", "a saved network (HDF5)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x04\x95", "a pickle"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel document"),
    (b"{\\rtf", "a rich-text document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)

_ZIP_KINDS = (
    (b"word/", "a Word document"),
    (b"xl/", "an Excel document"),
    (b"ppt/", "a PowerPoint document"),
    (b"mimetypeapplication/vnd.oasis", "a LibreOffice document"),
    (b"model.weights.h5", "a saved network (.keras)"),
)

_SCRIPT_LINE = re.compile(
    r"^(?:#!|# *%%|# *coding|import \w|from [\w.]+ import |def \w+\(|[%!]\w)", re.MULTILINE
)

FORMAT = 4
"""All that JupyterLab, Colab and VS Code save, and of which the released notebook is."""


def parse_object(data: bytes, shown: str) -> dict[str, Any]:
    """Parse a JSON object, whatever its Unicode encoding, with or without byte order mark.

    ``NaN`` and infinities, which Jupyter writes although JSON has none, become None.

    Parameters
    ----------
    data
        The whole file.
    shown
        What to call it in a sentence.

    Raises
    ------
    MalformedSubmission
        If it is anything else; the text says what, as far as it can be told, and what to do.
    """
    _refuse_other_kinds(data, shown)
    try:
        text = data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise MalformedSubmission(
            f"“{shown}” is damaged, or not a notebook: it is not text in UTF-8. {GET_NOTEBOOK}"
        ) from None
    values = text.count(",") + text.count("[") + text.count("{")
    if values > MAX_VALUES:
        raise MalformedSubmission(
            f"“{shown}” holds too much data to read. Clear the outputs (Edit > Clear all "
            "outputs), save, and upload it again."
        )
    try:
        document = json.loads(text, parse_int=_parse_int, parse_constant=lambda _: None)
    except RecursionError:
        raise too_deep(shown) from None
    except ValueError as error:
        raise MalformedSubmission(_why_not_json(text, shown, error)) from None
    if not isinstance(document, dict):
        raise not_a_notebook(shown)
    return document


def cells_of(document: Mapping[str, Any], shown: str, repairs: list[str]) -> list[Any]:
    """The cells of a file's JSON; what is inside a cell is not checked.

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
        If it is not a notebook, or is of a format too old or too new.
    """
    cells = document.get("cells")
    version = _major_version(document.get("nbformat"))
    if version is None:
        if not isinstance(cells, list):
            raise _other_json(document, shown)
        version = FORMAT
        repairs.append(f"The file named no format; it was read as format {version}.")
    if version < FORMAT:
        raise MalformedSubmission(
            f"“{shown}” is a notebook of format {version}, from before 2015. Open it in JupyterLab "
            "or Colab, save it there, and upload it again."
        )
    if version > FORMAT:
        raise MalformedSubmission(
            f"“{shown}” is a notebook of format {version}, newer than Jupyter itself knows. "
            f"{GET_NOTEBOOK}"
        )
    if not isinstance(cells, list):
        raise not_a_notebook(shown)
    return cells


def not_a_notebook(shown: str) -> MalformedSubmission:
    """The refusal of JSON that is something else."""
    return MalformedSubmission(
        f"“{shown}” is not a notebook: it has no list of cells. {GET_NOTEBOOK}"
    )


def too_deep(shown: str) -> MalformedSubmission:
    """The refusal of values within values within values."""
    return MalformedSubmission(
        f"“{shown}” is damaged: its data is nested too deep for a notebook. {GET_NOTEBOOK}"
    )


def _refuse_other_kinds(data: bytes, shown: str) -> None:
    head = data[:SNIFFED_BYTES]
    if not data.strip(b" \t\r\n\xef\xbb\xbf"):
        raise MalformedSubmission(
            f"“{shown}” is empty. Save your notebook, check its size, and upload it again."
        )
    if not head.strip(b"\x00"):
        raise MalformedSubmission(
            f"“{shown}” is damaged: it holds only zeros. Save your notebook and upload it again."
        )
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            if kind == "a zip archive":
                kind = next((name for mark, name in _ZIP_KINDS if mark in data), kind)
            raise MalformedSubmission(f"“{shown}” is {kind}, not a notebook. {GET_NOTEBOOK}")
    # A notebook about Git has such marks inside strings, never at the start of a line.
    if b"\n>>>>>>> " in data and re.search(rb"^<<<<<<< ", data, re.MULTILINE):
        raise MalformedSubmission(
            f"“{shown}” holds the marks of a Git merge conflict (<<<<<<<). Settle the conflict, "
            "open the notebook once to see that it works, and upload it again."
        )
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<"):
        kind = "XML" if text.startswith(b"<?xml") and b"html" not in text else "a web page (HTML)"
        raise MalformedSubmission(f"“{shown}” is {kind}, not a notebook. {GET_NOTEBOOK}")


def _why_not_json(text: str, shown: str, error: ValueError) -> str:
    """A sentence about text that is not JSON."""
    if text.lstrip().startswith("version https://git-lfs"):
        return f"“{shown}” is a pointer of Git LFS, not a notebook. {GET_NOTEBOOK}"
    if not text.lstrip().startswith(("{", "[")):
        kind = "a Python script" if _SCRIPT_LINE.search(text) else "plain text"
        return f"“{shown}” is {kind}, not a notebook. {GET_NOTEBOOK}"
    if isinstance(error, json.JSONDecodeError):
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            return (
                f"“{shown}” ends in the middle, as after a broken download. Open it in Jupyter "
                "or Colab to see that it is whole, save, and upload it again."
            )
        return (
            f"“{shown}” is damaged at line {error.lineno}, column {error.colno}: {error.msg}. "
            "Open it in Jupyter or Colab, save, and upload it again."
        )
    return f"“{shown}” is damaged. Open it in Jupyter or Colab, save, and upload it again."


def _parse_int(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_INTEGER_DIGITS else None


def _major_version(value: Any) -> int | None:
    """A format number, also where some tool wrote it as ``4.0`` or ``"4"``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, (int, float)) and value == value and abs(value) < 1e9:
        return int(value)
    return None


def _other_json(document: Mapping[str, Any], shown: str) -> MalformedSubmission:
    """The refusal of a JSON object that is something else, named where it is known."""
    if "doc_id" in document or "resource_id" in document:
        return MalformedSubmission(
            f"“{shown}” is only a link to a file on Google Drive. {GET_NOTEBOOK}"
        )
    return not_a_notebook(shown)
