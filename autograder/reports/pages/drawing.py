"""Has the clerk draw pages, and puts them where they belong; where it cannot, plain ones.

Nothing that draws is imported here: pages hold what students wrote, and are drawn elsewhere.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from autograder.core.assignment import Lesson
from autograder.core.clerk import Bounds, Task, Unfinished, ask
from autograder.core.config import Config, Record
from autograder.core.errors import DataError
from autograder.core.files import replace_file
from autograder.core.report import Report
from autograder.core.text import encode
from autograder.reports.files import (
    EXECUTED_NAME,
    FEEDBACK_NAME,
    MAX_NOTEBOOK_BYTES,
    MAX_REPORT_BYTES,
    REPORT_JSON,
    REPORT_NAME,
    submission_folders,
)

AHEAD_OF_CLASS = "autograder.reports.pages.class_report"
"""What the clerk will need for the page about a class, to be imported while it has nothing to do.
"""
PLAIN = "Your notebook as it ran could not be shown here ({why}). It is in the file executed.ipynb."
NOT_COMPARED = "Not compared: {why}. Look for similar submissions by another means."


class StudentPage(Record, frozen=True):
    """What is needed to draw a student's page."""

    report: bytes
    """A `Report`, as JSON."""
    executed: bytes | None
    """The executed notebook, where one was run."""
    config: Config
    lesson: Lesson = Lesson()
    earlier: bytes = b""
    """A page drawn before, from which parts that would come out the same are taken."""
    why_plain: str = ""
    """Where it is not empty, the page is drawn without all that can take long."""


class KeptPage(Record, frozen=True):
    """A student's page in a results folder, to be drawn from what lies there and written there."""

    folder: str
    config: Config
    lesson: Lesson
    why_plain: str = ""

    def read(self) -> StudentPage:
        """What is needed to draw it.

        Raises
        ------
        OSError
            If a file is missing or cannot be read.
        """
        folder, executed = Path(self.folder), None
        with contextlib.suppress(FileNotFoundError):
            executed = read_up_to(
                folder / EXECUTED_NAME, 0 if self.why_plain else MAX_NOTEBOOK_BYTES
            )
        return StudentPage(
            report=read_up_to(folder / REPORT_JSON, MAX_REPORT_BYTES),
            executed=executed or None,
            config=self.config,
            lesson=self.lesson,
            earlier=earlier_page(folder),
            why_plain=self.why_plain,
        )


class ClassPage(Record, frozen=True):
    """What is needed to draw the page about a class."""

    root: str
    """The folder that was named with -o."""
    config: Config
    lesson: Lesson
    """Whose text is nobody's own work."""
    why_not_compared: str = ""


class DrawnClass(Record, frozen=True):
    """The page about a class, and what was seen on the way."""

    page: bytes
    submissions: int
    unfinished: int
    needing_a_person: int
    """Submissions that the page names first."""
    problems: dict[str, str]
    """A sentence for each submission whose report cannot be read."""


DRAW_STUDENT: Task[StudentPage, bytes] = Task(
    "autograder.reports.pages.feedback:draw_feedback",
    bytes,
    # The page of the reference solution took 0.4 s of processor time and 7 MB.
    Bounds(cpu_seconds=8, wall_seconds=24, memory_bytes=1 << 30, answer_bytes=64 << 20),
)
DRAW_PLAINLY: Task[StudentPage, bytes] = Task(
    DRAW_STUDENT.function,
    bytes,
    msgspec.structs.replace(DRAW_STUDENT.bounds, cpu_seconds=4, wall_seconds=12),
)
REDRAW_STUDENT: Task[KeptPage, str] = Task(
    "autograder.reports.pages.feedback:redraw_feedback", str, DRAW_STUDENT.bounds
)
REDRAW_PLAINLY: Task[KeptPage, str] = Task(REDRAW_STUDENT.function, str, DRAW_PLAINLY.bounds)


