"""Do tables hold what strangers wrote, and run none of it?"""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import msgspec
import pytest

from autograder.core.assignment import Assignment
from autograder.core.config import CHECK_NAMES
from autograder.core.errors import ResultsError
from autograder.core.report import Override, Student, Verdict
from autograder.reports.gradebooks import write_gradebooks
from autograder.reports.spreadsheets import plain_cell, unguarded
from autograder.reports.tables import COLUMNS, Gradebook, listed_in, row_of, write_table
from tests.gradescope.reports import check, report


@pytest.mark.parametrize(
    "text",
    [
        *(
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3+cmd",
            "@SUM(A1)",
            "＝1+1",
            "＋cmd",
            "－a",
            "＠SUM(1)",
        ),
        *("﹦1", "  =1", "\u200b=1", "\ufeff=1", "\xa0\u200d＝1", "\t=1", "\r=1", "\n=1"),
        *("+49 170 x", "-Ann", "\u202e=1", "⁺cmd"),
    ],
)
def test_formulas_become_text(text: str) -> None:
    assert plain_cell(text).startswith("'")


@pytest.mark.parametrize(
    "text", ["x;=1+1", "x,=cmd()", 'x",=1', "x; @SUM(1)", "x,＝1", "x,-a", "x|+b"]
)
def test_formulas_behind_a_border_become_text(text: str) -> None:
    cell = plain_cell(text)
    assert "'" in cell and cell.replace("'", "") == text


@pytest.mark.parametrize(
    "text",
    [
        *("-", "--", "+", "-5", "-0.5", "+3", "−5", "Ann-Lena", "a@b.edu", "1+1=2", "", "O'Neil"),
        *(
            "Zoë O'Neil",
            "李小龍",
            "مرحبا",
            "5 of 10, -3 points",
            "a - b",
            "x = 1",
            "Budget: 5; more",
        ),
    ],
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert plain_cell(text) == text


def test_cells_are_one_line_without_control_characters() -> None:
    assert plain_cell("a\x1b[31m\r\nb\tc\x07") == "a b c\N{REPLACEMENT CHARACTER}"


def test_every_field_is_quoted_and_read_back(tmp_path: Path) -> None:
    rows = [("1", 'say "hi"', "a,b;c"), ("", "'=1", "-5")]
    write_table(tmp_path / "t.csv", ("x", "y", "z"), rows)
    text = (tmp_path / "t.csv").read_text("utf-8-sig")
    assert text.splitlines() == ['"x","y","z"', '"1","say ""hi""","a,b;c"', '"","\'=1","-5"']
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1:] == [list(row) for row in rows]


@pytest.mark.parametrize(
    "piece", [";", '"', ", ", " ", "\u200b", "=", "-", ";'", "-;", "\ufdfa", "' "]
)
def test_time_grows_with_the_length(piece: str) -> None:
    def seconds(count: int) -> float:
        began = time.process_time()
        unguarded(plain_cell(piece * count))
        unguarded(";" + piece * count)
        return time.process_time() - began

    small = min(seconds(10_000) for _ in range(3))
    large = min(seconds(160_000) for _ in range(2))  # something may have disturbed one
    assert large < 16 * 8 * max(small, 0.002)


def test_where_the_grader_failed_a_row_has_no_number() -> None:
    row = dict(zip(COLUMNS, row_of(report(Verdict.GRADER_ERROR)), strict=True))
    assert row["score"] == ""
    assert {row[f"points_{name}"] for name in CHECK_NAMES} == {""}


def test_a_network_that_was_only_counted_has_its_number() -> None:
    counted = report(Verdict.UNVERIFIABLE_MODEL, network=None, counted_parameters=7850)
    row = dict(zip(COLUMNS, row_of(counted), strict=True))
    assert (row["accuracy"], row["parameters"]) == ("", "7850")


def test_a_row_says_what_failed_and_what_a_person_gave() -> None:
    """The comment is anybody's: in the cell it is one line that nothing runs."""
    override = Override(points=7.25, comment="=1+1, then @SUM(1) [red] <b>")
    checks = [check(name, passed=name in ("runs", "budget")) for name in CHECK_NAMES]
    checks[1] = msgspec.structs.replace(checks[1], override=override)
    row = dict(zip(COLUMNS, row_of(report(checks=checks)), strict=True))
    assert row["failed"] == "accuracy reflection_1 reflection_2 reflection_3"
    assert (row["points_accuracy"], row["points_runs"]) == ("7.25", "10")
    assert row["overrides"] == (
        "Accuracy: Marked by a person: 7.25 of 10 points (automatic: 0). "
        "Comment: =1+1, then @SUM(1) [red] <b>"
    )


