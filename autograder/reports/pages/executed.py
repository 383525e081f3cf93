"""Shows an executed notebook as a part of a page: what the student wrote, the lesson folded away.

It is made by nbconvert's exporter with a template of ours that loads nothing, and with our
filters: what they return is escaped text, a picture whose bytes are checked, or HTML of which nh3
leaves a short list of tags without attributes. The whole then passes nh3 once more, as if no
filter had been there (`markup.py`); the lesson's formulas are put in, and its cells folded
(`folding.py`), last. What takes too long to be drawn, or would be too large, is shown as plain
text. A student's own formula stays as written.

What is drawn here depends on the notebook and the lesson alone, on no grade.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any

import nbformat
from jinja2 import Environment
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.core.assignment import Lesson
from autograder.core.text import excerpt
from autograder.reports.pages.environment import HERE
from autograder.reports.pages.folding import ShownCell, fold
from autograder.reports.pages.markup import (
    SIGNATURES,
    Budget,
    OutOfTime,
    checked_picture,
    clean_html,
    sealed,
)

KINDS = ("code", "markdown")
"""Of cells that are shown."""
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

PLACE = re.compile("\ue000(\\d{1,4})\ue001")
"""Of a formula of the lesson, by its number, until all is cleaned. These two characters mean
nothing; a student who writes them gets a formula of the lesson."""
HEADING = re.compile(r"(?<=<)(/?)h([1-6])(?=>)")
HEADINGS_BELOW = 2
"""Levels of the page's own headings, above those of the notebook."""


class _Formulas(IPythonRenderer):
    """Text cells as nbconvert shows them, with places for the formulas of the lesson."""

    def __init__(self, formulas: Iterable[str]) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self._numbers = {formula: number for number, formula in enumerate(formulas)}

    def inline_math(self, body: str) -> str:
        return self._place(f"${body}$") or super().inline_math(body)

    def block_math(self, body: str) -> str:
        return self._place(f"$${body}$$") or super().block_math(body)

    def _place(self, formula: str) -> str:
        number = self._numbers.get(formula)
        return "" if number is None else f"\ue000{number}\ue001"


class NotebookPage(HTMLExporter):
    """nbconvert's exporter with the template and the filters that make a page harmless."""

    def __init__(self) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            template_name="notebook",
            extra_template_basedirs=[str(HERE / "templates")],
            # They serve other formats, and one of them takes the square of a line's length.
            default_preprocessors=[],
            exclude_anchor_links=True,
            filters={"highlight_code": self._code, "text_cell": self._text_cell},
        )
        self.budget = Budget(DRAWING_SECONDS)
        self.formulas: Iterable[str] = ()

    def draw(self, notebook: Mapping[str, Any], formulas: Iterable[str]) -> str:
        """The part of the page, with so much time for all of its cells together."""
        self.budget = Budget(DRAWING_SECONDS)
        self.formulas = formulas
        # Not the method of HTMLExporter, which has BeautifulSoup parse the whole page once more,
        # to add texts to pictures; ours have them.
        page, _ = TemplateExporter.from_notebook_node(self, nbformat.from_dict(notebook))
        return str(page)

    def _create_environment(self) -> Environment:
        made: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        made.autoescape = made.trim_blocks = made.lstrip_blocks = True
        return made

    def _text_cell(self, source: str) -> Markup:
        """A text cell, cleaned; the text itself where it takes too long."""
        html = ""
        # Whatever hostile text does to a library must not cost the page.
        with suppress(Exception, OutOfTime), self.budget.spend(CELL_SECONDS):
            html = MarkdownWithMath(_Formulas(self.formulas)).render(source)
        return clean_html(html) or Markup("<pre>{}</pre>").format(source)

    def _code(self, source: str) -> Markup:
        """Python in colours; without them where it takes too long."""
        with suppress(Exception, OutOfTime), self.budget.spend(CELL_SECONDS):
            return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))
        return Markup.escape(source)


@cache
def _exporter() -> NotebookPage:
    return NotebookPage()


def render_executed(notebook: Mapping[str, Any], lesson: Lesson) -> Markup:
    """Show the notebook, in bounded size; odd parts are left out, nothing fails."""
    drawn = draw_cells(notebook, lesson.formulas)
    return Markup(fold(drawn, shown_cells(notebook), lesson).decode())


def draw_cells(notebook: Mapping[str, Any], formulas: Mapping[str, str]) -> bytes:
    """Draw its cells one after another, whatever the lesson says: nothing is folded yet."""
    html = sealed(_exporter().draw(_bounded(notebook), formulas))
    html = html.replace("<th></th>", "<td></td>")  # the corner of a table is no heading
    html = HEADING.sub(lambda tag: f"{tag[1]}h{min(int(tag[2]) + HEADINGS_BELOW, 6)}", html)
    drawn = list(formulas.values())
    html = PLACE.sub(lambda place: "".join(drawn[int(place[1]) :][:1]) or place[0], html)
    return html.encode("utf-8", "replace")


def shown_cells(notebook: Mapping[str, Any]) -> Iterator[ShownCell]:
    """The cells that a page shows, in order, and those for which there may be no room."""
    number = 0
    for cell in _list(notebook.get("cells")):
        kind = cell.get("cell_type")
        if kind not in KINDS:
            continue
        number += kind == "code"
        yield ShownCell(
            source=_source(cell),
            number=number if kind == "code" else 0,
            failed=kind == "code"
            and any(each.get("output_type") == "error" for each in _list(cell.get("outputs"))),
        )


def _bounded(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """As much of the notebook as a page holds, in the form that nbconvert wants."""
    cells: list[dict[str, Any]] = []
    number = size = 0
    is_cut = False
    for cell in _list(notebook.get("cells")):
        if is_cut or len(cells) == MAX_CELLS:
            is_cut = True
            break
        kind, source = cell.get("cell_type"), _source(cell)
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
        if kind in KINDS:
            cells.append(made)
        is_cut = size > MAX_TOTAL_CHARACTERS
    return {"cells": cells, "metadata": {"is_cut": is_cut}, "nbformat": 4, "nbformat_minor": 5}


def _source(cell: Mapping[str, Any]) -> str:
    source = _text(cell.get("source"))
    cut = source[:MAX_SOURCE_CHARACTERS] + "\n…"
    return cut if len(source) > MAX_SOURCE_CHARACTERS else source


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
