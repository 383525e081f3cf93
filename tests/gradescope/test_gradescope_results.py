"""What Gradescope is told, from reports of every kind."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from autograder.core.report import CheckStatus, Override, Verdict
from autograder.reports.overrides import MAX_COMMENT_CHARACTERS
from autograder.reports.placeholder import UNFINISHED, failed_results, is_plausible
from autograder.reports.results_json import MAX_FAILED_CELLS, gradescope_results, schema
from tests.gradescope.reports import PRIVATE_ACCURACY, cell, check, report


def results_of(*arguments: Any, **changes: Any) -> dict[str, Any]:
    made = gradescope_results(report(*arguments, **changes), leaderboard=True)
    jsonschema.validate(made, schema())
    assert is_plausible(made)
    return made


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_valid(verdict: Verdict) -> None:
    assert results_of(verdict)["extra_data"]["verdict"] == verdict.value


def test_a_failure_of_the_grader_is_no_zero() -> None:
    results = results_of(Verdict.GRADER_ERROR)
    assert "score" not in results and "tests" not in results and "leaderboard" not in results
    assert "not your fault" in results["output"]


def test_where_nothing_was_handed_in_nobody_is_told_that_the_grader_failed() -> None:
    missing = report(Verdict.MALFORMED_SUBMISSION, score=None, notes=["No folder is there."])
    results = gradescope_results(missing, leaderboard=True)
    jsonschema.validate(results, schema())
    assert "score" not in results and "tests" not in results
    assert results["output"].startswith("No folder is there.")
    assert "not your fault" not in results["output"] and "grader" not in results["output"]
    assert "ask the student" in results["output"]
    for key, value in {"score": 0, "tests": [], "leaderboard": []}.items():
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(results | {key: value}, schema())


@pytest.mark.parametrize("key", ["score", "tests", "leaderboard"])
def test_the_schema_lets_no_failure_carry_a_grade(key: str) -> None:
    results = failed_results(UNFINISHED) | {key: 0 if key == "score" else []}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(results, schema())


@pytest.mark.parametrize("key", ["score", "tests", "output", "extra_data"])
def test_the_schema_wants_every_grade_whole(key: str) -> None:
    results = results_of()
    del results[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(results, schema())


def test_each_check_says_what_was_measured_wanted_and_is_to_be_done() -> None:
    results = results_of(Verdict.FAILED, checks=[check("budget", passed=False)])
    [box] = results["tests"]
    assert (box["score"], box["max_score"], box["status"]) == (0.0, 10.0, "failed")
    assert box["output"].splitlines() == [
        "Measured: what was measured",
        "Wanted: what was wanted",
        "Next step: what to do next",
    ]


def test_a_check_that_was_not_made_says_so() -> None:
    skipped = check("accuracy", passed=False, status=CheckStatus.SKIPPED)
    [box] = results_of(Verdict.KERNEL_DIED, checks=[skipped])["tests"]
    assert box["output"].startswith("This check could not be made.")


def test_the_first_line_is_the_verdict_and_the_time_is_told() -> None:
    lines = results_of()["output"].split("\n\n")
    assert lines[0] == "Everything passed. 60 of 60 points."
    assert "A note for the student." in lines
    assert lines[-1] == "Time: your cells ran for 41 s, code cell 2 for 40 s of it."


def test_a_failed_cell_is_shown_with_its_last_lines() -> None:
    failed = cell(
        3,
        status="error",
        first_line="model.fit(x)",
        error="NameError: name 'x' is not defined",
        traceback=["Cell In[3], line 1", "NameError: name 'x' is not defined"],
        hint="Restart the kernel.",
    )
    box = results_of(Verdict.CELL_ERROR, cells=[cell(1), failed])["tests"][-1]
    assert box["name"] == "Code cell 3: model.fit(x)"
    assert "Cell In[3], line 1" in box["output"] and "Next step: Restart" in box["output"]
    assert box["score"] == box["max_score"] == 0


def test_of_many_failed_cells_the_first_are_shown() -> None:
    cells = [cell(n, error="NameError", hint="Fix it.") for n in range(1, 60)]
    results = results_of(Verdict.CELL_ERROR, checks=[], cells=cells)
    assert len(results["tests"]) == MAX_FAILED_CELLS
    assert "59 cells failed" in results["output"]
    # Where all are shown, nothing is said of others.
    results = results_of(Verdict.CELL_ERROR, checks=[], cells=cells[:MAX_FAILED_CELLS])
    assert len(results["tests"]) == MAX_FAILED_CELLS
    assert "cells failed" not in results["output"]


@pytest.mark.parametrize(
    ("points", "passed", "status"), [(10, False, "passed"), (9.5, True, "failed")]
)
def test_points_by_hand_stand_beside_the_graders_own(
    points: float, passed: bool, status: str
) -> None:
    comment = "<img src=x onerror=alert(1)> =1+1 " + "x" * MAX_COMMENT_CHARACTERS
    override = Override(points=points, comment=comment)
    marked = check("accuracy", passed=passed, reason="It is too low.", override=override)
    results = results_of(checks=[check("runs"), marked], score=10 + points)
    test = results["tests"][1]
    assert (test["score"], test["status"], test["output_format"]) == (points, status, "text")
    note = f"Marked by a person: {points:g} of 10 points (automatic: {marked.points:g}). Comment: "
    assert test["output"].startswith(note + comment)
    assert "Measured: what was measured" in test["output"]
    assert note + comment in results["output"] and "too low" not in results["output"]
    assert results["output_format"] == "text"


def test_what_the_grader_prints_is_for_staff() -> None:
    for verdict in Verdict:
        assert results_of(verdict).get("stdout_visibility") == "hidden"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ('File "/opt/activity-m5/lib/python3.12/site-packages/keras/a.py", line 3', "…/a.py"),
        ("/tmp/m5-ab12cd34/work/x.csv is missing", "…/x.csv"),
        ("No such file: '/autograder/source/files_m5/dist/tests/runs.py'", "…/runs.py"),
        ("see /root/python/lib/ast.py", "…/ast.py"),
        ("the folder /tmp/", "…/"),
        ("cd /autograder", "…/"),
        ("File /tmp/ipykernel_12/3.py:1", "…/3.py"),
        ("x = images / 255", "images / 255"),
        ("accuracy/loss and a/b/c", "accuracy/loss and a/b/c"),
    ],
)
def test_no_folder_of_the_machine_is_shown(told: str, shown: str) -> None:
    failed = cell(1, first_line=told, error=told, traceback=[told], hint="h")
    results = results_of(
        Verdict.CELL_ERROR,
        cells=[failed],
        notes=[told],
        checks=[check("runs", passed=False, measured=told)],
    )
    text = json.dumps(results, ensure_ascii=False)
    assert shown in text
    for secret in ("/autograder", "/tmp/", "/root", "/opt/activity-m5", ".pyenv"):
        assert secret not in text


def test_what_only_staff_may_know_is_not_in_it() -> None:
    text = json.dumps(results_of())
    assert str(PRIVATE_ACCURACY)[:6] not in text
    assert "something secret" not in text and "note for staff" not in text
    assert "ada@example.org" not in text


def test_half_characters_and_endless_texts_do_no_harm() -> None:
    notes = ["\ud800 half", "x" * 100_000]
    results = results_of(notes=notes)
    assert "\ud800" not in results["output"] and len(results["output"]) < 10_000
    json.dumps(results, ensure_ascii=False).encode("utf-8")


def test_the_leaderboard_lists_networks_that_pass() -> None:
    assert results_of()["leaderboard"] == [
        {"name": "Parameters", "value": 50_890, "order": "asc"},
        {"name": "Accuracy", "value": 0.9731, "order": "desc"},
    ]


@pytest.mark.parametrize("name", ["accuracy", "budget"])
def test_the_leaderboard_lists_no_other_network(name: str) -> None:
    checks = [check(other, passed=other != name) for other in ("runs", "accuracy", "budget")]
    assert "leaderboard" not in results_of(Verdict.FAILED, checks=checks)


def test_the_leaderboard_can_be_switched_off() -> None:
    assert "leaderboard" not in gradescope_results(report(), leaderboard=False)
