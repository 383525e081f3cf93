"""The pages that people read: report.html for staff, feedback.html for each student.

Each is one file that loads nothing from anywhere. What comes from submissions is escaped by
Jinja2, and each page forbids by its Content-Security-Policy what it does not need: the student's
page every script, the staff's page every script but its own.

Here the pages of a folder of results are built: students' that are out of date, and staff's.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.core.assignment import Lesson
from autograder.core.clerk import Unfinished
from autograder.core.clerks import ask_each
from autograder.core.config import Config
from autograder.core.files import replace_file
from autograder.reports.files import (
    FEEDBACK_NAME,
    REPORT_JSON,
    REPORT_NAME,
    submission_folders,
)
from autograder.reports.pages.drawing import (
    AHEAD_OF_CLASS,
    REDRAW_STUDENT,
    KeptPage,
    draw_class,
    redraw_plainly,
    write_class_report,
    write_feedback,
)

__all__ = [
    "AHEAD_OF_CLASS",
    "FEEDBACK_NAME",
    "REPORT_NAME",
    "Rebuilt",
    "rebuild_pages",
    "write_class_report",
    "write_feedback",
]

TOGETHER = 8
"""Pages that are drawn in one task: half of the time that one of them may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What came of building the pages of a folder.

    Attributes
    ----------
    needing_a_person
        Submissions that report.html names first.
    feedback
        Students' pages that were missing or older than their report, and were written.
    problems
        One sentence for each submission whose pages could not be built.
    """

    report: Path
    submissions: int
    unfinished: int
    needing_a_person: int
    feedback: int
    problems: list[str]


def rebuild_pages(
    root: Path,
    config: Config,
    lesson: Lesson,
    *,
    on_feedback: Callable[[int, int], None] | None = None,
) -> Rebuilt:
    """Write the students' pages that are missing or out of date, then report.html.

    Parameters
    ----------
    lesson
        What it says counts for no one's own work.
    on_feedback
        Called with (students' pages done, students' pages to do).

    Raises
    ------
    DataError
        If `root` is no folder of results.
    """
    problems: dict[str, str] = {}
    stale = [folder for folder in submission_folders(root) if _is_stale(folder)]
    pages = (KeptPage(folder=str(each.resolve()), config=config, lesson=lesson) for each in stale)
    written = ask_each(REDRAW_STUDENT, pages, lambda page: page, together=TOGETHER)
    for done, (page, answer) in enumerate(written, start=1):
        try:
            why = redraw_plainly(page, answer) if isinstance(answer, Unfinished) else answer
        except Unfinished as unfinished:  # one page must not cost the others
            why = str(unfinished)
        if why:
            problems[stale[done - 1].name] = f"{FEEDBACK_NAME} could not be written: {why}"
        if on_feedback is not None:
            on_feedback(done, len(stale))
    drawn = draw_class(root, config, lesson)
    replace_file(root / REPORT_NAME, drawn.page)
    return Rebuilt(
        report=root / REPORT_NAME,
        submissions=drawn.submissions,
        unfinished=drawn.unfinished,
        needing_a_person=drawn.needing_a_person,
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
