"""Does the time for reading grow no faster than the text, whatever the text is made of?"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import pytest

from autograder.grading.reflections import judge_reflections
from autograder.grading.reflections.finding import find_reflections
from autograder.grading.reflections.plain import MAX_CHARACTERS
from autograder.grading.reflections.scaffold import Scaffold
from tests.reflections.released_answers import ASSIGNMENT, NAMES, PROMPTS, SETTINGS

PIECES = (
    *" \t\r\0[]()<>`#*_~|-.!'\"\\&{$^0a",
    "![", "](", "[a](", "![a](b)", "<!--", "-->", "<!-- -->", "<!-- BEGIN QUESTION -->",
    "<!-- m5:reflection_1 -->", "<a ", "<b>", "<div ", "<br>", "<h1", "&amp;", "&#", "&lt",
    "data:", "data:image/png;base64,", "data:a/b,c ", "data:a/b,", "http://", "www.", "attachment:",
    "Reflection 1: ", "### Reflection 2\n", "Q3:\n", "1. ", "1. a\n", "第一", "first ",
    "**Reflection", PROMPTS[NAMES[0]], PROMPTS[NAMES[0]] + "\n", "Type your answer here, ", "TODO ",
    "lorem ipsum ", "ab cd ", "x\n", "word " * 30 + "\n", "学", "학", "ひ", "ا", "ش ", "ש", "की",
    "ก", "è", "я ", "😀", "\u0301", "a\u0301\u0316", "ﷺ", "\u200b", "\u3164", "\u2028", "\ud800",
    "\U0010ffff", "İ",
)  # fmt: skip
CODE = (
    "x = 1\n",
    "x\n",
    "'''",
    '"""',
    "f'{",
    "(",
    "#\n",
    "\\\n",
    "\tif x:\n",
    "a ",
    "\ud800",
    "学",
)


def seconds(*cells: Any) -> float:
    """Processor time for finding and judging."""
    scaffold = Scaffold.of(prompts=tuple(PROMPTS.values()), lesson_text=ASSIGNMENT.lesson.text)
    start = time.process_time()
    found = find_reflections({"cells": cells}, prompts=PROMPTS, scaffold=scaffold)
    judge_reflections(found, scaffold=scaffold, min_characters=SETTINGS.min_characters)
    return time.process_time() - start


def grows_slowly(small: Any, large: Any, times: float) -> bool:
    """Whether `large` takes less than so many times as long as `small`, once of twice.

    Something may have disturbed the other.
    """
    bound = times * max(min(seconds(*small) for _ in range(2)), 0.001)
    return any(seconds(*large) < bound for _ in range(2))


def cell(piece: str, size: int, kind: str = "markdown") -> dict[str, Any]:
    """A cell of `size` characters, answering the first question."""
    tags = {"tags": [NAMES[0]]}
    return {"cell_type": kind, "metadata": tags, "source": piece * (size // len(piece))}


@pytest.mark.parametrize(
    ("piece", "kind"), [*((p, "markdown") for p in PIECES), *((p, "code") for p in CODE)], ids=ascii
)
def test_time_grows_no_faster_than_the_text(piece: str, kind: str) -> None:
    """Of a cell, `MAX_CHARACTERS` are read closely; all of it is looked through."""
    for size in (MAX_CHARACTERS, 4_000_000):
        small, large = (cell(piece, size // times, kind) for times in (16, 1))
        assert grows_slowly([small], [large], 3 * 16)


@pytest.mark.parametrize("pieces", [PIECES, ["Q3:\n"] * 5, ["x\n"] * 5], ids=["all", "Q3", "x"])
def test_time_grows_no_faster_than_the_number_of_cells(pieces: Sequence[str]) -> None:
    cells = [cell(piece, 200) for piece in pieces]
    assert grows_slowly(cells, cells * 16, 2 * 16)


def test_import_is_light() -> None:
    program = (
        "import sys, autograder.grading.reflections;"
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'nbformat', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
