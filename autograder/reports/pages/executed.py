"""Shows an executed notebook as a page of its own that can do nothing.

The page stands in a sandboxed frame: no scripts, no forms, no links. Beside that, everything in
it is either escaped text, a picture whose bytes are checked, or HTML of which a short list of tags
without attributes is left (`markup.py`). What takes too long to be drawn, or would be too large, is
shown as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

import mistune
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.core.budget import Budget, OutOfTime
from autograder.core.text import excerpt, without_folders
from autograder.reports.pages.environment import render
from autograder.reports.pages.markup import SIGNATURES, checked_picture, clean_html

MAX_CELLS = 500
MAX_SOURCE_CHARACTERS = 20_000
"""Of one cell."""
MAX_TEXT_CHARACTERS = 10_000
"""Of one output; a person reads a screen or two."""
MAX_TOTAL_CHARACTERS = 8_000_000
"""Of the page, pictures included; grading keeps about as much of a notebook's output."""
MAX_KINDS, MAX_KIND_CHARACTERS = 20, 60
"""Of an output that cannot be shown, in the line that says so."""

DRAWING_SECONDS = 4.0
"""Processor time for text cells and colours of one page, and the most for one of them; the
reference solution takes a tenth of a second."""
CELL_SECONDS = 1.0
EMPTY = Markup()

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One output: text, or a picture, or HTML that has been cleaned."""

    text: str = ""
    picture: str = ""
    html: Markup = EMPTY
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCell:
    """One cell: cleaned HTML of a text cell, or coloured code and what it showed."""

    number: int = 0
    text: Markup = EMPTY
    code: Markup = EMPTY
    outputs: list[Shown] = field(default_factory=list)


def render_executed(notebook: Mapping[str, Any]) -> str:
    """A page that shows the notebook, of bounded size; odd parts are left out, nothing fails."""
    cells: list[ShownCell] = []
    budget = Budget(DRAWING_SECONDS)
    number = size = 0
    is_cut = False
    for cell in _list(notebook.get("cells")):
        kind, source = cell.get("cell_type"), _text(cell.get("source"))
        if len(cells) == MAX_CELLS or size > MAX_TOTAL_CHARACTERS:
            is_cut = True
            break
        source = _cut(source, MAX_SOURCE_CHARACTERS)
        size += len(source)
        if kind == "markdown":
            cells.append(ShownCell(text=_markdown(source, budget)))
        elif kind == "code":
            number += 1
            outputs = []
            for output in _list(cell.get("outputs")):
                made = _output(output)
                size += len(made.text) + len(made.picture) + len(made.html)
                if size > MAX_TOTAL_CHARACTERS:
                    is_cut = True
                    break
                outputs.append(made)
            cells.append(ShownCell(number=number, code=_code(source, budget), outputs=outputs))
    return render("executed.html", cells=cells, is_cut=is_cut)


def _output(output: Mapping[str, Any]) -> Shown:
    kind = output.get("output_type")
    if kind == "stream":
        is_error = output.get("name") == "stderr"
        return Shown(
            text=excerpt(_text(output.get("text")), MAX_TEXT_CHARACTERS), is_error=is_error
        )
    if kind == "error":
        lines = output.get("traceback")
        traceback = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
        return Shown(
            text=excerpt(traceback or _text(output.get("evalue")), MAX_TEXT_CHARACTERS),
            is_error=True,
        )
    data = output.get("data")
    return _display(data) if isinstance(data, Mapping) else Shown()


def _display(data: Mapping[str, Any]) -> Shown:
    """The richest form of an output that is safe to show."""
    for kind in SIGNATURES:
        if picture := checked_picture(kind, _text(data.get(kind))):
            return Shown(picture=f"data:{kind};base64,{picture}")
    if cleaned := _clean(_text(data.get("text/html"))):
        return Shown(html=cleaned)
    if text := _text(data.get("text/plain")):
        return Shown(text=excerpt(text, MAX_TEXT_CHARACTERS))
    kinds = ", ".join(str(kind)[:MAX_KIND_CHARACTERS] for kind in islice(data, MAX_KINDS))
    return Shown(text=excerpt(f"[An output that is not shown here: {kinds}]", MAX_TEXT_CHARACTERS))


def _clean(html: str) -> Markup:
    cleaned = clean_html(_CONTROL.sub("", html))
    return Markup(without_folders(cleaned)) if cleaned else EMPTY


def _markdown(source: str, budget: Budget) -> Markup:
    html = ""
    # Whatever hostile text does to a library must not cost the page.
    with suppress(Exception, OutOfTime), budget.spend(CELL_SECONDS):
        html = str(_converter()(source))
    return _clean(html) or Markup("<pre>{}</pre>").format(source)


@cache
def _converter() -> Callable[[str], Any]:
    # HTML in the text is kept here, since what comes out is cleaned as a whole.
    return mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "math"])


def _code(source: str, budget: Budget) -> Markup:
    with suppress(Exception, OutOfTime), budget.spend(CELL_SECONDS):
        return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))
    return Markup.escape(source)


def _text(value: Any) -> str:
    """A notebook's text, which may be a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _list(value: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "\n…"