def draw_class_task(submissions: int) -> Task[ClassPage, DrawnClass]:
    """For a class of so many.

    Five hundred, each the reference solution with other lines, took 7 s of processor time and
    0.2 GB.
    """
    bounds = Bounds(
        cpu_seconds=60 + submissions // 4,
        wall_seconds=180 + 3 * (submissions // 4),
        memory_bytes=(1 << 30) + submissions * (4 << 20),
        answer_bytes=(64 << 20) + submissions * (1 << 20),
    )
    return Task("autograder.reports.pages.class_report:draw_class", DrawnClass, bounds)


def draw_student(
    report: Report | bytes,
    executed: str | bytes | None,
    config: Config,
    lesson: Lesson,
    *,
    earlier: bytes = b"",
) -> bytes:
    """Draw a student's page.

    Parameters
    ----------
    report
        The record, or what report.json holds.
    executed
        Text of the executed notebook, where one was run.
    earlier
        The page as it was drawn before; what took long, and would come out the same, is kept.

    Raises
    ------
    Unfinished
        If not even a plain page can be drawn.
    """
    text = executed.encode("utf-8", "replace") if isinstance(executed, str) else executed
    wanted = StudentPage(
        report=report if isinstance(report, bytes) else _as_json(report),
        executed=text,
        config=config,
        lesson=lesson,
        earlier=earlier,
    )
    try:
        return ask(DRAW_STUDENT, wanted)
    except Unfinished as unfinished:
        why = PLAIN.format(why=unfinished.trouble.value)
    return ask(DRAW_PLAINLY, msgspec.structs.replace(wanted, executed=None, why_plain=why))


def redraw_plainly(kept: KeptPage, unfinished: Unfinished) -> str:
    """Draw a page that could not be drawn with all that can take long; see `redraw_feedback`.

    Raises
    ------
    Unfinished
        If not even that can be done.
    """
    why = PLAIN.format(why=unfinished.trouble.value)
    return ask(REDRAW_PLAINLY, msgspec.structs.replace(kept, why_plain=why))


def write_feedback(
    report: Report | bytes,
    executed: str | bytes | None,
    folder: Path,
    config: Config,
    lesson: Lesson,
) -> Path:
    """Write a student's page into `folder`; returns where it is. See `draw_student`."""
    path = folder / FEEDBACK_NAME
    earlier = earlier_page(folder)
    replace_file(path, draw_student(report, executed, config, lesson, earlier=earlier))
    return path


def earlier_page(folder: Path) -> bytes:
    """The page that lies there; nothing where there is none."""
    with contextlib.suppress(OSError):
        return read_up_to(folder / FEEDBACK_NAME, DRAW_STUDENT.bounds.answer_bytes)
    return b""


def _as_json(report: Report) -> bytes:
    return msgspec.json.encode(msgspec.msgpack.decode(encode(report), type=Report))


def draw_class(root: Path, config: Config, lesson: Lesson) -> DrawnClass:
    """Draw the page about a class, without similarity where that takes too long.

    Raises
    ------
    DataError
        If `root` is not a folder of results, or no page can be drawn.
    """
    task = draw_class_task(len(submission_folders(root)))
    wanted = ClassPage(
        root=str(root.resolve()),  # the clerk works in another folder
        config=config,
        lesson=lesson,
    )
    try:
        return ask(task, wanted)
    except Unfinished as unfinished:
        why = NOT_COMPARED.format(why=unfinished.trouble.value)
    try:
        return ask(task, msgspec.structs.replace(wanted, why_not_compared=why))
    except Unfinished as unfinished:
        raise DataError(f"{root}: {REPORT_NAME} could not be drawn: {unfinished}") from unfinished


def write_class_report(root: Path, config: Config, lesson: Lesson) -> Path:
    """Write report.html for the submissions graded so far; returns where it is.

    Parameters
    ----------
    root
        The folder that was named with -o.
    lesson
        What it says counts for no one's own work.

    Raises
    ------
    DataError
        If `root` is not a folder of results, or no page can be drawn.
    """
    replace_file(root / REPORT_NAME, draw_class(root, config, lesson).page)
    return root / REPORT_NAME


def read_up_to(path: Path, limit: int) -> bytes:
    """The file; cut where it is larger than anything that grading writes."""
    with path.open("rb") as file:
        return file.read(limit)
