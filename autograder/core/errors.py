"""Every exception that the grader raises on purpose, and the exit statuses of `m5`.

::

    AutograderError
    ├── SubmissionError      the student can fix it: shown to the student, and graded
    │   ├── MalformedSubmission
    │   ├── UnverifiableModel
    │   │   └── NotEvaluated    all of it is there, and can at least be counted
    │   └── OutputTooLarge
    ├── BoxError             the box could not be made or kept: shown to staff, never a zero
    ├── UsageError           what was named on the command line is not there, or is not meant
    ├── ConfigError          otter_config.json is wrong: shown to staff, never a zero
    ├── ResultsError         grades cannot be written: the disk is full, likewise
    ├── DataError            the shipped data or the generated tests are wrong: likewise
    └── ReleaseError         `m5 release` cannot make, or will not accept, a release

What goes wrong in a student's own cell is none of these: it is data in ``Execution``.
"""

from __future__ import annotations

from enum import IntEnum


class AutograderError(Exception):
    """Base class; its text is a sentence that a person can act on."""


class SubmissionError(AutograderError):
    """A fault of the submission; its text is written for the student."""


class MalformedSubmission(SubmissionError):
    """There is no notebook here that could be run."""


class UnverifiableModel(SubmissionError):
    """The network left behind cannot be rebuilt and measured."""

    def __init__(self, text: str, *, next_step: str = "") -> None:
        super().__init__(text)
        self.next_step = next_step
        """What to change, as a sentence; empty where the text itself says it."""


class NotEvaluated(UnverifiableModel):
    """The network left behind cannot be measured, but nothing speaks against counting it."""


class OutputTooLarge(SubmissionError):
    """The notebook left behind more than it may."""


class BoxError(AutograderError):
    """The box failed, not the code inside it."""


class UsageError(AutograderError):
    """What was asked for cannot be done as it was asked; nothing was graded or written."""


class ConfigError(AutograderError):
    """The configuration file is missing, broken, or holds a value out of range."""


class ResultsError(AutograderError):
    """Grades cannot be written down; those that were are kept."""


class DataError(AutograderError):
    """The shipped data set or the generated test files are missing or altered."""


class ReleaseError(AutograderError):
    """A release could not be made, is stale, or gives something away."""


class ExitStatus(IntEnum):
    """How a command ended; the table in docs/tas.md and `m5 grade --help` are made of this."""

    GRADED = 0
    NOT_ALL_GRADED = 1
    WRONG_USAGE = 2
    """Also what click ends with where it does not know an option."""
    OUR_FAULT = 3
    INTERRUPTED = 130
    """As shells count: 128, and the number of SIGINT."""

    @property
    def meaning(self) -> str:
        """What it says about `m5 grade`, as a sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitStatus.GRADED: "Every submission was graded.",
    ExitStatus.NOT_ALL_GRADED: "Some could not be graded; the table and the messages say which "
    "and why. The others were graded.",
    ExitStatus.WRONG_USAGE: "Wrong usage: a path, an option, the configuration or the release is "
    "not as it must be. Nothing was graded or written.",
    ExitStatus.OUR_FAULT: "The grader or this machine failed. A submission that this concerns has "
    "no score; --resume grades it again.",
    ExitStatus.INTERRUPTED: "Stopped by Ctrl-C or SIGTERM. What was finished is kept; --resume "
    "goes on.",
}


def statuses_for_help() -> str:
    r"""The table for `--help`; ``\b`` tells click to leave the lines as they are."""
    width = max(len(str(status.value)) for status in ExitStatus)
    lines = [f"  {status.value:>{width}}  {status.meaning}" for status in ExitStatus]
    return "\n".join(["\b", "Exit status:", *lines])


def statuses_as_table() -> str:
    """The same as a table in Markdown."""
    rows = [f"| {status.value} | {status.meaning} |" for status in ExitStatus]
    return "\n".join(["| exit status | means |", "|---|---|", *rows, ""])
