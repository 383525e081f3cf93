"""A submission whose code and text are another's: that one was run for both."""

from __future__ import annotations

from pathlib import Path

import msgspec

from autograder.batch.filing import read_filed
from autograder.core.report import Report
from autograder.grading.evidence import NeedsNewRun, decode_evidence, encode_evidence
from autograder.grading.judge import twin_notes
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
        content_hash=submission.content_hash,
        notes=report.notes[notes_of_other:],
        staff_notes=twin_notes(submission.repairs, report.submission),
    )


def evidence_of_twin(source: Path, submission: Submission) -> tuple[bytes, bytes]:
    """The same for what it is judged by, and the class scores; empty where there is nothing.

    Parameters
    ----------
    source
        The folder of the one that was run.
    """
    try:
        filed, scores = read_filed(source)
        evidence = decode_evidence(filed.evidence)
    except (NeedsNewRun, ValueError, RecursionError):
        return b"", b""
    evidence = msgspec.structs.replace(
        evidence,
        content_hash=submission.content_hash,
        repairs=submission.repairs,
        notebook=msgspec.Raw(submission.data),
        twin_of=source.name,
    )
    return encode_evidence(evidence), scores
