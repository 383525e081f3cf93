"""The closed set of ways in which grading one submission can end."""

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

    @property
    def is_gradable(self) -> bool:
        """Whether a notebook was run and its checks scored."""
        return self not in (Verdict.MALFORMED_SUBMISSION, Verdict.GRADER_ERROR)
