"""The result that is there when there is no other. Standard library alone."""

from __future__ import annotations

from typing import Any

NOT_YOUR_FAULT = "This is not your fault, and it is no grade."
TELL_STAFF = (
    "Please tell the course staff, with a link to this page. They see what happened, and can run "
    "the grader again; you need not upload anything."
)
NOTHING_HANDED_IN = (
    "There is no score for it, not even a zero. Students: if you did hand in a notebook, tell the "
    "course staff. Staff: look whether a file is there where it was handed in, or ask the student."
)
UNFINISHED = "The grader did not finish."
FAILED = "The grader failed."
OUT_OF_TIME = "The grader ran out of time before it could measure your network."


def failed_results(
    what: str, *, next_step: str = f"{NOT_YOUR_FAULT} {TELL_STAFF}", seconds: float | None = None
) -> dict[str, Any]:
    """A result without a grade.

    There is neither a ``score`` nor are there ``tests``: by Gradescope's specification one of
    them is needed for a score to be recorded, so none can be, not even a zero.

    Parameters
    ----------
    what
        One sentence for the student.
    next_step
        What it means, and what to do.
    seconds
        Wall time so far.
    """
    results: dict[str, Any] = {
        "output": f"{what} {next_step}",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"verdict": "GRADER_ERROR"},
    }
    if seconds is not None:
        results["execution_time"] = round(seconds, 1)
    return results


def is_plausible(results: object) -> bool:
    """Whether an answer of the grading process can be handed to Gradescope.

    The grading process has checked it against the schema; this asks whether it came through.
    """
    if not isinstance(results, dict) or not isinstance(results.get("output"), str):
        return False
    extra = results.get("extra_data")
    failed = isinstance(extra, dict) and extra.get("verdict") == "GRADER_ERROR"
    return failed or isinstance(results.get("score"), (int, float))
