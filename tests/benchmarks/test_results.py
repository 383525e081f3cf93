"""When a goal is met, and what the page says about it."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest

from benchmarks.__main__ import main, not_measured, write
from benchmarks.measuring import BenchmarkError
from benchmarks.results import Goal, Machine, Part, Results, Row, row

MACHINE = Machine(
    processor="an abacus",
    cores=2,
    memory_bytes=8_000_000_000,
    system="Linux x86_64",
    python="3.11.7",
    packages={"tensorflow": "2.21.0"},
    load_before=0.5,
    measured_by="a control group",
)


def results(*rows: Row, name: str = "one_notebook") -> Results:
    part = Part(name=name, title="One notebook", compared="This and that.", rows=list(rows))
    return Results(
        date="2026-01-02",
        command="make bench",
        quick=False,
        rounds=3,
        machine=MACHINE,
        parts=[part],
    )


@pytest.mark.parametrize(
    ("goal", "value", "is_met"),
    [
        (Goal(at_most=0.4), 0.4, True),
        (Goal(at_most=0.4), 0.41, False),
        (Goal(at_least=6), 6, True),
        (Goal(at_least=6), 5.9, False),
        (Goal(at_most=0.4), math.nan, False),
        (Goal(at_least=6), math.nan, False),
    ],
)
def test_a_goal_is_met_up_to_its_bound(goal: Goal, value: float, is_met: bool) -> None:
    assert goal.is_met(value) is is_met
    assert row("it", [value], "x", goal).goal_met is is_met


def test_the_median_counts_and_the_spread_is_told(tmp_path: Path) -> None:
    found = row("it", [0.9, 0.3, 0.35], "x", Goal(at_most=0.4))
    assert found.goal_met is True
    write(results(found), tmp_path)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "| it | 0.35 (0.30 to 0.90, 3 runs) |" in page


def test_a_missed_goal_stays_with_its_number_and_the_reason(tmp_path: Path) -> None:
    slow = row("ours", [0.7], "x", Goal(at_most=0.4, if_missed="Training takes it all."))
    fast = row("theirs", [0.2], "x", Goal(at_most=0.4, if_missed="This is not said."))
    write(results(slow, fast), tmp_path)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "ours ≤ 0.40 | 0.70 | **not met** | Training takes it all. |" in page
    assert "theirs ≤ 0.40 | 0.20 | met |  |" in page
    assert "This is not said." not in page
    assert "an abacus" in page and "make bench" in page


def test_what_could_not_be_measured_is_a_goal_that_is_not_met(tmp_path: Path) -> None:
    part = not_measured("floor", BenchmarkError("The abacus broke.\nmore"))
    write(msgspec.structs.replace(results(), parts=[part]), tmp_path)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "The abacus broke." in page and "**not met**" in page


@pytest.mark.parametrize("option", [["--quick"], ["--only", "floor"]])
def test_the_page_of_the_repository_is_not_for_trials(option: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(option)
