"""The files of a results folder: read, never failing on a single one, put in place, set aside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.core.errors import DataError, ResultsError
from autograder.core.files import replace_file
from autograder.core.report import Report
from autograder.core.text import plain_text

SUBMISSIONS_NAME = "submissions"
GRADEBOOK_NAME = "grades.csv"
REPORT_JSON = "report.json"
REPORT_NAME = "report.html"
FEEDBACK_NAME = "feedback.html"
EXECUTED_NAME = "executed.ipynb"
MAX_REPORT_BYTES = 32 << 20
MAX_NOTEBOOK_BYTES = 64 << 20
"""Several times what grading keeps of a notebook; what is larger did not come from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One folder of a run.

    Attributes
    ----------
    report
        None where it could not be read; `problem` then says why.
    """

    folder: Path
    report: Report | None
    problem: str = ""

    @property
    def key(self) -> str:
        """The folder's name, which tells this submission from all others."""
        return self.folder.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What lies in a results folder.

    Attributes
    ----------
    unfinished
        Folders that have no report yet.
    """

    entries: list[Entry]
    unfinished: int


class _Cell(msgspec.Struct):
    cell_type: str = ""
    source: str | list[str] = ""


class _Sources(msgspec.Struct):
    """The little that is read of a notebook; its outputs are passed over."""

    cells: list[_Cell]


def submission_folders(root: Path) -> list[Path]:
    """The folders of submissions in `root`, in the order of their names.

    Raises
    ------
    DataError
        If `root` is not a folder of results.
    """
    try:
        return sorted(path for path in (root / SUBMISSIONS_NAME).iterdir() if path.is_dir())
    except OSError as error:
        raise DataError(
            f"{root}: no grades there: {SUBMISSIONS_NAME}/ cannot be read ({error.strerror})."
        ) from error


def read_results(root: Path) -> Results:
    """Read every report in `root`, in the order of the folders' names.

    Raises
    ------
    DataError
        If `root` is no folder of results.
    """
    entries = []
    unfinished = 0
    for folder in submission_folders(root):
        try:
            entries.append(Entry(folder=folder, report=_read_report(folder / REPORT_JSON)))
        except FileNotFoundError:
            unfinished += 1
        except OSError as error:
            problem = f"{REPORT_JSON} cannot be read: {error.strerror}."
            entries.append(Entry(folder=folder, report=None, problem=problem))
        except (ValueError, RecursionError) as error:
            problem = f"{REPORT_JSON} is not what the grader writes: {error}"
            entries.append(Entry(folder=folder, report=None, problem=problem))
    return Results(entries=entries, unfinished=unfinished)


def _read_report(path: Path) -> Report:
    size = path.stat().st_size
    if size > MAX_REPORT_BYTES:
        raise ValueError(f"{size:,} bytes")
    return msgspec.json.decode(path.read_bytes(), type=Report)


def read_code(folder: Path) -> list[str]:
    """Sources of the code cells that were run; none where there is no notebook to read."""
    path = folder / EXECUTED_NAME
    try:
        if path.stat().st_size > MAX_NOTEBOOK_BYTES:
            return []
        notebook = msgspec.json.decode(path.read_bytes(), type=_Sources)
    except (OSError, ValueError, RecursionError):
        return []
    return [
        cell.source if isinstance(cell.source, str) else "".join(cell.source)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


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
