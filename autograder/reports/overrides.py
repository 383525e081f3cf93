"""overrides.csv: points that people gave by hand, from any number of files, each row checked.

::

    submission,student,check,points,comment
    submission_12,,reflection_1,7.5,Names the bottleneck but not why it cannot learn.
    ,ann@example.edu,points_accuracy,40,"Ran late, agreed by e-mail."

A row names a submission or a student, or both if they agree. What was accepted is kept in the
results folder under `OVERRIDES_NAME`. Marks are only ever added to it: a mark that differs from one
that is kept is refused until somebody takes the earlier row out of that file, so that no mark is
lost unseen.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from autograder.core.config import CHECK_NAMES, PointsConfig
from autograder.core.errors import UsageError
from autograder.core.report import Override, Report, Student
from autograder.core.text import one_line
from autograder.reports.spreadsheets import REST, Problem, plain_cell, plain_key, read_table
from autograder.reports.tables import write_table

OVERRIDES_NAME = "overrides.csv"
MEANINGS: Mapping[str, str] = {
    "submission": "name of the submission's folder, as in `grades.csv`",
    "student": "name, e-mail address or id of the student, or of one of the group; needed only "
    "where `submission` is empty",
    "check": f"which check: {', '.join(f'`{name}`' for name in CHECK_NAMES)}; with `points_` in "
    "front it is the same",
    "points": "points in place of the grader's, from 0 to the check's maximum, with at most two "
    "decimals",
    "comment": "shown to the student beside the points; may be empty",
}
"""What each column of overrides.csv holds; docs/tas.md has this table. Any order is read."""
COLUMNS = tuple(MEANINGS)
NEEDED = (("submission", "student"), ("check",), ("points",))
"""Of each group at least one column must be there."""
MAX_COMMENT_CHARACTERS = 2_000
MAX_PROBLEMS = 20
"""Listed in one message: enough to see what is wrong with a file."""
MAX_QUOTED_CHARACTERS = 60
MAX_LISTED = 5
_POINTS = re.compile(r"\+?(?=[.,]?[0-9])([0-9]{0,6})(?:[.,]([0-9]{1,2}))?")
"""Three decimals would be a thousand in half of the world: `1,000`."""


class Gradable(Protocol):
    """What may be marked: a `Handin` or a `Report`."""

    @property
    def submission(self) -> str:
        """Name of its results folder."""

    @property
    def students(self) -> Sequence[Student]:
        """Whose it is, as far as that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One row that was accepted."""

    submission: str
    student: str
    """For people who read the file; empty where it is not known."""
    check: str
    override: Override
    place: str
    """File and line, for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """All marks together, by submission and check: at most one for each check."""

    marks: Mapping[tuple[str, str], Mark] = field(default_factory=dict)

    def apply(self, report: Report) -> Report:
        """The report with these overrides, and with no others; its score counts them.

        A report without a score has no checks, so that nothing of it can be overridden.
        """
        checks = [
            msgspec.structs.replace(check, override=mark.override if mark else None)
            for check in report.checks
            for mark in [self.marks.get((report.submission, check.name))]
        ]
        score = None if report.score is None else sum(check.earned for check in checks)
        return msgspec.structs.replace(report, checks=checks, score=score)

    def without_effect(self, report: Report) -> list[str]:
        """The checks that a person marked though there is no score that it could change."""
        return [c for of, c in self.marks if of == report.submission and report.score is None]


def read_overrides(
    paths: Iterable[Path], *, gradable: Iterable[Gradable], points: PointsConfig
) -> Overrides:
    """Merge files, each row checked; the same mark twice is one.

    Parameters
    ----------
    paths
        UTF-8, with or without a byte order mark; commas, semicolons or tabs between cells.
    gradable
        Everything that a row may be about.
    points
        The maximum of each check.

    Raises
    ------
    UsageError
        If a file cannot be read, or rows are not right or contradict each other; names up to
        `MAX_PROBLEMS` of them by file and line. Nothing is accepted then.
    """
    people = _People(gradable)
    marks: dict[tuple[str, str], Mark] = {}
    problems: list[str] = []
    for path in paths:
        shown = one_line(str(path))
        try:
            for line, row in read_table(path, COLUMNS, needed=NEEDED):
                try:
                    _add(marks, _mark(row, f"{shown}, line {line}", people, points))
                except Problem as problem:
                    problems.append(f"{shown}, line {line}: {problem}")
        except Problem as problem:
            problems.append(f"{shown}{problem}")
    if problems:
        more = len(problems) - MAX_PROBLEMS
        tail = [f"... and {more} more."] if more > 0 else []
        raise UsageError("\n".join(["No mark was taken over.", *problems[:MAX_PROBLEMS], *tail]))
    return Overrides(marks=marks)


