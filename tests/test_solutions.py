"""Does every solution, and the starter, get the grade that is written beside it?"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from autograder.core.config import load_config
from autograder.core.report import Verdict
from autograder.grading.evidence import Outcome
from autograder.grading.pipeline import Grader
from autograder.intake.folders import handin_at
from autograder.network.measurement import measure
from tests.notebooks import SMALL_DATA, SMALL_NETWORK, notebook, read_json, write

pytestmark = pytest.mark.heavy
ROOT = Path(__file__).resolve().parent.parent
EXPECTED = {
    path.name.split(".")[0]: read_json(path) for path in ROOT.glob("solutions/*.expect.json")
}
QUICK = {"no_reflections"}
"""The others are graded by `make demo` and `make test-long`."""


def graded(grader: Grader, path: Path) -> Outcome:
    return grader.grade(handin_at(path))


def check(outcome: Outcome, expected: dict[str, Any]) -> None:
    report = outcome.report
    assert report.network is not None, (report.verdict, report.notes, report.staff_notes)
    points = {check.name: check.points for check in report.checks}
    assert points == expected["points"], report.cells
    assert report.score == expected["score"]
    assert report.verdict.value == expected["verdict"]
    assert report.network.parameters == expected["parameters"]
    low, high = expected["accuracy"]
    assert low <= report.network.accuracy <= high


def test_there_is_one_for_each_way_to_go_wrong() -> None:
    scores = {name: expected["score"] for name, expected in EXPECTED.items()}
    points = load_config(ROOT / "otter_config.json").points
    assert scores["starter"] == points.runs
    assert scores["reference"] == points.total
    assert scores["rate_only"] == points.total - points.budget
    assert scores["width_only"] == points.total - points.accuracy
    notebooks = {path.stem for path in ROOT.glob("solutions/*.ipynb")} | {"starter"}
    assert set(EXPECTED) == notebooks


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else [pytest.mark.long])
        for name in sorted(EXPECTED)
    ],
)
def test_expected_grade(grader: Grader, name: str) -> None:
    expected = EXPECTED[name]
    check(graded(grader, ROOT / expected["notebook"]), expected)


def test_grading_again_with_the_configured_threads_gives_the_same_to_the_last_digit(
    grader: Grader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(*arguments: Any, **options: Any) -> Any:
        pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        seen.append(set(pools))
        return measure(*arguments, **options)

    monkeypatch.setattr("autograder.grading.pipeline.measure", watched)
    path = write(tmp_path / "m5.ipynb", notebook(SMALL_DATA, SMALL_NETWORK))
    with threadpool_limits(2):
        first, second = graded(grader, path), graded(grader, path)
    assert seen == [{grader.assignment.config.verification.threads}] * 2 == [{1}] * 2
    assert first.report.network and first.report.network == second.report.network


def test_a_test_that_breaks_off_is_our_fault(grader: Grader, tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    shutil.copytree(grader.assignment.tests, tests)
    file = tests / "reflection_2.py"
    source = file.read_text(encoding="utf-8")
    file.write_text(source.replace("    assert ", "    no_such_name\n    assert ", 1), "utf-8")
    other = replace(grader, assignment=replace(grader.assignment, tests=tests))
    report = graded(other, write(tmp_path / "m5.ipynb", notebook("x = 1"))).report
    assert report.verdict is Verdict.GRADER_ERROR and report.score is None
    (note,) = report.staff_notes
    assert str(file) in note and "NameError: name 'no_such_name' is not defined" in note
