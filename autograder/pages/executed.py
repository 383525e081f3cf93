"""Shows an executed notebook as a page of its own that can do nothing.

The page stands in a sandboxed frame: no scripts, no forms, no links. Beside that, everything in
it is either escaped text, a picture whose bytes are checked to be base64, or HTML of which a short
list of tags without attributes is left, by the library that nbconvert sanitises with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

import bleach
import mistune
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.gradescope import shown
from autograder.pages.environment import render

MAX_CELLS = 500
MAX_SOURCE_CHARACTERS = 20_000
"""Of one cell."""
MAX_TEXT_CHARACTERS = 10_000
"""Of one output; a person reads a screen or two."""
MAX_HTML_CHARACTERS = 50_000
"""Of one output; a table of 100 rows. Cleaning takes a tenth of a second for it."""
MAX_TOTAL_CHARACTERS = 8_000_000
"""Of the page, pictures included; grading keeps about as much of a notebook's output."""

TAGS = frozenset(
    {"b", "blockquote", "br", "caption", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s", "span", "strong", "sub"}
    | {"sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"}
)
ATTRIBUTES = {"td": ["colspan", "rowspan"], "th": ["colspan", "rowspan"]}
EMPTY = Markup()
PICTURES = ("image/png", "image/jpeg")

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_UNSEEN = re.compile(r"<(style|script)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)


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
            cells.append(ShownCell(text=_markdown(source)))
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
            cells.append(ShownCell(number=number, code=_code(source), outputs=outputs))
    return render("executed.html", cells=cells, is_cut=is_cut)


def plain_output(text: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
    """Text as a terminal would leave it, without colours, control characters and our folders."""
    text = _CONTROL.sub("", _ANSI.sub("", text[: 4 * limit]))
    return shown(text, limit)


def _output(output: Mapping[str, Any]) -> Shown:
    kind = output.get("output_type")
    if kind == "stream":
        is_error = output.get("name") == "stderr"
        return Shown(text=plain_output(_text(output.get("text"))), is_error=is_error)
    if kind == "error":
        lines = output.get("traceback")
        traceback = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
        return Shown(text=plain_output(traceback or _text(output.get("evalue"))), is_error=True)
    data = output.get("data")
    return _display(data) if isinstance(data, Mapping) else Shown()


def _display(data: Mapping[str, Any]) -> Shown:
    """The richest form of an output that is safe to show."""
    for kind in PICTURES:
        content = _text(data.get(kind))
        if content and _BASE64.fullmatch(content):
            return Shown(picture=f"data:{kind};base64,{''.join(content.split())}")
    html = _text(data.get("text/html"))
    if html and len(html) <= MAX_HTML_CHARACTERS and (cleaned := _clean(html)):
        return Shown(html=cleaned)
    if text := _text(data.get("text/plain")):
        return Shown(text=plain_output(text))
    kinds = ", ".join(str(kind) for kind in data)
    return Shown(text=plain_output(f"[An output that is not shown here: {kinds}]"))


def _clean(html: str) -> Markup:
    try:
        cleaned = bleach.clean(
            _CONTROL.sub("", _UNSEEN.sub("", html)),
            tags=TAGS,
            attributes=ATTRIBUTES,
            strip=True,
            strip_comments=True,
        )
    except Exception:  # a parser that hostile HTML breaks must not cost the page
        return Markup()
    return Markup(shown(cleaned, MAX_TOTAL_CHARACTERS)) if cleaned.strip() else Markup()


@lru_cache(maxsize=512)
def _markdown(source: str) -> Markup:
    """Cached, since most text cells of a class are the lesson's."""
    try:
        html = str(_converter()(source))
    except Exception:
        html = ""
    return _clean(html) or Markup("<pre>{}</pre>").format(source)


@cache
def _converter() -> Callable[[str], Any]:
    # HTML in the text is kept here, since what comes out is cleaned as a whole.
    return mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "math"])


@lru_cache(maxsize=512)
def _code(source: str) -> Markup:
    try:
        return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))
    except Exception:
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
