"""grades.csv, a row per submission, on disk at once; and tables as spreadsheets give them back."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from autograder.core.config import CHECK_NAMES
from autograder.core.files import replace_file
from autograder.core.report import CheckStatus, Report
from autograder.core.text import one_line
from autograder.reports.files import not_written

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
MAX_COMPARED = 1000
_FORMULA = re.compile(r"[=@]|[+\-](?![\d.,]*$)(?=.*\w)")
"""What makes a spreadsheet run a cell as a formula; a lone dash or a number is none."""
_LATER_FORMULA = re.compile(r"([;,|][\"' ]*)(?=[=@＝＠]|[+\-＋－][^\W\d])")
"""The same after what some spreadsheets take for the border between two cells."""
_LATER_GUARD = re.compile(r"([;,|][\" ]*(?:'+[\" ]+)*)'+(?=[=@＝＠]|[+\-＋－][^\W\d])")


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
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
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


def plain_cell(text: str) -> str:
    """A stranger's text on one line, which no spreadsheet runs as a formula.

    Recognised after NFKC, since spreadsheets take a full-width ``＝`` for ``=`` as well, and
    behind blanks and invisible characters, which some of them strip. An apostrophe in front says
    that it is text; everything else stays as it is.
    """
    text = one_line(text)
    if _is_formula(text):
        text = f"'{text}"
    return _LATER_FORMULA.sub(r"\1'", text)


def unguarded(text: str) -> str:
    """The text of a cell without the apostrophes that `plain_cell`, or a spreadsheet, put in it."""
    bare = text.lstrip("'")
    return _LATER_GUARD.sub(r"\1", bare if _is_formula(bare) else text).strip()


def _is_formula(text: str) -> bool:
    first = next((at for at, char in enumerate(text) if _is_visible(char)), 0)
    seen = unicodedata.normalize("NFKC", text[first : first + MAX_COMPARED])
    return _FORMULA.match(seen) is not None


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "CZ"


MAX_BYTES = 16 << 20
"""Of one file. A class of 1,000 with a comment of 400 letters on each of six checks has 3 MB."""
MAX_HEADING_CHARACTERS = 40
DELIMITERS = (",", ";", "\t")
"""Spreadsheets in languages with a decimal comma write semicolons."""
REST = ""
"""Key of what stands in a row behind the last column, or in one without a heading."""


class Problem(Exception):
    """What is wrong with a row or a file: the end of a sentence that begins with the place."""


def read_table(
    path: Path, columns: Collection[str], *, needed: Sequence[Sequence[str]]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read rows that are not empty, each with the line on which it begins.

    Parameters
    ----------
    path
        UTF-8, with or without a byte order mark; commas, semicolons or tabs between cells.
    columns
        All that there may be, in any order; a row has each of them, and `REST`.
    needed
        Of each group at least one column must be there.

    Raises
    ------
    Problem
        If the file cannot be read, or is not such a table.
    """
    text = _text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        headings = [plain_key(heading) for heading in next(reader, [])]
        _refuse_headings(headings, columns, needed)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                row = dict.fromkeys(columns, "")
                row |= zip(headings, (unguarded(one_line(cell)) for cell in cells), strict=False)
                pairs = zip(headings, cells, strict=False)
                nameless = [cell for heading, cell in pairs if not heading]
                row[REST] = "".join([*nameless, *cells[len(headings) :]]).strip()
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise Problem(f", line {line}: cannot be read as CSV ({error}).") from error


def plain_key(text: str) -> str:
    """Two texts with the same key are the same name, whatever a spreadsheet made of them."""
    key = unicodedata.normalize("NFC", unguarded(one_line(text)).lstrip("'")).casefold()
    # Spreadsheets take the zeros from the front of a student id.
    return (key.lstrip("0") or "0") if key.isdigit() else key


def _delimiter(text: str) -> str:
    """What stands between the headings most often."""
    return max(DELIMITERS, key=text[: text.find("\n", 1)].count)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Problem(f": cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_BYTES:
        raise Problem(f": is larger than {MAX_BYTES >> 20} MiB, which no table of marks is.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Problem(f", line {line}: is not UTF-8. Save the file as “CSV UTF-8”.") from error


def _refuse_headings(
    headings: Sequence[str], columns: Collection[str], needed: Sequence[Sequence[str]]
) -> None:
    wanted = f"The columns are {', '.join(columns)}."
    for group in needed:
        if not set(group) & set(headings):
            raise Problem(f", line 1: has no column “{'” or “'.join(group)}”. {wanted}")
    for heading in headings:
        if heading and heading not in columns:
            shown = one_line(heading, MAX_HEADING_CHARACTERS)
            raise Problem(f", line 1: has an unknown column “{shown}”. {wanted}")
        if heading and headings.count(heading) > 1:
            raise Problem(f", line 1: has the column “{heading}” twice.")
