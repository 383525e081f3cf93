"""Where the answers are, after all that students do to a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

from autograder.grading.reflections.plain import MAX_CHARACTERS, plain_text, split_words, weigh
from autograder.grading.reflections.reading import (
    MAX_CODE_CHARACTERS,
    MAX_LINES,
    Line,
    after_label,
    item_number,
    read_lines,
    speaks_of_reflections,
)
from autograder.grading.reflections.scaffold import Scaffold

MIN_PART_LETTERS = 30
"""Of each part of a text that is taken for the answers to several questions: the points of a list
within one answer are shorter."""

_QUESTION_MARKS = ("?", "？", "؟")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An answer as it stands in the notebook."""

    text: str
    """Source of the answer, perhaps with parts of the question or the placeholder, which
    `judge_reflections` takes off; empty where there is none."""
    remark: str = ""
    """For staff: where it was, if not where the question asks for it."""
    is_cut: bool = False
    """Whether there is more of it than was read."""
    unread: str = ""
    """Of what the notebook has more than is searched, so that the answer may be there; for staff.
    """


def find_reflections(
    notebook: Mapping[str, Any],
    *,
    prompts: Mapping[str, str],
    scaffold: Scaffold,
) -> dict[str, Found]:
    """Find the answer to each reflection, wherever it went.

    An answer is what stands in cells tagged with the reflection's name, and below the line that
    announces it: the marker ``<!-- m5:NAME -->``, else a label such as “Reflection 1” or “Q1:”, in
    many languages, else the question itself. There it ends at the next reflection, at a heading of
    the lesson, or at code; comments and strings in a code cell without code count as text. Where
    that finds nothing: labels elsewhere, a numbered list, cells under one heading, and text above
    the questions.

    Parameters
    ----------
    notebook
        As `read_submission` gives it: JSON data of format 4.5.
    prompts
        The question by name, such as ``reflection_1``, in the order of their numbers in labels.
    scaffold
        Of the questions and the released notebook, whose headings end an answer.

    Returns
    -------
    dict of str to Found
        By name, in the order of `prompts`.
    """
    names = tuple(prompts)
    questions = {name: split_words(plain_text(text)) for name, text in prompts.items()}
    lines = [
        replace(line, name="") if line.name and scaffold.only_mentions(line.text) else line
        for line in islice(read_lines(notebook, names, questions), MAX_LINES + 1)
    ]
    unread = [f"more than {MAX_LINES:,} lines of text"] if len(lines) > MAX_LINES else []
    if any(line.is_cut and not line.is_barrier for line in lines):
        unread.append(f"a cell with more than {MAX_CHARACTERS:,} characters")
    if any(line.is_cut and line.is_barrier for line in lines):
        unread.append(
            f"code that may hold text beyond {MAX_CHARACTERS:,} characters of a cell, or "
            f"{MAX_CODE_CHARACTERS:,} in all"
        )
    finder = _Finder(names, _without_questions(lines[:MAX_LINES]), scaffold)
    finder.file_below_announcements()
    finder.file_below_other_labels()
    finder.file_items_under_one_heading()
    finder.file_above_questions()
    told = " and ".join(unread)
    return {name: replace(each, unread=told) for name, each in finder.found().items()}


