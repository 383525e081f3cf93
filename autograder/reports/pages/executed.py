"""Shows an executed notebook as a page of its own that can do nothing.

The page stands in a sandboxed frame: no scripts, no forms, no links. It is made by nbconvert's
exporter with a template of ours that loads nothing, and with our filters: what they return is
escaped text, a picture whose bytes are checked, or HTML of which nh3 leaves a short list of tags
without attributes (`markup.py`). What takes too long to be drawn, or would be too large, is shown
as plain text. A formula stays as its author wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any

import nbformat
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter, TemplateExporter
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.core.text import excerpt
from autograder.reports.pages.budget import Budget, OutOfTime
from autograder.reports.pages.environment import HERE, asset
from autograder.reports.pages.markup import (
    SIGNATURES,
    checked_picture,
    clean_html,
)

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


class NotebookPage(HTMLExporter):
    """nbconvert's exporter with the template and the filters that make a page harmless."""

    def __init__(self) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            template_name="notebook",
            extra_template_basedirs=[str(HERE / "templates")],
            # They serve other formats, and one of them takes the square of a line's length.
            default_preprocessors=[],
            exclude_anchor_links=True,
            filters={"highlight_code": self._code},
        )
        self.budget = Budget(DRAWING_SECONDS)

    def draw(self, notebook: Mapping[str, Any]) -> str:
        """The page, with so much time for all of its cells together."""
        self.budget = Budget(DRAWING_SECONDS)
        # Not the method of HTMLExporter, which has BeautifulSoup parse the whole page once more,
        # to add texts to pictures; ours have them.
        page, _ = TemplateExporter.from_notebook_node(self, nbformat.from_dict(notebook))
        return str(page)

    def _create_environment(self) -> Environment:
        made: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        made.autoescape = made.trim_blocks = made.lstrip_blocks = True
        made.globals["asset"] = asset
        return made

    @pass_context
    def markdown2html(self, context: Context, source: str) -> Markup:
        """A text cell, cleaned; the text itself where it takes too long."""
        html = ""
        # Whatever hostile text does to a library must not cost the page.
        with suppress(Exception, OutOfTime), self.budget.spend(CELL_SECONDS):
            html = super().markdown2html(context, source)
        return clean_html(html) or Markup("<pre>{}</pre>").format(source)

    def _code(self, source: str) -> Markup:
        """Python in colours; without them where it takes too long."""
        with suppress(Exception, OutOfTime), self.budget.spend(CELL_SECONDS):
            return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))
        return Markup.escape(source)


@cache
def _exporter() -> NotebookPage:
    return NotebookPage()


def render_executed(notebook: Mapping[str, Any]) -> str:
    """A page that shows the notebook, of bounded size; odd parts are left out, nothing fails."""
    return _exporter().draw(_bounded(notebook))


def _bounded(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """As much of the notebook as a page holds, in the form that nbconvert wants."""
    cells: list[dict[str, Any]] = []
    number = size = 0
    is_cut = False
    for cell in _list(notebook.get("cells")):
        if is_cut or len(cells) == MAX_CELLS:
            is_cut = True
            break
        kind, source = cell.get("cell_type"), _text(cell.get("source"))
        if len(source) > MAX_SOURCE_CHARACTERS:
            source = source[:MAX_SOURCE_CHARACTERS] + "\n…"
        size += len(source)
        made: dict[str, Any] = {
            "id": f"cell-{len(cells)}", "cell_type": kind, "source": source, "metadata": {},
        }  # fmt: skip
        if kind == "code":
            number += 1
            made |= {"metadata": {"number": number}, "outputs": []}
            for output in map(_output, _list(cell.get("outputs"))):
                size += sum(map(len, [output.get("text", ""), *output.get("data", {}).values()]))
                if size > MAX_TOTAL_CHARACTERS:
                    break
                made["outputs"].append(output)
        if kind in ("code", "markdown"):
            cells.append(made)
        is_cut = size > MAX_TOTAL_CHARACTERS
    return {"cells": cells, "metadata": {"is_cut": is_cut}, "nbformat": 4, "nbformat_minor": 5}


def _output(output: Mapping[str, Any]) -> dict[str, Any]:
    """One output as a page may show it: a text of a stream or an error, or one kind of data."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {
            "output_type": kind,
            "name": name,
            "text": excerpt(_text(output.get("text")), MAX_TEXT_CHARACTERS),
        }
    if kind == "error":
        lines = output.get("traceback")
        traceback = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
        text = excerpt(traceback or _text(output.get("evalue")), MAX_TEXT_CHARACTERS)
        return {"output_type": "stream", "name": "stderr", "text": text}
    data = output.get("data")
    return {
        "output_type": "display_data",
        "data": _richest(data if isinstance(data, Mapping) else {}),
    }


def _richest(data: Mapping[str, Any]) -> dict[str, str]:
    """The richest form of an output that is safe to show, by its kind; none where there is none."""
    for kind in SIGNATURES:
        if picture := checked_picture(kind, _text(data.get(kind))):
            return {kind: picture}
    if cleaned := clean_html(_text(data.get("text/html"))):
        return {"text/html": cleaned}
    text = _text(data.get("text/plain"))
    if not text and data:
        kinds = ", ".join(str(kind)[:MAX_KIND_CHARACTERS] for kind in islice(data, MAX_KINDS))
        text = f"[An output that is not shown here: {kinds}]"
    return {"text/plain": excerpt(text, MAX_TEXT_CHARACTERS)} if text else {}


def _text(value: Any) -> str:
    """A notebook's text, which may be a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _list(value: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
