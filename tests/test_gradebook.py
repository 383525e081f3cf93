"""Do tables hold what strangers wrote, and run none of it?"""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest

from autograder.gradebook import plain_cell, write_table


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


@pytest.mark.parametrize("piece", [";", '"', ", ", " ", "\u200b", "=", "-", ";'", "-;", "\ufdfa"])
def test_time_grows_with_the_length(piece: str) -> None:
    def seconds(count: int) -> float:
        began = time.process_time()
        plain_cell(piece * count)
        return time.process_time() - began

    small = min(seconds(10_000) for _ in range(3))
    assert seconds(160_000) < 16 * 8 * max(small, 0.002)
