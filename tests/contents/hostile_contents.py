"""Notebooks whose contents are made to cost a reader hours or gigabytes; nothing is trained.

Each stands in the released notebook, so that every reader of the grader meets it: as the answer to
a reflection, as a text cell, as what a cell shows, or as the file itself.
"""

from __future__ import annotations

import json
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.notebooks import ANSWERS, released

TEXTS = {
    "blanks": (" " * 999 + "\n") * 400,
    "brackets": "[" * 100_000,
    "deep_lists": "".join(" " * (2 * depth) + "- a\n" for depth in range(600)),
    "deep_quotes": ">" * 20_000 + " a",
    "dollars": "$" * 20_000 + "\n\n" + "$$ x\n" * 5_000,
    "comments": "<!--" * 20_000,
    "entities": "&#x26;&lt&" * 10_000,
    "wide_table": "|a" * 100_000 + "\n" + "|-" * 100_000 + "\n" + "|b" * 100_000,
    "long_link": "[a](" + "x" * 1_000_000 + ")" + "[b]: " + "y" * 100_000,
    "emphasis": "*_" * 20_000 + "a**" * 10_000,
    "half_characters": "an answer \ud800 with halves \udfff " * 2_000,
    "tags": "".join(f"<b a={n}>" for n in range(4_000)) + "<p>a" * 4_000,
}
"""Of text cells, and of answers."""

SHOWN = {
    "picture_of_blanks": 'show({"image/png": " " * 4_000_000})',
    "picture_of_nothing": 'show({"image/png": "A" * 4_000_000, "image/jpeg": "=" * 1_000_000})',
    "picture_that_unpacks": (
        "import base64, struct, zlib\n"
        "def chunk(kind, data):\n"
        "    ends = struct.pack('>I', len(data)), struct.pack('>I', zlib.crc32(kind + data))\n"
        "    return ends[0] + kind + data + ends[1]\n"
        "head = struct.pack('>IIBBBBB', 60_000, 60_000, 8, 0, 0, 0, 0)\n"
        "png = b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', head)\n"
        "png += chunk(b'IDAT', zlib.compress(bytes(20_000_000))) + chunk(b'IEND', b'')\n"
        "show({'image/png': base64.b64encode(png).decode()})"
    ),
    "html_that_multiplies": 'show({"text/html": "<b><i><u>" * 700 + "<p>a" * 1_400})',
    "html_of_styles": 'show({"text/html": "<style" * 8_000, "text/plain": "a"})',
    "terminal": 'print("\\x1b[" * 300_000); print("\\x1b]" * 300_000); print("\\r" * 300_000)',
    "control": 'print("\\x00\\x08" * 1_000_000)',
    "deep_output": 'v = []\nfor _ in range(900): v = [v]\nshow({"application/json": v})',
}
"""Of code cells, by what they show."""

SHOW = """
from IPython.display import display
def show(data):
    display(data, raw=True)
"""


def hostile_files() -> dict[str, bytes]:
    """Name to file, all to be graded in one call."""
    files = {f"text_{name}": _file(_with_text(text)) for name, text in TEXTS.items()}
    files |= {f"shown_{name}": _file(_with_code(SHOW + code)) for name, code in SHOWN.items()}
    files["long_code"] = _file(_with_code("x = (1, '''a''', \"b\")\n" * 40_000))
    plain = _file(_with_code("1")).decode()
    files["file_deep"] = _first(plain, '"a": ' + "[" * 100_000 + "]" * 100_000)
    files["file_many_cells"] = b'{"nbformat": 4, "cells": [' + b"{}," * 1_000_000 + b"{}]}"
    files["file_large_metadata"] = _first(plain, '"a": [' + "[1]," * 500_000 + "1]")
    files["file_numbers"] = _first(plain, '"a": 1e999, "b": NaN, "c": ' + "9" * 100_000)
    files["file_same_keys"] = _first(plain, ", ".join(['"a": {}'] * 200_000))
    files["file_bom"] = b"\xef\xbb\xbf" + plain.encode()
    files["file_utf_16"] = plain.encode("utf-16")
    return files


def _first(plain: str, members: str) -> bytes:
    """The file with these before all others of its object."""
    return plain.replace("{", "{" + members + ", ", 1).encode()


def _with_text(text: str) -> Any:
    made = _with_code("1")
    made.cells.insert(0, new_markdown_cell(text, id="hostile-text"))
    for cell in made.cells:
        if "reflection_2" in cell.metadata.get("tags", ()):
            cell["source"] = text
    return made


def _with_code(code: str) -> Any:
    """The released notebook, answered, with this in place of all of its code."""
    made = released(*ANSWERS)
    text = [cell for cell in made.cells if cell["cell_type"] != "code"]
    made["cells"] = [new_code_cell(code, id="hostile-code"), *text]
    return made


def _file(made: Any) -> bytes:
    # ASCII, as JSON may write it: half characters survive.
    return json.dumps(nbformat.from_dict(made), indent=1).encode("ascii")
