"""Where the answers are, after all that students do to a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from autograder.reflections.anchors import Anchor, AnchorKind, find_anchor, is_heading
from autograder.reflections.code_text import text_in_code
from autograder.reflections.placeholders import is_placeholder
from autograder.reflections.plain import plain_text, shorten, split_words

MAX_LINES = 20_000
"""Of all cells together; the lesson has 400. Bounds the time that a hostile notebook takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of text in the notebook."""

    cell: int
    text: str
    anchor: Anchor | None
    tags: frozenset[str]
    """The names of reflections with which its cell is tagged."""
    is_barrier: bool = False
    """Stands for a cell of code, which no answer reaches across."""


def find_reflections(
    notebook: Mapping[str, Any],
    *,
    names: Sequence[str],
    prompts: Mapping[str, str] | None = None,
    lesson_text: str = "",
) -> dict[str, str]:
    """Find the answer to each reflection, wherever it went.

    An answer is what stands in cells tagged with the reflection's name, and below the line that
    announces it: the marker ``<!-- m5:NAME -->``, else a heading such as “Reflection 1”, in many
    languages, else the question itself. There it ends at the next reflection, at a heading of the
    lesson, or at code; comments and strings in a code cell without code count as text.

    Parameters
    ----------
    notebook
        As `read_submission` gives it: JSON data of format 4.5.
    names
        The reflections, such as ``reflection_1``; the number at the end is looked for in headings.
    prompts
        The question by name, to find it where marker and heading are gone.
    lesson_text
        All text of the released notebook, whose headings end an answer. Without it, any heading
        at the start of a cell does.

    Returns
    -------
    dict of str to str
        Source of the answer by name, in the order of `names`; empty where there is none. It may
        still hold parts of the question or the placeholder; `judge_reflections` takes them off.
    """
    numbers = {_number_of(name, i): name for i, name in enumerate(names, start=1)}
    questions = {name: split_words(plain_text(text)) for name, text in (prompts or {}).items()}
    lines = list(islice(_lines(notebook, numbers, questions), MAX_LINES))
    surest: dict[str, AnchorKind] = {}  # how each reflection is announced at best
    for line in lines:
        if line.anchor:
            known = surest.get(line.anchor.name, line.anchor.kind)
            surest[line.anchor.name] = min(known, line.anchor.kind)
    headings = frozenset(
        tuple(split_words(line)) for line in lesson_text.splitlines() if is_heading(line)
    )
    finder = _Finder(lines=lines, surest=surest, headings=headings)
    return {name: finder.find(name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finder:
    lines: Sequence[_Line]
    surest: Mapping[str, AnchorKind]
    """The surest way in which each reflection is announced; only lines of that kind count."""
    headings: frozenset[tuple[str, ...]]

    def find(self, name: str) -> str:
        """The lines of one answer, in the order of the notebook."""
        chosen = self._tagged(name) | self._announced(name)
        return "\n".join(self.lines[i].text for i in sorted(chosen)).strip()

    def _announced_by(self, line: _Line) -> str:
        """The reflection that starts at `line`, or nothing."""
        anchor = line.anchor
        return anchor.name if anchor and anchor.kind == self.surest[anchor.name] else ""

    def _tagged(self, name: str) -> set[int]:
        """Lines of tagged cells; where another question was merged into one, not that part."""
        chosen: set[int] = set()
        cell, is_own = -1, True
        for i, line in enumerate(self.lines):
            if line.cell != cell:
                cell, is_own = line.cell, True
            if announced := self._announced_by(line):
                is_own = announced == name
            if is_own and name in line.tags and not line.is_barrier:
                chosen.add(i)
        return chosen

    def _announced(self, name: str) -> set[int]:
        """Lines below the one that announces the reflection."""
        chosen: set[int] = set()
        is_open = has_text = False
        cell = home = -1
        for i, line in enumerate(self.lines):
            is_new_cell, cell = line.cell != cell, line.cell
            announced = self._announced_by(line)
            if announced:
                is_open, has_text, home = announced == name, False, line.cell
            elif is_open and self._is_end(line, name, is_new_cell, has_text):
                is_open = False
            # A cell with another's tag is another's, unless our question was merged into it.
            is_foreign = bool(line.tags) and name not in line.tags and line.cell != home
            if not is_open or line.is_barrier or is_foreign:
                continue
            chosen.add(i)
            has_text = has_text or (line.anchor is None and _says_something(line.text))
        return chosen

    def _is_end(self, line: _Line, name: str, is_new_cell: bool, has_text: bool) -> bool:
        if line.is_barrier:
            return has_text
        if (line.anchor and line.anchor.name == name) or not is_heading(line.text):
            return False
        if self.headings:
            return tuple(split_words(line.text)) in self.headings
        return is_new_cell and has_text


def _lines(
    notebook: Mapping[str, Any], numbers: Mapping[int, str], questions: Mapping[str, Sequence[str]]
) -> Iterator[_Line]:
    names = frozenset(numbers.values())
    for cell, node in enumerate(notebook.get("cells", ())):
        tags = names & _tags(node)
        source = shorten(node.get("source", ""))
        if node.get("cell_type") == "code":
            code = text_in_code(source)
            if source.strip() and not code.is_all:
                yield _Line(cell=cell, text="", anchor=None, tags=tags, is_barrier=True)
            if not code.is_all and not tags:
                continue
            source = code.text or (source if tags else "")
        for text in source.splitlines():
            anchor = find_anchor(text, numbers, questions)
            yield _Line(cell=cell, text=text, anchor=anchor, tags=tags)


def _tags(node: Mapping[str, Any]) -> frozenset[str]:
    metadata = node.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    return (
        frozenset(t for t in tags if isinstance(t, str)) if isinstance(tags, list) else frozenset()
    )


def _says_something(line: str) -> bool:
    words = split_words(plain_text(line))
    return bool(words) and not is_placeholder(words)


def _number_of(name: str, place: int) -> int:
    match = re.search(r"[0-9]{1,3}$", name)
    return int(match[0]) if match else place
