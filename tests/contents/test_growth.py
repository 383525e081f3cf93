"""Every reader of strangers' texts takes time that grows with the text, not with its square.

Texts of each kind of character and markup are repeated; processor time at n and at 16 n is
compared. Where a library's own time grows faster, a soft limit strikes and text is shown plainly.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from autograder.core.assignment import Lesson
from autograder.core.text import excerpt
from autograder.intake import Contents, read_contents
from autograder.reports.code_tokens import normalised_code
from autograder.reports.pages import executed
from autograder.reports.pages.markup import Budget, OutOfTime, checked_picture, clean_html
from autograder.reports.similarity import Work, find_similar

KINDS = {
    "letters": "abc ",
    "digits": "1234567890",
    "blanks": " ",
    "lines": "\n",
    "lines_of_blanks": " " * 99 + "\n",
    "tabs": "\t",
    "carriage_returns": "\r",
    "combining": "\u0301\u0327",
    "ligatures": "\ufdfa",
    "chinese": "學習率太高",
    "thai": "อัตรา",
    "arabic": "معدل ",
    "emoji": "👩‍🔬",
    "backslashes": "\\",
    "quotes": "\"'",
    "escaped_quotes": "'\\",
    "triple_quotes": '\\"""',
    "braces": "([{",
    "closed": "}])",
    "tags": "<b>",
    "open_tags": "<b ",
    "tables": "<table><tr><td>",
    "items": "<ul><li>",
    "comments": "<!--",
    "declarations": "<![CDATA[",
    "styles": "<style",
    "entities": "&amp;&#x",
    "stars": "*_",
    "dollars": "$",
    "backticks": "`",
    "links": "[a](",
    "pictures": "![",
    "references": "[a]: b\n\n",
    "quoted": "> ",
    "rows": "|a",
    "escapes": "\x1b[",
    "titles": "\x1b]",
    "nul": "\x00",
    "paths": "/a",
    "odd_paths": " ~/%/",
    "base64": "AAAA",
    "hashes": "# ",
    "dashes": "- ",
    "equals": "a=b==",
    "percent": "%a\n",
}
SMALL = 1_500
GROWTH = 16
SLACK = 4.0
"""So many times linear growth is allowed: a square would be 16 times."""
ENDS = ("!x", "!y", "!z")
"""Nothing that a pattern for the text before it would take in: it has to try all its other ways."""
NOISE_SECONDS = 0.02
"""Below this nothing can be said about growth."""


def _parse(text: str) -> object:
    cell = {"cell_type": "markdown", "source": text, "metadata": {text: [text]}}
    code = {"cell_type": "code", "source": "1"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell, code]}
    contents = Contents(data=json.dumps(notebook).encode(), shown="a", assignment_id="a")
    return read_contents(contents)


def _compare(text: str) -> object:
    return find_similar([Work(key=key, code=[], answers=[text + key]) for key in "ab"])


READERS: dict[str, Callable[[str], object]] = {
    "parse": _parse,
    "parse_garbage": lambda text: read_contents(
        Contents(data=("{" + text).encode(), shown="a", assignment_id="a")
    ),
    "compare": _compare,
    "code": lambda text: normalised_code([text], frozenset()),
    "html": clean_html,
    "picture": lambda text: checked_picture("image/png", text),
    "output": lambda text: excerpt(text, len(text)),
}


def _seconds(reader: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    reader(text)
    return time.process_time() - started


@pytest.mark.parametrize("reader", READERS)
def test_time_grows_with_the_text(reader: str) -> None:
    read = READERS[reader]
    read("a")  # what is done once is not counted
    slow = {}
    for kind, piece in KINDS.items():
        text = piece * (SMALL // len(piece))
        # Another text each time, since some readers remember what they have read.
        small = min(_seconds(read, text + end) for end in ENDS)
        bound = NOISE_SECONDS + SLACK * GROWTH * small
        # Once is enough where it is quick: something may have disturbed the others.
        if all(_seconds(read, text * GROWTH + end) > bound for end in ENDS):
            slow[kind] = small
    assert slow == {}


def test_what_takes_long_to_draw_is_shown_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executed, "DRAWING_SECONDS", 0.3)
    monkeypatch.setattr(executed, "CELL_SECONDS", 0.1)
    texts = [piece * (20_000 // len(piece)) for piece in KINDS.values()]
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "source": text} for text in texts]
    cells += [{"cell_type": "code", "source": text, "outputs": []} for text in texts]
    cells.append({"cell_type": "markdown", "source": "**the end**"})
    page = executed.render_executed({"cells": cells}, Lesson())
    assert page.count('<pre class="code"') == len(texts)
    assert "<pre>**the end**</pre>" in page, "the budget was not used up"


def test_a_regular_expression_is_interrupted() -> None:
    budget = Budget(10.0)
    with pytest.raises(OutOfTime), budget.spend(0.1):
        re.fullmatch("(a+)+b", "a" * 60)
    with budget.spend(0.1):
        assert re.fullmatch("a+", "a" * 60)
