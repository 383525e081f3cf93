"""Files of a submission's folder: put in place whole, and what they replace set aside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import ResultsError
from autograder.core.files import replace_file
from autograder.core.text import plain_text
from autograder.reports.pages.reading import EXECUTED_NAME, REPORT_JSON

EVIDENCE_NAME = "evidence.json"
SCORES_NAME = "scores.npz"
HISTORY_NAME = "history"
"""Folder of reports that were replaced, by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """What is kept of running a submission, beside its grade.

    Attributes
    ----------
    executed
        The executed notebook, where one was run.
    evidence, scores
        What it is judged by; empty where there is nothing.
    """

    executed: str | None
    log: str
    evidence: bytes = b""
    scores: bytes = b""

    def write(self, folder: Path) -> None:
        """Put them there; evidence names its class scores by hash, so these come first."""
        _put(folder / SCORES_NAME, self.scores)
        _put(folder / EVIDENCE_NAME, self.evidence)
        write_text(folder / "grading.log", plain_text(self.log))
        executed = "" if self.executed is None else self.executed + "\n"
        _put(folder / EXECUTED_NAME, executed.encode("utf-8", "replace"))


def not_written(path: Path, error: OSError) -> ResultsError:
    """The sentence for a file that could not be written."""
    return ResultsError(
        f"{path}: cannot be written: {error.strerror or error}. What was graded before is kept; "
        "make room, and go on with --resume."
    )


def write_text(path: Path, text: str) -> None:
    """Write it whole or not at all, as UTF-8; half characters are made printable."""
    replace_file(path, text.encode("utf-8", "replace"))


def _put(path: Path, content: bytes) -> None:
    """Write it; where there is nothing, see to it that nothing lies there."""
    if content:
        replace_file(path, content)
    else:
        path.unlink(missing_ok=True)


def set_aside(folder: Path, coming: bytes) -> None:
    """Copy a report that is about to be replaced by another one to those before it; once."""
    try:
        old = (folder / REPORT_JSON).read_bytes()
    except FileNotFoundError:
        return
    history = folder / HISTORY_NAME
    numbers = [int(path.stem) for path in history.glob("*.json") if path.stem.isdigit()]
    last = max(numbers, default=0)
    if old == coming or (last and (history / f"{last}.json").read_bytes() == old):
        return
    history.mkdir(exist_ok=True)
    replace_file(history / f"{last + 1}.json", old)
