"""Two submissions with the same code and text: what is known of one is known of the other."""

from __future__ import annotations

import msgspec

from autograder.core.report import Report
from autograder.intake import Submission


def report_of_twin(report: Report, submission: Submission, *, notes_of_other: int) -> Report:
    """The report of a submission that did not have to be run, since another one was.

    Parameters
    ----------
    report
        Of the one that was run.
    submission
        The one that was not.
    notes_of_other
        So many notes at the beginning are about how the other was handed in.
    """
    return msgspec.structs.replace(
        report,
        submission=submission.submission,
        name=submission.name,
        email=submission.email,
        content_hash=submission.content_hash,
        notes=report.notes[notes_of_other:],
        staff_notes=[
            *submission.repairs,
            f"Its code and text are the same as those of {report.submission}: "
            "one was run for both.",
        ],
    )
