"""Is an assignment refused that nobody can pass, or everybody, and no other?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autograder.core.assignment import load_assignment
from autograder.core.config import load_config
from autograder.core.errors import DataError, ReleaseError
from autograder.release import check_release, release
from autograder.release.build import build_release
from autograder.release.expectations import judge_proof, read_expectations
from autograder.release.passable import sketch_of

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = read_expectations(ROOT)
REFERENCE, STARTER = EXPECTED["reference"], EXPECTED["starter"]
LAYERS = 'layers.Dense(64, activation="relu"),'

POSSIBLE: list[dict[str, Any]] = [
    {"budget": {"max_parameters": 60_000}},
    {"budget": {"max_parameters": REFERENCE.parameters}},
    {"accuracy": {"threshold": 0.96}},
    {"points": {"accuracy": 55, "runs": 0, "reflection_3": 1}},
    {"points": {"accuracy": 0}},
    {"reflections": {"min_characters": 50}},
    {"starter": {"hidden_units": [500, 5], "learning_rate": 0.1}},
]
IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"budget": {"max_parameters": 50_000}}, "50,890 parameters, but budget.max_parameters is 50"),
    ({"budget": {"max_parameters": REFERENCE.parameters - 1}}, "reference solution has"),
    ({"accuracy": {"threshold": 0.9999}}, "accuracy.threshold is 0.9999"),
    ({"accuracy": {"threshold": REFERENCE.measured_accuracy}}, "reference solution was measured"),
    ({"accuracy": {"threshold": 0.97}, "budget": {"max_parameters": 50_000}}, "raise the budget"),
    ({"accuracy": {"threshold": STARTER.accuracy[1] - 0.01}}, "starter was measured"),
    ({"starter": {"hidden_units": [64], "learning_rate": 0.001}}, "same network"),
    ({"points": {"accuracy": 0, "budget": 0}}, "worth a point"),
]


@pytest.mark.parametrize("change", POSSIBLE, ids=json.dumps)
def test_what_can_be_passed_is_released_and_fits_its_tests(released: Any, change: Any) -> None:
    released.configure(**change)
    assert any("differs" in problem for problem in check_release(released.root).problems)
    release(released.root)
    assert check_release(released.root).problems == ()
    points = load_config(released.root / "otter_config.json").points
    expected = read_expectations(released.root)
    assert expected["reference"].score == points.total
    assert expected["starter"].score == points.runs
    assert all(one.score == sum(one.points.values()) for one in expected.values())


@pytest.mark.parametrize(("change", "says"), IMPOSSIBLE, ids=[json.dumps(c) for c, _ in IMPOSSIBLE])
def test_what_nobody_can_pass_or_everybody_is_refused(
    released: Any, change: Any, says: Any
) -> None:
    released.configure(**change)
    before = released.snapshot()
    with pytest.raises(ReleaseError, match=says):
        release(released.root)
    assert released.snapshot() == before
    assert any(says in problem for problem in check_release(released.root).problems)


def test_reference_that_has_grown_is_counted_and_not_looked_up(project: Any) -> None:
    project.configure(budget={"max_parameters": 60_000})
    project.edit_cell("model", lambda text: text.replace("layers.Dense(64,", "layers.Dense(128,"))
    with pytest.raises(ReleaseError, match="101,770 parameters"):
        release(project.root)
    project.configure(budget={"max_parameters": 110_000})
    (remark,) = release(project.root).remarks
    assert "101,770 parameters, but 50,890 when it was measured" in remark


def test_a_rate_with_which_nobody_has_measured_is_told(project: Any) -> None:
    """Of the starter: with a smaller one it may well be accurate."""
    assert release(project.root).remarks == ()
    rate = load_config(project.root / "otter_config.json").starter.learning_rate / 2
    project.configure(starter={"learning_rate": rate})
    (remark,) = release(project.root).remarks
    assert f"starter trains with keras.optimizers.Adam(learning_rate={rate:g}), but" in remark


def test_solution_that_no_longer_fits_is_told_and_refuses_nothing(project: Any) -> None:
    threshold = EXPECTED["rate_only"].accuracy[0]
    project.configure(accuracy={"threshold": threshold}, budget={"max_parameters": 60_000})
    remarks = release(project.root).remarks
    assert any("dropout_128.expect.json no longer fits" in remark for remark in remarks)
    assert not any("small_conv" in remark for remark in remarks)


def test_what_was_measured_can_be_left_aside_but_layers_count(project: Any) -> None:
    project.configure(accuracy={"threshold": 0.98})
    release(project.root, believe_measured=False)
    project.configure(budget={"max_parameters": 50_000})
    with pytest.raises(ReleaseError, match="50,890"):
        release(project.root, believe_measured=False)


@pytest.mark.parametrize(
    ("layers", "parameters"),
    [
        ("keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)", 7_850),
        ("layers.Input(shape=(784,)), Dense(units=64), Dropout(0.5), Dense(10)", 50_890),
        ("keras.Input((28, 28, 1)), layers.Conv2D(8, 3), layers.Flatten()", None),
        ("layers.Dense(64), layers.Dense(10)", None),
        ("keras.Input((784,)), layers.Dense(width)", None),
        ("keras.Input((784,)), layers.Dense(10, use_bias=False)", None),
        ("keras.Input((784,)), *more", None),
    ],
)
def test_parameters_are_counted_where_they_can_be_told(layers: Any, parameters: Any) -> None:
    source = f"model = keras.Sequential([{layers}])\nmodel.compile('adam', 'mse')"
    cell = {"id": "model", "cell_type": "code", "source": source}
    sketch = sketch_of({"cells": [cell]})
    assert sketch is not None and sketch.parameters == parameters


def test_counts_are_those_that_were_measured() -> None:
    made = build_release(ROOT)
    assert made.obstacles == made.remarks == ()
    for name in ("starter", "reference", "dropout_128", "width_only", "rate_only"):
        path = ROOT / EXPECTED[name].notebook
        notebook = json.loads(path.read_bytes())
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
        sketch = sketch_of(notebook)
        assert sketch is not None and sketch.parameters == EXPECTED[name].parameters


class TestProof:
    """What `--prove` says of rows of grades."""

    def rows(self, **reference: str) -> list[dict[str, str]]:
        config = load_config(ROOT / "otter_config.json")
        common = {"max_score": f"{config.points.total}", "notes": "Why."}
        good = {"verdict": "PASSED", "score": f"{config.points.total}"}
        good |= {"accuracy": f"{REFERENCE.measured_accuracy}", "parameters": "50890"}
        bad = {"verdict": "FAILED", "score": f"{config.points.runs}"}
        bad |= {"accuracy": f"{STARTER.measured_accuracy}", "parameters": f"{STARTER.parameters}"}
        return [
            common | bad | {"submission": "m5"},
            common | good | {"submission": "reference"} | reference,
        ]

    def judge(self, rows: list[dict[str, str]]) -> Any:
        return judge_proof(rows, load_config(ROOT / "otter_config.json"), EXPECTED)

    def test_both_as_they_should_be(self) -> None:
        proof = self.judge(self.rows())
        assert proof.problems == proof.remarks == []
        assert "The reference: PASSED" in proof.measured[1]

    def test_reference_that_fails(self) -> None:
        proof = self.judge(self.rows(verdict="FAILED", score="60", accuracy="0.9"))
        assert "does not pass every check: Why." in proof.problems[0]
        assert "measured_accuracy 0.9 " in proof.remarks[0]

    def test_starter_that_is_accurate(self) -> None:
        starter, reference = self.rows()
        proof = self.judge([starter | {"accuracy": "0.98"}, reference])
        assert "accurate enough" in proof.problems[0]

    def test_grader_that_failed(self) -> None:
        proof = self.judge(self.rows(verdict="GRADER_ERROR", score="", accuracy="", parameters=""))
        assert proof.grader_failed and "could not be graded" in proof.problems[0]


@pytest.fixture
def course(released: Any) -> Any:
    """A release that can be loaded for grading."""
    (released.root / "assignment/data").symlink_to(ROOT / "assignment/data")
    load_assignment(released.root)
    return released


@pytest.mark.parametrize(
    "change",
    [
        {"accuracy": {"threshold": 0.9}},
        {"budget": {"max_parameters": 60_000}},
        {"points": {"runs": 11}},
        {"reflections": {"min_characters": 31}},
        {"assignment": {"title": "Another"}},
    ],
    ids=json.dumps,
)
def test_configuration_that_was_not_released_is_refused_before_grading(
    course: Any, change: Any
) -> None:
    course.configure(**change)
    with pytest.raises(DataError, match="run `m5 release`"):
        load_assignment(course.root)
    release(course.root)
    load_assignment(course.root)


def test_limits_may_change_without_a_release(course: Any) -> None:
    course.configure(limits={"cell_seconds": 60})
    load_assignment(course.root)


@pytest.mark.parametrize("name", ["accuracy", "reflection_2"])
def test_tests_that_were_changed_by_hand_are_refused(course: Any, name: Any) -> None:
    path = f"dist/tests/{name}.py"
    course.write(path, course.read(path).replace("assert ", "assert True or ", 1))
    with pytest.raises(DataError, match=f"{name}.py was not made for"):
        load_assignment(course.root)