class _Finder:
    """Gives each line of a notebook to one reflection at most, by one rule after another."""

    def __init__(self, names: Sequence[str], lines: Sequence[Line], scaffold: Scaffold) -> None:
        self.names, self.lines, self.scaffold = names, lines, scaffold
        self.owner = [""] * len(lines)
        self.remarks = dict.fromkeys(names, "")
        self.part = cache(lambda i: scaffold.own_part(lines[i].text))
        self.surest: dict[str, int] = {}
        for line in lines:
            if line.name:
                self.surest[line.name] = min(line.rank, self.surest.get(line.name, line.rank))
        self.zone = frozenset(self._zone())
        self.openings: set[int] = set()

    def found(self) -> dict[str, Found]:
        """What each reflection was given, in the order of the notebook."""
        told: dict[str, list[Line]] = {name: [] for name in self.names}
        for i, name in enumerate(self.owner):
            if name and not (i in self.openings and not self.part(i)[0]):
                told[name].append(self.lines[i])
        return {
            name: Found(
                text=_joined(lines),
                remark=self.remarks[name],
                is_cut=any(line.is_cut for line in lines),
            )
            for name, lines in told.items()
        }

    def file_below_announcements(self) -> None:
        """What stands in a tagged cell, or below the line that announces a reflection."""
        open_name, has_text, home = "", False, -1
        for i, line in enumerate(self.lines):
            if self._is_sure(line):
                if line.name != open_name:
                    self.openings.add(i)
                open_name, has_text, home = line.name, False, line.cell
            elif line.tag and home != line.cell:
                # A cell with a tag belongs to that, unless a question was merged into it.
                open_name, has_text = line.tag, has_text and line.tag == open_name
            elif open_name and self._is_end(line, open_name, has_text):
                open_name = ""
            if open_name and not line.is_barrier:
                self.owner[i] = open_name
                has_text = has_text or bool(self.part(i)[0])

    def file_below_other_labels(self) -> None:
        """What has a label of its own, outside all answers or within that of another question."""
        blank = self._blank()
        open_name, home = "", ""
        for i, line in enumerate(self.lines):
            is_own_line = self.owner[i] in ("", line.name)
            if line.name and not self._is_sure(line) and (is_own_line or line.name in blank):
                open_name, home = line.name, self.owner[i]
                if home != open_name:
                    self.openings.add(i)
            elif open_name and (
                line.name or self.owner[i] != home or self._is_end(line, open_name, True)
            ):
                open_name = ""
            if not open_name or line.is_barrier:
                continue
            if self.owner[i] != open_name and self.part(i)[0]:
                self.remarks[open_name] = "found under a label of its own, not below its question"
            self.owner[i] = open_name

    def file_items_under_one_heading(self) -> None:
        """A numbered list, or as many cells as there are questions, where nothing else is."""
        blank = self._blank()
        if blank == set(self.names):
            places = [i for i in sorted(self.zone) if not self.owner[i] and self._is_said(i)]
            items = _numbered(places, self.lines, len(self.names))
            least = 0 if items else MIN_PART_LETTERS
            if not items:
                cells = sorted({self.lines[i].cell for i in places})
                items = [[i for i in places if self.lines[i].cell == cell] for cell in cells]
        elif blank == set(self.names[1:]):
            first = self.names[0]
            places = [i for i, n in enumerate(self.owner) if n == first and self.part(i)[0]]
            items, least = _numbered(places, self.lines, len(self.names)), MIN_PART_LETTERS
        else:
            return
        if len(items) != len(self.names) or min(map(self._weight, items)) < least:
            return
        for name, item in zip(self.names, items, strict=True):
            self.remarks[name] = "taken from a list of answers by its place alone"
            for i in item:
                self.owner[i] = name

    def file_above_questions(self) -> None:
        """Text above each question instead of below it: the last one then has nothing below."""
        anchors = [i for i, line in enumerate(self.lines) if self._is_sure(line)]
        order = [self.lines[i].name for i in anchors]
        if sorted(order) != sorted(self.names) or order[-1] not in self._blank():
            return
        start = anchors[0]
        while start - 1 in self.zone:
            start -= 1
        above = [i for i in range(start, anchors[0]) if self._is_said(i)]
        found = [i for i, name in enumerate(self.owner) if name]
        untouched = sum(self.part(i)[2] == "untouched" for i in found)
        in_tagged = any(self.lines[i].tag and self.part(i)[0] for i in found)
        if in_tagged or untouched not in (0, len(self.names)):
            return
        if self._weight(above) < MIN_PART_LETTERS:
            return
        for i in above:
            self.owner[i] = order[0]
        for k, name in enumerate(order):
            below = range(anchors[k] + 1, anchors[k + 1] if k + 1 < len(order) else len(self.lines))
            for i in below:
                if self.owner[i] == name and self.part(i)[0]:
                    self.owner[i] = order[k + 1]
        self.remarks |= dict.fromkeys(self.names, "stood above its question")

    def _zone(self) -> Iterator[int]:
        """Lines from the heading of the questions on, or under a heading that speaks of answers."""
        is_asked = is_open = False
        for i, line in enumerate(self.lines):
            if line.is_heading and not line.name:
                is_lessons = line.text.strip() in self.scaffold.lines
                is_asked = is_asked or line.text.strip() == self.scaffold.opening
                is_open = not is_lessons and (is_open or speaks_of_reflections(line.text))
            elif (is_asked or is_open) and not line.is_barrier:
                yield i

    def _is_said(self, i: int) -> bool:
        """Whether a line is the student's, and not the lesson's."""
        return bool(self.part(i)[0]) and self.lines[i].text.strip() not in self.scaffold.lines

    def _is_sure(self, line: Line) -> bool:
        return bool(line.name) and line.rank == self.surest[line.name]

    def _is_end(self, line: Line, name: str, has_text: bool) -> bool:
        if line.is_barrier:
            return has_text
        if not line.is_heading:
            return False
        if line.name:
            return line.name != name
        return line.text.strip() in self.scaffold.lines

    def _blank(self) -> set[str]:
        """The reflections for which nothing was found yet."""
        said = {name for i, name in enumerate(self.owner) if name and self.part(i)[0]}
        return set(self.names) - said

    def _weight(self, places: Sequence[int]) -> int:
        return weigh([word for i in places for word in self.part(i)[1]])


def _without_questions(lines: Sequence[Line]) -> list[Line]:
    """Leave the label alone of a heading that asks a question right above our marker.

    There it is a release's question and nobody's answer, though by now the course may ask another.
    """
    left = list(lines)
    above: int | None = None
    for i, line in enumerate(lines):
        if line.name and line.rank == 0 and above is not None:
            asked = lines[above]
            rest = after_label(asked.text) or ""
            asks = asked.is_heading and rest.rstrip(" *_#").endswith(_QUESTION_MARKS)
            if asks and (asked.cell, asked.name) == (line.cell, line.name):
                left[above] = replace(asked, text=asked.text.removesuffix(rest))
        if line.text.strip():
            above = i
    return left


def _numbered(places: Sequence[int], lines: Sequence[Line], count: int) -> list[list[int]]:
    """The lines of each item of a list that is numbered from 1 to `count`; else nothing."""
    items: list[list[int]] = []
    for i in places:
        number = item_number(lines[i].text)
        if number == len(items) + 1:
            items.append([])
        elif number and items:
            return []
        if items:
            items[-1].append(i)
    return items if len(items) == count else []


def _joined(lines: Sequence[Line]) -> str:
    """The text of these lines; cells are parted by a blank line."""
    pieces: list[str] = []
    cell = -1
    for line in lines:
        if pieces and line.cell != cell:
            pieces.append("")
        pieces.append(line.text)
        cell = line.cell
    return "\n".join(pieces).strip()
