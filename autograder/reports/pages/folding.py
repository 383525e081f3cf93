"""Folds the lesson's cells away in a notebook that has been drawn, so that a student's own show.

Folding is done after drawing: when the lesson's text changes, as it does with every number in it,
cells are folded anew and none has to be drawn again.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from autograder.core.assignment import Lesson
from autograder.core.text import excerpt

NETWORK_ID, REFLECTIONS_ID = "your-network", "your-reflections"
ANCHORS = {"code": NETWORK_ID, "markdown": REFLECTIONS_ID}
"""Where students fill in a cell of that kind for the first time."""
CHAPTERS = ("# ", "## ")
"""With which a cell of the lesson begins a new run of folded ones."""
MAX_TITLE_CHARACTERS = 60
TOOL = "# @title "
"""With which a cell begins that Colab folds away, too."""
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
CELL = b'<div class="cell'
"""How a cell begins. Nothing that a student wrote keeps a class when it is drawn."""
FOLDS = re.compile(rb"</?details>|<summary>[^<]*</summary>")
"""What stands between cells. Nothing that a student wrote can be folded, either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCell:
    """A cell that has been drawn.

    Attributes
    ----------
    number
        Of a code cell, from 1; else 0.
    """

    source: str
    number: int
    failed: bool

    @property
    def known_by(self) -> str:
        """The same for a cell of the lesson, where it is as released."""
        return _known_by(self.source, is_code=bool(self.number))


def fold(drawn: bytes, cells: Iterable[ShownCell], lesson: Lesson) -> bytes:
    """Fold away which runs of cells are the lesson's, as released, and name where answers begin.

    A cell that failed is shown whoever wrote it, and so is the question before an answer.

    Parameters
    ----------
    drawn
        The cells as they were drawn, folded by whatever lesson, or not yet; UTF-8.
    cells
        The same ones, or more where not all were drawn.
    """
    first, *pieces = drawn.split(CELL)
    shown = list(itertools.islice(cells, len(pieces)))
    anchors = _anchors(lesson)
    known = {
        _known_by(cell.source, is_code=cell.kind == "code")
        for cell in lesson.cells
        if not cell.is_answer
    } - anchors.keys()
    opening: dict[int, str] = {}
    closing: set[int] = set()
    for run in _runs(shown, known):
        title = html.escape(_title([shown[place].source for place in run]), quote=False)
        count = "Lesson" if len(run) == 1 else f"Lesson, {len(run)} cells"
        opening[run[0]] = f"<details><summary>{count}: {title}</summary>"
        closing.add(run[-1])
    lines = [_unfolded(first)]
    for place, (cell, piece) in enumerate(zip(shown, pieces, strict=True)):
        inner, end, rest = piece.partition(b">")[2].rpartition(b"</div>")
        anchor = anchors.get(cell.known_by, "") or (f"cell-{cell.number}" * bool(cell.number))
        name = f' id="{anchor}"' if anchor else ""
        tag = f'<div class="cell{" failed" * cell.failed}"{name}>'
        lines += [
            opening.get(place, "").encode("utf-8", "replace"),
            b"".join([tag.encode(), inner, end]),
            b"</details>" if place in closing else b"",
            _unfolded(rest),
        ]
    return b"".join(line + b"\n" for line in lines if line)


@lru_cache(maxsize=512)  # most cells of a class are the released ones
def _known_by(source: str, *, is_code: bool) -> str:
    """What a cell is recognised by.

    In text, and in tools that nobody need read, the course may have put in other numbers since the
    notebook was handed out: a changed threshold does not make them a student's own.
    """
    source = source.strip()
    return source if is_code and not source.startswith(TOOL) else NUMBER.sub("0", source)


def _unfolded(between: bytes) -> bytes:
    return FOLDS.sub(b"", between).strip(b"\n")


def _anchors(lesson: Lesson) -> dict[str, str]:
    """The questions of the lesson; the first of each kind with the name of its place."""
    anchors: dict[str, str] = {}
    for question, answer in itertools.pairwise(lesson.cells):
        if answer.is_answer:
            anchor = ANCHORS[answer.kind]
            known_by = _known_by(question.source, is_code=question.kind == "code")
            anchors[known_by] = "" if anchor in anchors.values() else anchor
    return anchors


def _runs(cells: Iterable[ShownCell], known: Container[str]) -> Iterator[list[int]]:
    """The places of cells that are folded together."""
    runs: list[list[int]] = [[]]
    for place, cell in enumerate(cells):
        is_folded = cell.known_by in known and not cell.failed
        is_chapter = not cell.number and cell.source.strip().startswith(CHAPTERS)
        if is_chapter or not is_folded:
            runs.append([])
        if is_folded:
            runs[-1].append(place)
    return filter(None, runs)


def _title(sources: Iterable[str]) -> str:
    """The first heading of a run of cells, or its first line."""
    lines = [line for source in sources for line in source.strip().splitlines()]
    headings = [line for line in lines if line.startswith("#")]
    title = [*headings, *lines, ""][0].lstrip("# ").removeprefix("@title ")
    return excerpt(title.replace("*", ""), MAX_TITLE_CHARACTERS)
