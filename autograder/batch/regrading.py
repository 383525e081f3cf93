"""`m5 regrade`: a folder of grades judged again by the evidence in it, without running anything.

What it writes can be stopped anywhere and begun again: the grades before are noted first, each
folder is rewritten by itself, the tables come last.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec

from autograder.batch.resuming import (
    Case,
    Judged,
    Rejudge,
    listed,
    listed_reports,
    load_overrides,
    run_of,
    write_tables,
)
from autograder.core.assignment import Assignment
from autograder.core.clerk import obeying
from autograder.core.config import CHECK_NAMES, Record
from autograder.core.errors import UsageError
from autograder.core.files import replace_file
from autograder.core.report import Report, Verdict
from autograder.grading.checks import load_otter
from autograder.grading.evidence import NeedsNewRun
from autograder.reports.files import not_written
from autograder.reports.folder import ResultsFolder
from autograder.reports.overrides import OVERRIDES_NAME, write_overrides
from autograder.reports.spreadsheets import plain_cell
from autograder.reports.tables import write_table

REGRADE_NAME = "regrade.csv"
JOURNAL_NAME = ".regrade.json"
GRADER_FAILED = "the grader failed with it, see its grading.log"
COLUMNS = (
    "submission", "name", "outcome", "old_score", "new_score", "old_verdict", "new_verdict",
    "changed", "why",
)  # fmt: skip
WRITERS = 4
"""Threads that write folders while the next are judged: most of that is waiting for the disk."""
OnDone = Callable[[int, int], None]


class Grade(Record, frozen=True):
    """A grade in short."""

    verdict: str
    score: float | None
    points: dict[str, float]

    @classmethod
    def of(cls, report: Report) -> Grade:
        """That of a report, overrides counted."""
        points = {check.name: check.earned for check in report.checks}
        return cls(verdict=report.verdict.value, score=report.score, points=points)


class Journal(Record, frozen=True, kw_only=True):
    """The grades before a regrade that has not come to its end."""

    format: Literal[1] = 1
    before: dict[str, Grade]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One submission before and after.

    Attributes
    ----------
    old, new
        None where there is no grade.
    why
        Why it needs a new run, without a full stop; empty where it was judged again. Its grade is
        then the old one.
    """

    submission: str
    name: str
    old: Grade | None
    new: Grade | None
    why: str = ""

    @classmethod
    def between(cls, name: str, old: Report | None, new: Report | None, *, why: str) -> Change:
        """That of a submission, from its reports."""
        return cls(
            submission=name,
            name=new.name if new else "",
            old=Grade.of(old) if old else None,
            new=Grade.of(new) if new else None,
            why=why,
        )

    @property
    def is_other(self) -> bool:
        """Whether its grade has changed."""
        return self.old != self.new

    @property
    def changed(self) -> str:
        """Which checks have other points, for people."""
        old, new = (each.points if each else {} for each in (self.old, self.new))
        pairs = ((name, old.get(name), new.get(name)) for name in CHECK_NAMES)
        return ", ".join(f"{name}: {_told(a)} -> {_told(b)}" for name, a, b in pairs if a != b)

    @property
    def told(self) -> str:
        """Both grades, for people."""
        both = (
            f"{grade.verdict} {_told(grade.score) or 'no score'}" if grade else "no grade"
            for grade in (self.old, self.new)
        )
        return " -> ".join(both) + (f" ({self.changed})" if self.changed else "")

    def row(self) -> list[str]:
        """In the order of `COLUMNS`."""
        outcome = "changed" if self.is_other else "unchanged"
        grades = (self.old, self.new)
        scores = [_told(grade.score if grade else None) for grade in grades]
        verdicts = [grade.verdict if grade else "" for grade in grades]
        return [
            plain_cell(self.submission), plain_cell(self.name),
            "needs a new run" if self.why else outcome,
            *scores, *verdicts, self.changed, plain_cell(self.why),
        ]  # fmt: skip


