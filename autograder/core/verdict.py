"""How a notebook's run can end, and how its grading can: two closed sets, the first part of the way
to the second.

Whatever ends a run, a limit of the box or of the executor, is said as an `Ending`; that has one
`Verdict`, and where two have the same the report's sentences tell them apart. The standard library
alone, since the watchdog says endings too.
"""

from __future__ import annotations

from enum import Enum


class Verdict(str, Enum):
    """Why grading ended as it did, in one word.

    Only ``GRADER_ERROR`` is our own fault; it never writes a score.
    """

    PASSED = "PASSED"
    """Every check passed."""
    FAILED = "FAILED"
    """Everything ran; at least one check did not pass."""
    CELL_ERROR = "CELL_ERROR"
    """A cell raised an error; later cells ran all the same."""
    TIMED_OUT = "TIMED_OUT"
    """A cell or the notebook ran out of time; what was trained by then was graded."""
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    """The kernel was stopped for using more memory than allowed."""
    KERNEL_DIED = "KERNEL_DIED"
    """The kernel ended before the last cell."""
    OUTPUT_TOO_LARGE = "OUTPUT_TOO_LARGE"
    """The notebook printed, wrote or exported more than allowed."""
    MALFORMED_SUBMISSION = "MALFORMED_SUBMISSION"
    """There was no notebook that could be run."""
    UNVERIFIABLE_MODEL = "UNVERIFIABLE_MODEL"
    """The network could not be rebuilt and measured; its parameters may have been counted."""
    GRADER_ERROR = "GRADER_ERROR"
    """The grader failed; nothing is known about the submission."""


class Ending(str, Enum):
    """How the run of a notebook as a whole ended."""

    COMPLETED = "completed"
    """The last cell was run; how well, each cell says."""
    TIMED_OUT = "timed out"
    KERNEL_DIED = "kernel died"
    OUT_OF_MEMORY = "out of memory"
    TOO_MANY_PROCESSES = "too many processes"
    OUTPUT_TOO_LARGE = "output too large"
    """Its cells showed too much."""
    DISK_FULL = "too many or too large files"

    @property
    def verdict(self) -> Verdict | None:
        """What the grading ends with, whatever the checks say; None if they decide."""
        return _VERDICTS[self]


_VERDICTS = {
    Ending.COMPLETED: None,
    Ending.TIMED_OUT: Verdict.TIMED_OUT,
    Ending.KERNEL_DIED: Verdict.KERNEL_DIED,
    Ending.OUT_OF_MEMORY: Verdict.OUT_OF_MEMORY,
    Ending.TOO_MANY_PROCESSES: Verdict.KERNEL_DIED,
    Ending.OUTPUT_TOO_LARGE: Verdict.OUTPUT_TOO_LARGE,
    Ending.DISK_FULL: Verdict.OUTPUT_TOO_LARGE,
}
