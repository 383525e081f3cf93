"""The tables that Canvas and Gradescope take in, beside grades.csv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from autograder.core.config import Config
from autograder.core.report import Student
from autograder.intake.submission import Handin
from autograder.reports.tables import plain_cell, write_table

CANVAS_NAME = "canvas.csv"
GRADESCOPE_NAME = "gradescope.csv"
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
)
"""As in the table of grades that Gradescope itself exports; its roster is matched by e-mail."""
Graded = Sequence[tuple[Handin, Mapping[str, str]]]


def write_gradebooks(folder: Path, graded: Graded, config: Config) -> None:
    """Write both tables: one row per student, so that a group's members have one each.

    Who has no score, since the grader failed, has no row for Canvas, which takes an empty cell for
    a change and may clear the grade that was there, and an empty cell for Gradescope.

    Parameters
    ----------
    graded
        Submissions, each with its row of grades.csv.

    Raises
    ------
    ResultsError
        If they cannot be written.
    """
    title = plain_cell(config.assignment.title)
    people = [(student, handin, row) for handin, row in graded for student in _students(handin)]
    write_table(
        folder / CANVAS_NAME,
        (*CANVAS_COLUMNS, title),
        [
            ("    Points Possible", "", "", "", "", f"{config.points.total:g}"),
            *(
                (plain_cell(s.name), s.canvas_id, plain_cell(s.sid), plain_cell(s.email), "",
                 row["score"])
                for s, _, row in people
                if row["score"]
            ),
        ],
        marked=False,
    )  # fmt: skip
    write_table(
        folder / GRADESCOPE_NAME,
        GRADESCOPE_COLUMNS,
        [
            (
                *(plain_cell(part) for part in _split(student.name)),
                plain_cell(student.sid),
                plain_cell(student.email),
                row["score"],
                row["max_score"],
                "Graded" if row["score"] else "Ungraded",
                "" if student.canvas_id else handin.submission_id,
            )
            for student, handin, row in people
        ],
        marked=False,
    )


def _students(handin: Handin) -> Iterator[Student]:
    if handin.students:
        yield from handin.students
    else:
        yield Student(name=handin.name or handin.submission)


def _split(name: str) -> tuple[str, str]:
    """First and last name, as far as a blank tells: families are named in many ways."""
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")
