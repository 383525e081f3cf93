"""What the process that hands out submissions and those that grade them say to each other.

All of it is data, as MessagePack: between two machines of a cluster nobody unpickles anything.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from autograder.core.assignment import Lesson
from autograder.core.clerk import Unfinished
from autograder.core.config import Config, Record
from autograder.core.errors import MalformedSubmission
from autograder.core.report import Report
from autograder.sandbox import BoxKind, Isolation

if TYPE_CHECKING:
    from autograder.core.assignment import Assignment
    from autograder.grading.evidence import Outcome
    from autograder.intake import Handin, Submission


BEGIN = b"begin"
"""Sent to a grading process once its setup can be read, before the first job."""


class Setup(Record, frozen=True, kw_only=True):
    """All that a grading process needs to know before its first submission."""

    config: Config
    data: str
    """The MNIST file, as shipped."""
    tests: str
    """Folder of Otter test files."""
    lesson: Lesson
    toolbox: str | None = None
    """Folder of a toolbox that somebody else keeps; None to make one of its own."""
    isolation: Isolation | None = None
    """What is known about boxes here; None to find out."""
    kinds: list[BoxKind]
    require_isolation: bool
    warm: bool = True
    """Whether to fork boxes from a process that has TensorFlow imported: worth it for several."""
    leftovers: list[str]
    """Folders that the one who starts the process removes; if it was killed, the process does."""
    grader: str = "autograder.batch.worker:make_grader"
    """``module:function`` that makes the grader, so that tests can have one of their own."""

    @classmethod
    def of(
        cls,
        assignment: Assignment,
        *,
        kinds: Sequence[BoxKind],
        leftovers: Sequence[str] = (),
        require_isolation: bool = False,
    ) -> Setup:
        """For grading this assignment on this machine."""
        return cls(
            config=assignment.config,
            data=str(assignment.data.resolve()),
            tests=str(assignment.tests.resolve()),
            lesson=assignment.lesson,
            kinds=list(kinds),
            require_isolation=require_isolation,
            leftovers=list(leftovers),
        )


class Job(Record, frozen=True, tag="job"):
    """One submission, to be graded."""

    submission: str
    name: str
    email: str
    file_name: bytes
    """As the file system has it, which need not be text."""
    content: bytes | None
    """The file; None where there is nothing to read, and `refusal` says why."""
    refusal: str
    page_notes: list[str] | None = None
    """What the student's page says before the notes of grading; None if no page is wanted."""


class CellRan(Record, frozen=True, tag="cell"):
    """How far the submission is."""

    done: int
    """Code cells that have ended."""
    total: int
    epoch: str = ""
    """Where a training in the cell that runs now is: "epoch 2 of 5"."""


class Graded(Record, frozen=True, tag="graded"):
    """What came of a submission, as it is kept."""

    report: Report
    executed: str | None
    """The executed notebook, as JSON."""
    log: str
    page: bytes | None = None
    """The student's page, where one was wanted and could be drawn."""
    evidence: bytes = b""
    """What it was judged by, as JSON; empty where the grader failed."""
    scores: bytes = b""
    """What scores.npz holds."""

    @classmethod
    def of(cls, outcome: Outcome) -> Graded:
        """The same as data."""
        from autograder.batch.executed import executed_text

        executed, why = (None, "") if outcome.executed is None else executed_text(outcome.executed)
        log = f"{outcome.log}{why}\n" if why else outcome.log
        evidence = scores = b""
        if outcome.evidence is not None:
            from autograder.batch.filing import pack_scores
            from autograder.grading.evidence import encode_evidence

            evidence, scores = encode_evidence(outcome.evidence), pack_scores(outcome.outputs)
        return cls(
            report=outcome.report, executed=executed, log=log, evidence=evidence, scores=scores
        )


class Refused(Record, frozen=True, tag="refused"):
    """The process cannot grade anything here; the text says why, in a sentence."""

    reason: str


class Lost(Record, frozen=True, tag="lost"):
    """The process that had the submission is gone; the text says how, in a sentence."""

    reason: str


Answer = CellRan | Graded | Refused | Lost


def read_job(handin: Handin, assignment_id: str) -> tuple[Job, Submission | None]:
    """The submission with its file, and what it says; or with the reason why there is none."""
    # Only now: the first grading process is started meanwhile.
    from autograder.intake import read_submission

    content: bytes | None = None
    submission: Submission | None = None
    refusal = ""
    try:
        # A mistake of ours the process that grades it will make too, and report.
        with contextlib.suppress(Unfinished):
            submission = read_submission(handin, assignment_id=assignment_id)
        content = handin.path.read_bytes()
    except MalformedSubmission as error:
        refusal = str(error)
    except OSError as error:
        submission, refusal = None, f"The file could not be read: {error.strerror}."
    job = Job(
        submission=handin.submission,
        name=handin.name,
        email=handin.email,
        file_name=os.fsencode(handin.path.name or "submission.ipynb"),
        content=content,
        refusal=refusal,
    )
    return job, submission


_answers: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Answer)


def decode_answer(data: bytes) -> Answer:
    """What a grading process said."""
    answer: Answer = _answers.decode(data)
    return answer