def _add(marks: dict[tuple[str, str], Mark], mark: Mark) -> None:
    known = marks.setdefault((mark.submission, mark.check), mark)
    if known.override != mark.override:
        raise Problem(
            f"{mark.submission}, {mark.check}: gives {_told(mark)}, but {known.place} gives "
            f"{_told(known)}. Take one of the two rows out."
        )


def _told(mark: Mark) -> str:
    comment = one_line(mark.override.comment, MAX_QUOTED_CHARACTERS)
    return f"{mark.override.points:g}" + (f" (“{comment}”)" if comment else "")


def write_overrides(path: Path, overrides: Overrides) -> None:
    """Write what was accepted, in one step, in the form that `read_overrides` takes.

    Raises
    ------
    ResultsError
        If it cannot be written; the old file is then as it was.
    """
    write_table(
        path,
        COLUMNS,
        [
            (
                plain_cell(mark.submission),
                plain_cell(mark.student),
                mark.check,
                f"{mark.override.points:g}",
                plain_cell(mark.override.comment),
            )
            for mark in overrides.marks.values()
        ],
    )


# --------------------------------------------------------------------------- a row


def _mark(row: Mapping[str, str], place: str, people: _People, points: PointsConfig) -> Mark:
    if row[REST]:
        raise Problem("has more cells than there are headings; put quotes around the comment.")
    submission = people.find(row["submission"], row["student"])
    check = plain_key(row["check"]).replace(" ", "_").removeprefix("points_")
    if check not in CHECK_NAMES:
        raise Problem(
            f"there is no check “{_quoted(row['check'])}”. The checks are {', '.join(CHECK_NAMES)}."
        )
    comment = row["comment"]
    if len(comment) > MAX_COMMENT_CHARACTERS:
        raise Problem(
            f"the comment has {len(comment):,} characters; at most {MAX_COMMENT_CHARACTERS:,} are "
            "taken."
        )
    given = _points(row["points"], points.of(check), check)
    return Mark(
        submission=submission,
        student=people.name_of(submission),
        check=check,
        override=Override(points=given, comment=comment),
        place=place,
    )


def _points(text: str, maximum: int, check: str) -> float:
    text = text.strip().lstrip("'")
    if not text:
        raise Problem("has no points.")
    match = _POINTS.fullmatch(text)
    if match is None:
        raise Problem(
            f"“{_quoted(text)}” is not a number from 0 to {maximum} with at most two decimals."
        )
    given = float(f"{match[1] or 0}.{match[2] or 0}")
    if given > maximum:
        raise Problem(f"{text} points are more than the {maximum} that {check} is worth.")
    return given


def _quoted(text: str) -> str:
    return one_line(text, MAX_QUOTED_CHARACTERS)


class _People:
    """Who may be marked, and by which names."""

    def __init__(self, gradable: Iterable[Gradable]) -> None:
        self._names: dict[str, str] = {}
        self._students: dict[str, set[str]] = {}
        self._by_key: defaultdict[str, set[str]] = defaultdict(set)
        self._by_student: defaultdict[str, set[str]] = defaultdict(set)
        for each in gradable:
            names = ", ".join(student.name for student in each.students if student.name)
            keys = {
                plain_key(text)
                for student in each.students
                for text in (student.name, student.email, student.sid, student.canvas_id)
            } | {plain_key(names)}
            self._names[each.submission] = names
            self._students[each.submission] = keys - {""}
            self._by_key[plain_key(each.submission)].add(each.submission)
            for key in keys - {""}:
                self._by_student[key].add(each.submission)

    def name_of(self, submission: str) -> str:
        """The students' names, for people."""
        return self._names[submission]

    def find(self, submission: str, student: str) -> str:
        """The one submission that a row is about."""
        if not submission.strip():
            return self._find_student(student)
        found = (
            self._by_key[plain_key(submission)] if submission not in self._names else {submission}
        )
        if len(found) != 1:
            raise Problem(
                f"there is no submission “{_quoted(submission)}”. Write its name as in grades.csv."
            )
        (name,) = found
        known = self._students[name]
        if known and student.strip() and plain_key(student) not in known:
            raise Problem(
                f"the submission {name} is of {self._names[name] or 'another student'}, not of "
                f"“{_quoted(student)}”."
            )
        return name

    def _find_student(self, student: str) -> str:
        if not student.strip():
            raise Problem("names neither a submission nor a student.")
        found = sorted(self._by_student.get(plain_key(student), ()))
        if not found:
            raise Problem(
                f"there is no student “{_quoted(student)}”. Write the name, e-mail address or id "
                "as in grades.csv, or the submission."
            )
        if len(found) > 1:
            raise Problem(
                f"“{_quoted(student)}” may be any of {', '.join(found[:MAX_LISTED])}. Write which "
                "into the column “submission”."
            )
        return found[0]