def judge_all(
    results: ResultsFolder, assignment: Assignment, *, on_done: OnDone = lambda done, total: None
) -> Iterator[tuple[Change, Judged | None]]:
    """Judge each submission of the class; nothing is written.

    These are all that have a row in grades.csv, or lost it with their report. What else lies there
    is from before somebody handed in again, and is nobody's grade.

    Raises
    ------
    DataError
        If a test file is broken.
    """
    run = run_of(assignment)
    again = Rejudge(assignment, results, run)
    load_otter()  # while the clerks import what they need
    names = listed(results)
    names += [name for name in results.others({*names}) if results.report_in(name) is None]
    for done, (name, found) in enumerate(again.judge(Case(name=name) for name in names), start=1):
        old = results.report_in(name)
        judged, why = None, ""
        if isinstance(found, NeedsNewRun):
            marker = results.marker_of(name)
            is_current = marker is not None and marker.configuration_hash == run.configuration_hash
            why = "" if is_current else str(found)
        else:
            judged = found
        new = judged.report if judged else old
        new = new and results.override(new)
        yield Change.between(name, old, new, why=why), judged
        on_done(done, len(names))


def regrade(
    results: ResultsFolder,
    assignment: Assignment,
    *,
    marks: Sequence[Path] = (),
    stop: Callable[[], bool] = lambda: False,
    on_done: OnDone = lambda done, total: None,
) -> list[Change]:
    """Judge all submissions of the folder again, and write what comes of it.

    Parameters
    ----------
    marks
        Files with points that people gave, merged into those of the folder.
    stop
        Asked again and again whether somebody wants it to end.

    Returns
    -------
    What became of each submission.

    Raises
    ------
    UsageError
        If there are no grades, or a file of marks is not right; nothing is written then.
    DataError
        If a test file is broken.
    ResultsError
        If something cannot be written; begun again, it comes to its end.
    KeyboardInterrupt
        If it was stopped.
    """
    run = run_of(assignment)
    refuse_none(results)
    with results.locked(), obeying(stop):
        results.refuse_another(run)
        overrides = load_overrides(results, assignment.config, listed_reports(results), marks)
        before = _note(results)
        results.prepare(run)
        if marks:
            write_overrides(results.root / OVERRIDES_NAME, overrides)
        again = Rejudge(assignment, results, run)
        changes = []
        waiting: deque[Future[Report | None]] = deque()
        with ThreadPoolExecutor(max_workers=WRITERS) as writers:
            for change, judged in judge_all(results, assignment, on_done=on_done):
                if stop():
                    raise KeyboardInterrupt
                waiting.append(writers.submit(again.write, change.submission, judged))
                changes.append(replace(change, old=before.get(change.submission, change.old)))
                if len(waiting) > WRITERS:
                    waiting.popleft().result()
            for written in waiting:
                written.result()
        write_tables(results, listed(results), assignment.config)
        write_comparison(results, changes)
    return changes


def refuse_none(results: ResultsFolder) -> None:
    """Make sure that there are grades to be judged again.

    Raises
    ------
    UsageError
        If there are none.
    """
    if not results.gradebook.exists():
        raise UsageError(
            f"{results.root} holds no grades. Name the folder that `m5 grade -o` has written."
        )


def write_comparison(results: ResultsFolder, changes: Sequence[Change]) -> None:
    """Write old and new side by side."""
    write_table(results.root / REGRADE_NAME, COLUMNS, [change.row() for change in changes])


def forget_begun(results: ResultsFolder) -> None:
    """Once all is written, pages too: no later regrade has to finish one that was killed."""
    (results.root / JOURNAL_NAME).unlink(missing_ok=True)


def after_runs(
    results: ResultsFolder, assignment: Assignment, changes: Sequence[Change]
) -> list[Change]:
    """The same once those that needed a new run have had one, as far as they had."""
    run = run_of(assignment)
    found = []
    for change in changes:
        report, marker = results.report_in(change.submission), results.marker_of(change.submission)
        if change.why and report is not None and report.verdict is Verdict.GRADER_ERROR:
            change = replace(change, new=Grade.of(report), why=GRADER_FAILED)
        elif change.why and report is not None and marker is not None:
            if marker.configuration_hash == run.configuration_hash:
                change = replace(change, new=Grade.of(report), why="")
            else:
                change = replace(change, why=f"{change.why}; it is not in what --rerun names")
        found.append(change)
    return found


def _note(results: ResultsFolder) -> dict[str, Grade]:
    """The grades before; those of a regrade that was begun and has not come to its end, if any."""
    path = results.root / JOURNAL_NAME
    with contextlib.suppress(OSError, ValueError, RecursionError):
        return msgspec.json.decode(path.read_bytes(), type=Journal).before
    before = {report.submission: Grade.of(report) for report in results.reports()}
    try:
        replace_file(path, msgspec.json.encode(Journal(before=before)))
    except OSError as error:
        raise not_written(path, error) from error
    return before


def _told(points: float | None) -> str:
    return "" if points is None else f"{points:g}"
