"""Builds the pages of a folder that has been graded, or is being graded."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.core.clerk import Unfinished
from autograder.core.config import Config
from autograder.core.files import replace_file
from autograder.reports.pages.drawing import draw_class, write_feedback
from autograder.reports.pages.reading import (
    EXECUTED_NAME,
    FEEDBACK_NAME,
    MAX_NOTEBOOK_BYTES,
    MAX_REPORT_BYTES,
    REPORT_JSON,
    REPORT_NAME,
    submission_folders,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What came of it.

    Attributes
    ----------
    feedback
        Students' pages that were missing or older than their report, and were written.
    problems
        One sentence for each submission whose pages could not be built.
    """

    report: Path
    submissions: int
    unfinished: int
    feedback: int
    problems: list[str]


def rebuild_pages(
    root: Path,
    config: Config,
    *,
    released: Path | None = None,
    on_feedback: Callable[[int, int], None] | None = None,
) -> Rebuilt:
    """Write the students' pages that are missing or out of date, then report.html.

    Parameters
    ----------
    released
        The released notebook; what it says counts for no one's own work.
    on_feedback
        Called with (students' pages done, students' pages to do).

    Raises
    ------
    DataError
        If `root` is no folder of results.
    """
    problems: dict[str, str] = {}
    stale = [folder for folder in submission_folders(root) if _is_stale(folder)]
    for done, folder in enumerate(stale, start=1):
        try:
            _write_feedback(folder, config)
        except (Unfinished, OSError) as error:  # one page must not cost the others
            problems[folder.name] = f"{FEEDBACK_NAME} could not be written: {error}"
        if on_feedback is not None:
            on_feedback(done, len(stale))
    drawn = draw_class(root, config, released)
    replace_file(root / REPORT_NAME, drawn.page)
    return Rebuilt(
        report=root / REPORT_NAME,
        submissions=drawn.submissions,
        unfinished=drawn.unfinished,
        feedback=len(stale),
        problems=[f"{key}: {said}" for key, said in sorted({**problems, **drawn.problems}.items())],
    )


def _is_stale(folder: Path) -> bool:
    """Whether there is a report, and no page that is as new."""
    try:
        report = (folder / REPORT_JSON).stat()
        written = (folder / FEEDBACK_NAME).stat().st_mtime_ns
    except OSError:
        return (folder / REPORT_JSON).is_file()
    return stat.S_ISREG(report.st_mode) and written < report.st_mtime_ns


def _write_feedback(folder: Path, config: Config) -> None:
    executed = None
    with contextlib.suppress(FileNotFoundError):
        executed = _read(folder / EXECUTED_NAME, MAX_NOTEBOOK_BYTES)
    write_feedback(_read(folder / REPORT_JSON, MAX_REPORT_BYTES), executed, folder, config)


def _read(path: Path, limit: int) -> bytes:
    """The file; cut where it is larger than anything that grading writes."""
    with path.open("rb") as file:
        return file.read(limit)
