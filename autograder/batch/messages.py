"""What the process that hands out submissions and those that grade them say to each other.

All of it is data, as MessagePack: between two machines of a cluster nobody unpickles anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from autograder.core.config import Config, Record
from autograder.core.report import Report
from autograder.sandbox.box import BoxKind, Isolation

if TYPE_CHECKING:
    from autograder.grading.pipeline import Outcome


class Setup(Record, frozen=True):
    """All that a grading process needs to know before its first submission."""

    config: Config
    data: str
    """The MNIST file, as shipped."""
    tests: str
    """Folder of Otter test files."""
    lesson_text: str
    toolbox: str | None
    """Folder of a toolbox that somebody else keeps; None to make one of its own."""
    isolation: Isolation | None
    """What is known about boxes here; None to find out."""
    kinds: list[BoxKind]
    require_isolation: bool
    warm: bool
    """Whether to fork boxes from a process that has TensorFlow imported: worth it for several."""
    leftovers: list[str]
    """Folders that the one who starts the process removes; if it was killed, the process does."""
    grader: str
    """``module:function`` that makes the grader, so that tests can have one of their own."""


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


class Ready(Record, frozen=True, tag="ready"):
    """The process is waiting for work."""

    isolation: Isolation


class CellRan(Record, frozen=True, tag="cell"):
    """A code cell of the submission has ended."""

    done: int
    total: int


class Graded(Record, frozen=True, tag="graded"):
    """What came of a submission, as it is kept."""

    report: Report
    executed: str | None
    """The executed notebook, as JSON."""
    log: str
    page: bytes | None = None
    """The student's page, where one was wanted and could be drawn."""

    @classmethod
    def of(cls, outcome: Outcome) -> Graded:
        """The same as data."""
        from autograder.batch.executed import executed_text

        executed, why = (None, "") if outcome.executed is None else executed_text(outcome.executed)
        log = f"{outcome.log}{why}\n" if why else outcome.log
        return cls(report=outcome.report, executed=executed, log=log)


class Refused(Record, frozen=True, tag="refused"):
    """The process cannot grade anything here; the text says why, in a sentence."""

    reason: str


Answer = Ready | CellRan | Graded | Refused

_answers: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Answer)


def decode_answer(data: bytes) -> Answer:
    """What a grading process said."""
    answer: Answer = _answers.decode(data)
    return answer
