"""What Canvas and Gradescope take in, beside grades.csv: tables, and for Canvas students' pages."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from autograder.core.config import CHECK_NAMES, Config
from autograder.core.report import Report, Student, Verdict
from autograder.reports.files import FEEDBACK_NAME, SUBMISSIONS_NAME, not_written
from autograder.reports.spreadsheets import plain_cell
from autograder.reports.tables import number, write_table

CANVAS_NAME = "canvas.csv"
GRADESCOPE_NAME = "gradescope.csv"
FEEDBACK_ZIP_NAME = "canvas-feedback.zip"
CANVAS_COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
"""Canvas finds a student by any of the ids; a column that it does not know is an assignment."""
GRADESCOPE_COLUMNS = (
    "First Name",
    "Last Name",
    "SID",
    "Email",
    "Total Score",
    "Max Points",
    "Status",
    "Submission ID",
    "Submission Time",
)
"""As in the table of grades that Gradescope itself exports, whose columns for questions follow; its
roster is matched by e-mail."""


def write_gradebooks(folder: Path, reports: Sequence[Report], config: Config) -> None:
    """Write both tables: one row per student, so that a group's members have one each.

    Who has no score, since the grader failed, has no row for Canvas, which takes an empty cell for
    a change and may clear the grade that was there, and an empty cell for Gradescope.

    Raises
    ------
    ResultsError
        If they cannot be written.
    """
    title = plain_cell(config.assignment.title)
    people = [(student, report) for report in reports for student in _students(report)]
    write_table(
        folder / CANVAS_NAME,
        (*CANVAS_COLUMNS, title),
        [
            ("    Points Possible", "", "", "", "", f"{config.points.total:g}"),
            *(
                (plain_cell(s.name), s.canvas_id, plain_cell(s.sid), plain_cell(s.email), "",
                 number(report.score))
                for s, report in people
                if report.score is not None
            ),
        ],
        marked=False,
    )  # fmt: skip
    write_table(
        folder / GRADESCOPE_NAME,
        (*GRADESCOPE_COLUMNS, *_questions(config)),
        [
            (
                *(plain_cell(part) for part in _split(student.name)),
                plain_cell(student.sid),
                plain_cell(student.email),
                number(report.score),
                number(report.max_score),
                _status(report),
                plain_cell(report.submission_id),
                plain_cell(report.handed_in),
                *(number(report.points_of(name)) for name in CHECK_NAMES),
            )
            for student, report in people
        ],
        marked=False,
    )


def _status(report: Report) -> str:
    """As Gradescope calls it; of an empty folder nothing else is known than that it is empty."""
    if report.score is not None:
        return "Graded"
    return "Missing" if report.verdict is Verdict.MALFORMED_SUBMISSION else "Ungraded"


def _questions(config: Config) -> list[str]:
    """Headings of the checks, as Gradescope writes those of questions."""
    return [
        f"{number}: {name.replace('_', ' ').capitalize()} ({config.points.of(name):.1f} pts)"
        for number, name in enumerate(CHECK_NAMES, start=1)
    ]


def _students(report: Report) -> Sequence[Student]:
    return report.students or [Student(name=report.name or report.submission)]


def _split(name: str) -> tuple[str, str]:
    """First and last name, as far as a blank tells: families are named in many ways."""
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")


class _Page(msgspec.Struct):
    """As much of report.json as it takes to give a page back."""

    score: float | None
    feedback_name: str = ""


def write_feedback_zip(root: Path, submissions: Iterable[str]) -> Path | None:
    """Write the zip of students' pages that Canvas gives back to them.

    Canvas finds the student by the numbers in a file's name. Who has no score, since the grader
    failed or nothing was handed in, gets no page, as in canvas.csv.

    Parameters
    ----------
    root
        The results folder; its pages must be there.
    submissions
        Names of results folders: those that have a row in grades.csv.

    Returns
    -------
    Path | None
        The file; None where no submission is from Canvas.

    Raises
    ------
    ResultsError
        If it cannot be written; the old file is then as it was.
    """
    path = root / FEEDBACK_ZIP_NAME
    part = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for submission in submissions:
                folder = root / SUBMISSIONS_NAME / submission
                with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
                    report = msgspec.json.decode((folder / "report.json").read_bytes(), type=_Page)
                    if report.score is not None and report.feedback_name:
                        archive.write(folder / FEEDBACK_NAME, report.feedback_name)
            is_empty = not archive.namelist()
        if is_empty:
            part.unlink()
            return None
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise not_written(path, error) from error
    return path