@pytest.mark.parametrize(
    ("students", "late", "cells"),
    [
        ([], None, ["", ""]),
        ([Student(name="A", sid="007")], True, ["007", "yes"]),
        (
            [Student(sid="1", canvas_id="2"), Student(canvas_id="=3"), Student(name="B")],
            False,
            ["1, '=3", "no"],
        ),
    ],
)
def test_a_row_says_whose_it_is_and_whether_it_was_late(
    students: list[Student], late: bool | None, cells: list[str]
) -> None:
    made = row_of(report(students=students, late=late))
    row = dict(zip(COLUMNS, made, strict=True))
    assert [row["student_id"], row["late"]] == cells


def test_canvas_and_gradescope_know_the_columns_of_their_tables(
    tmp_path: Path, assignment: Assignment
) -> None:
    """As Canvas's own importer goes about it: headings by place, then one column an assignment."""
    ann = Student(name="Ann; Müller, Dr.", sid="007", email="ann@example.edu", canvas_id="12")
    made = report(score=57.25, students=[ann], submission_id="34")
    write_gradebooks(tmp_path, [made], assignment.config)
    tables = {}
    for name in ("canvas.csv", "gradescope.csv"):
        content = (tmp_path / name).read_bytes()
        assert not content.startswith(b"\xef\xbb\xbf")
        tables[name] = list(csv.reader(content.decode().splitlines()))
        assert len({len(line) for line in tables[name]}) == 1
    head, possible, student = tables["canvas.csv"]
    assert head[:-1] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert head[-1] == assignment.config.assignment.title
    assert (
        "Points Possible" in possible[0] and float(possible[-1]) == assignment.config.points.total
    )
    assert student == ["Ann; Müller, Dr.", "12", "007", "ann@example.edu", "", "57.25"]
    head, student = tables["gradescope.csv"]
    found = dict(zip(head, student, strict=True))
    assert (found["SID"], found["Email"], found["Total Score"], found["Submission ID"]) == (
        "007", "ann@example.edu", "57.25", "34",
    )  # fmt: skip
    questions = head[head.index("Submission Time") + 1 :]
    worth = [float(heading.split("(")[1].removesuffix(" pts)")) for heading in questions]
    assert sum(worth) == assignment.config.points.total
    assert [found[heading] for heading in questions] == ["10"] * len(CHECK_NAMES)


def test_of_a_row_that_does_not_fit_on_the_disk_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "grades.csv"
    real = os.write

    def write(file: int, content: bytes) -> int:
        """As a disk that has room for ten bytes more."""
        if len(content) < 20:
            raise OSError(28, "No space left on device")
        return real(file, content[:10])

    with Gradebook(path) as book:
        book.add(report())
        before = path.read_bytes()
        with monkeypatch.context() as patch, pytest.raises(ResultsError, match="make room"):
            patch.setattr(os, "write", write)
            book.add(report())
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("table", "listed"),
    [
        ("submission,score\nb,1\n0123,2\n", ["b", "0123"]),
        ('\ufeff"submission";score\r\n123;2\r\nb;1\r\n;\r\n', ["0123", "b"]),
        ("score\tsubmission\tremark\n1\t007\tlate\n", ["007"]),
        ("submission\n007\n7\nb\nb\n", ["007", "7", "b"]),
        ("submission\n'-Ann\n", ["-Ann"]),
        ("submission\n", []),
        *(
            (text, None)
            for text in ("", "name\nb\n", "submission\nb\n1.23E+05\n", "submission\n00007")
        ),
        *((text, None) for text in ("submission\n" + "x" * 200_000, "submission\n\udcff\n")),
    ],
)
def test_whoever_has_a_row_keeps_it_whatever_a_spreadsheet_made_of_the_name(
    table: str, listed: list[str] | None, tmp_path: Path
) -> None:
    names = ["-Ann", "007", "0123", "7", "b"]
    (tmp_path / "grades.csv").write_bytes(table.encode("utf-8", "surrogateescape"))
    assert listed_in(tmp_path / "grades.csv", names) == (names if listed is None else listed)
