"""grades.csv: a row per submission, on disk at once."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from autograder.core.config import CHECK_NAMES
from autograder.core.files import replace_file
from autograder.core.report import CheckStatus, Report
from autograder.reports.files import not_written
from autograder.reports.spreadsheets import delimiter_of, plain_cell, plain_key

MEANINGS: Mapping[str, str] = {
    "submission": "name of the folder in `submissions/`: of the student in an export, else of the "
    "file",
    "name": "the student's name, or those of a group, where an export tells",
    "email": "the e-mail address, where an export tells",
    "student_id": "the university's number, or else Canvas's, where an export tells; of a group, "
    "all of them",
    "submission_id": "the platform's number for the submission, where an export tells",
    "handed_in": "date and time, where an export tells",
    "late": "`yes` or `no`, as the platform marked it; empty where the export does not tell",
    "score": "points of all checks together; empty where there is no grade, which is not a zero",
    "max_score": "the most that can be had",
    "failed": "the checks that did not pass when the grader made them, whatever a person gave; "
    "empty where all passed, or there is no grade",
    "overrides": "the checks that a person marked, each with what the grader gave and the comment",
    "verdict": "why grading ended as it did, see *Verdicts* below",
    "accuracy": "fraction of the test images that the network reads correctly, as it counts for "
    "the grade; empty where none was measured",
    "parameters": "parameters of the network, trainable or not; empty where they could not be "
    "counted",
    "seconds": "time that the cells of the run that counts took together",
    **{
        f"points_{name}": f"points for the check “{name.replace('_', ' ')}”, overrides counted; "
        "empty where it was not made"
        for name in CHECK_NAMES
    },
    "notes": "what the student is told, then what only staff read",
}
"""What each column of grades.csv holds; docs/tas.md has this table."""
COLUMNS = tuple(MEANINGS)


class Gradebook:
    """Writes rows to a CSV file; a context manager.

    Parameters
    ----------
    path
        Of grades.csv.
    rows
        What is known from the start, as `row_of` gives it; is on disk when the context begins.
    """

    def __init__(self, path: Path, rows: Sequence[Sequence[str]] = ()) -> None:
        self._path = path
        self._first = rows
        self._file: TextIO | None = None

    def __enter__(self) -> Gradebook:
        # The old rows stay on disk until the new ones are there too.
        write_table(self._path, COLUMNS, self._first)
        self._file = self._path.open("a", encoding="utf-8", newline="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, report: Report) -> list[str]:
        """Write one row through to the disk, and return it.

        Raises
        ------
        ResultsError
            If it cannot be written; the rows before it are as they were.
        """
        row = row_of(report)
        self._write(row)
        return row

    def _write(self, row: list[str]) -> None:
        assert self._file is not None
        line = io.StringIO()
        csv.writer(line, quoting=csv.QUOTE_ALL).writerow(row)
        file = self._file.fileno()
        length = os.fstat(file).st_size
        rest = line.getvalue().encode("utf-8", "replace")
        try:
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        except OSError as error:
            # Half a row would be read as a grade.
            with contextlib.suppress(OSError):
                os.ftruncate(file, length)
            raise not_written(self._path, error) from error


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]], *, marked: bool = True
) -> None:
    """Write a CSV file in one step, so that a crash leaves the old one or the new one.

    Parameters
    ----------
    marked
        With a byte order mark, since spreadsheets take UTF-8 for something else without one;
        but programs take it for a part of the first column's name.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows(rows)
    try:
        encoding = "utf-8-sig" if marked else "utf-8"
        replace_file(path, table.getvalue().encode(encoding, "replace"))
    except OSError as error:
        raise not_written(path, error) from error


def listed_in(gradebook: Path, submissions: Sequence[str]) -> list[str]:
    """Which of these have a row in grades.csv, in its order; all of them where that is not plain.

    A spreadsheet may have saved it, with semicolons or without the zeros in front of a name. What
    cannot be recognised must cost nobody their row.
    """
    exact = {plain_cell(name): name for name in submissions}
    alike: dict[str, list[str]] = {}
    for name in submissions:
        alike.setdefault(plain_key(name), []).append(name)
    try:
        text = gradebook.read_bytes().decode("utf-8-sig")
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
        column = next(rows, []).index("submission")
        cells = [row[column] for row in rows if len(row) > column]
    except (OSError, ValueError, csv.Error):
        return list(submissions)
    found: list[str] = []
    for cell in filter(str.strip, cells):
        names = [exact[cell]] if cell in exact else alike.get(plain_key(cell), [])
        if len(names) != 1:
            return list(submissions)
        found += names
    return list(dict.fromkeys(found))


def row_of(report: Report) -> list[str]:
    """The report's row, in the order of `COLUMNS`; what is not known is empty."""
    network = report.network
    ids = [student.sid or student.canvas_id for student in report.students]
    values: dict[str, object] = {
        "submission": plain_cell(report.submission),
        "name": plain_cell(report.name),
        "email": plain_cell(report.email),
        "student_id": plain_cell(", ".join(filter(None, ids))),
        "submission_id": plain_cell(report.submission_id),
        "handed_in": plain_cell(report.handed_in),
        "late": {True: "yes", False: "no", None: ""}[report.late],
        "score": number(report.score),
        "max_score": number(report.max_score),
        "failed": " ".join(
            check.name for check in report.checks if check.status is not CheckStatus.PASSED
        ),
        "overrides": plain_cell(" ".join(report.override_notes)),
        "verdict": report.verdict.value,
        "accuracy": f"{network.accuracy:.4f}" if network else "",
        "parameters": "" if report.parameters is None else report.parameters,
        "seconds": f"{report.seconds:.1f}",
        "notes": plain_cell(
            " ".join([report.headline, *report.reasons, *report.notes, *report.staff_notes])
        ),
    }
    values |= {f"points_{name}": number(report.points_of(name)) for name in CHECK_NAMES}
    return [str(values[column]) for column in COLUMNS]


def number(value: float | None) -> str:
    """For a cell; what is not known is empty."""
    return "" if value is None else f"{value:g}"
