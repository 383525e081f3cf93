"""What an earlier run has graded, and need not be graded again."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.core.errors import MalformedSubmission
from autograder.intake import Handin, hash_submission
from autograder.reports.folder import ResultsFolder, Run
from autograder.reports.tables import row_of


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
    try:
        # Of its bytes alone: only what could be read was marked as graded.
        if hash_submission(handin) != marker.content_hash:
            return None
    except MalformedSubmission:
        return None
    report, candidate = results.report_of(handin.submission), handin
    if report is None or (report.name, report.email) != (candidate.name, candidate.email):
        return None
    return Kept(handin=handin, row=row_of(report), answer_hash=marker.answer_hash)
