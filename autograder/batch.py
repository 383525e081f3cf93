"""Grades many submissions, one after another, and loses none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from autograder.assignment import Assignment
from autograder.box import BoxKind, Isolation, Toolbox, probe
from autograder.errors import BoxError
from autograder.gradebook import Gradebook
from autograder.intake import Candidate, find_submissions
from autograder.pipeline import Grader
from autograder.report import Report
from autograder.results import ResultsFolder


class Progress(Protocol):
    """Told what happens while a batch is graded."""

    def began(self, isolation: Isolation, total: int) -> None:
        """The box is known, and so is the number of submissions."""

    def started(self, submission: str) -> None:
        """A submission's turn has come."""

    def ran_cell(self, done: int, total: int) -> None:
        """One of its code cells has ended."""

    def finished(self, report: Report) -> None:
        """Its grade is on disk."""


PROBED_SUBMISSIONS = 20
"""So many other submissions are tried to be read; if one is hidden, its neighbours are."""


def _notebooks(candidates: Sequence[Candidate]) -> list[Path]:
    paths = [candidate.path for candidate in candidates if candidate.path.suffix == ".ipynb"]
    return paths[:PROBED_SUBMISSIONS]


def grade_batch(
    paths: Sequence[Path],
    *,
    assignment: Assignment,
    results: ResultsFolder,
    progress: Progress,
    kinds: Sequence[BoxKind] = tuple(BoxKind),
    require_isolation: bool = False,
) -> list[Report]:
    """Grade every submission found in `paths`; each row is on disk before the next begins.

    Raises
    ------
    BoxError
        If there is no box, or isolation is required and a guarantee does not hold.
    ConfigError
        If the results folder may not be written.
    """
    candidates = find_submissions(paths)
    results.prepare()
    reports = []
    with Toolbox.make(assignment.mnist) as toolbox:
        isolation = probe(
            limits=assignment.config.limits,
            toolbox=toolbox,
            secret_files=[*assignment.secret_files, *_notebooks(candidates)],
            kinds=kinds,
        )
        if require_isolation and not isolation.is_complete:
            raise BoxError(
                "This machine does not give every guarantee, and --require-isolation was asked "
                "for. Missing: " + "; ".join(isolation.missing)
            )
        progress.began(isolation, len(candidates))
        grader = Grader(
            assignment=assignment, toolbox=toolbox, isolation=isolation, on_cell=progress.ran_cell
        )
        with Gradebook(results.gradebook) as gradebook:
            for candidate in candidates:
                progress.started(candidate.submission)
                outcome = grader.grade(candidate)
                results.write(outcome)
                gradebook.add(outcome.report)
                reports.append(outcome.report)
                progress.finished(outcome.report)
    return reports
