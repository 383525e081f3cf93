"""What an earlier run has graded, and need not be graded again."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from autograder.core.clerk import Unfinished
from autograder.errors import MalformedSubmission
from autograder.gradebook import row_of
from autograder.intake import read_submission
from autograder.intake.exports import Handin
from autograder.results import ResultsFolder, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A submission that an earlier run has graded."""

    handin: Handin
    row: list[str]
    answer_hash: str


def find_kept(handin: Handin, results: ResultsFolder, run: Run) -> Kept | None:
    """What an earlier run wrote about this very file, if the configuration was the same."""
    marker = results.marker_of(handin.submission)
    if marker is None or marker.configuration_hash != run.configuration_hash:
        return None
    with contextlib.suppress(MalformedSubmission, Unfinished):
        submission = read_submission(handin.candidate, assignment_id=run.assignment)
        report = results.report_of(handin.submission)
        if report is None or submission.content_hash != marker.content_hash:
            return None
        if (report.name, report.email) != (submission.name, submission.email):
            return None
        return Kept(handin=handin, row=row_of(report), answer_hash=marker.answer_hash)
    return None
