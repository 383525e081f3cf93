"""Reads a results folder, finished or not, and never fails on a single file in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.core.errors import DataError
from autograder.core.report import Report

SUBMISSIONS_NAME = "submissions"
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
