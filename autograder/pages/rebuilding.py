"""Builds the pages of a folder that has been graded, or is being graded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.config import Config
from autograder.pages.class_report import class_report_of, read_released
from autograder.pages.feedback import FEEDBACK_NAME, write_feedback
from autograder.pages.reading import EXECUTED_NAME, REPORT_JSON, Entry, read_results


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
    results = read_results(root)
    problems = [f"{entry.key}: {entry.problem}" for entry in results.entries if entry.problem]
    stale = [entry for entry in results.entries if entry.report is not None and _is_stale(entry)]
    for done, entry in enumerate(stale, start=1):
        try:
            _write_feedback(entry, config)
        except Exception as error:  # one page that cannot be made must not cost the others
            reason = f"{type(error).__name__}: {error}"
            problems.append(f"{entry.key}: {FEEDBACK_NAME} could not be written: {reason}")
        if on_feedback is not None:
            on_feedback(done, len(stale))
    return Rebuilt(
        report=class_report_of(root, results, config, read_released(released)),
        submissions=len(results.entries),
        unfinished=results.unfinished,
        feedback=len(stale),
        problems=problems,
    )


def _is_stale(entry: Entry) -> bool:
    try:
        written = (entry.folder / FEEDBACK_NAME).stat().st_mtime_ns
        return written < (entry.folder / REPORT_JSON).stat().st_mtime_ns
    except OSError:
        return True


def _write_feedback(entry: Entry, config: Config) -> None:
    assert entry.report is not None
    try:
        executed = (entry.folder / EXECUTED_NAME).read_bytes()
    except FileNotFoundError:
        executed = None
    write_feedback(entry.report, executed, entry.folder, config)
