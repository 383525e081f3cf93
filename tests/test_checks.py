"""Does each check come to the right end at the edge of its rule, and say the right thing then?"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.core.assignment import Assignment
from autograder.core.report import CheckResult, CheckStatus, HintReport, ReflectionReport, Verdict
from autograder.grading.checks import Answers, Findings, VerifiedModel, load_tests, run_checks
from autograder.grading.describe import notes_for, verdict_of
from autograder.grading.diagnosis import Fault
from autograder.grading.evidence import Attempt, NeedsNewRun
from autograder.grading.wording import OVERFLOWS, SEEN, describe_checks
from autograder.network import Comparison
from autograder.sandbox import CellRun, CellStatus, Ending, Execution

LABELS = np.arange(1000, dtype=np.uint8) % 10
RUN = Execution(
    cells=(CellRun(number=1, status=CellStatus.OK, seconds=1.0, first_line="import keras"),),
    ending=Ending.COMPLETED,
    notebook=None,
    seconds=1.0,
)
PRESENT = ReflectionReport(present=True, reason="", text="It died.")
ABOUT_SIZE = HintReport(fault=Fault.OVER_BUDGET, text="too large")
ABOUT_LEARNING = HintReport(fault=Fault.UNDERFITTING, text="too little learned")


def compared(first: float, second: float, *, beyond: bool) -> Comparison:
    p_value = 1e-9 if beyond else 0.5
    return Comparison(first=first, second=second, z=0.0, p_value=p_value, bound=1e-6)


def answers(right: float) -> Answers:
    """Those of a network that reads this share of the images."""
    outputs = np.eye(10)[np.where(np.arange(len(LABELS)) < right * len(LABELS), LABELS, 9 - LABELS)]
    images = np.zeros((len(LABELS), 28, 28), dtype=np.uint8)
    return Answers(images=images, labels=LABELS, outputs=outputs.astype(np.float32))


def measured(right: float, *, seen: bool = False, proved: bool = True, **changes: Any) -> Any:
    """A measurement of a network that reads this share of the images."""
    found = {
        "accuracy": right,
        "public_accuracy": 0.1234,
        "private_accuracy": 0.5678,
        "training_accuracy": 0.4321,
        "parameters": 50_890,
        "leaked": seen,
        "private_half_counts": False,
        "chosen_by": "the variable model",
        "preparation": "x / 256",
        "proved_by": "fit" if proved else "",
    }
    return SimpleNamespace(**(found | changes))


def findings(network: Any = None, *, counted: int | None = None) -> Findings:
    return Findings(
        attempt=Attempt(
            seed=0,
            execution=RUN,
            measured=network,
            why_unmeasured="" if network else "No network was saved.",
            counted=counted,
        ),
        answers=answers(network.accuracy) if network else None,
        reflections={f"reflection_{number}": PRESENT for number in (1, 2, 3)},
        hints=(ABOUT_SIZE, ABOUT_LEARNING),
    )


@pytest.fixture
def checked(assignment: Assignment) -> Any:
    """Runs the released test files, and puts their results into words."""

    config = assignment.config
    files = load_tests(assignment.tests, config)

    def check(given: Findings) -> dict[str, CheckResult]:
        results = run_checks(given, files)
        return {each.name: each for each in describe_checks(results, given, config)}

    return check


def test_the_budget_may_be_used_up(checked: Any, assignment: Assignment) -> None:
    most = assignment.config.budget.max_parameters
    for parameters, status in ((most, CheckStatus.PASSED), (most + 1, CheckStatus.FAILED)):
        assert checked(findings(counted=parameters))["budget"].status is status


def test_the_threshold_has_to_be_exceeded(checked: Any, assignment: Assignment) -> None:
    threshold = assignment.config.accuracy.threshold
    for right, status in ((threshold, CheckStatus.FAILED), (threshold + 0.001, CheckStatus.PASSED)):
        assert checked(findings(measured(right)))["accuracy"].status is status


def test_who_has_seen_the_test_images_is_told_so_and_nothing_else(checked: Any) -> None:
    check = checked(findings(measured(1.0, seen=True)))["accuracy"]
    assert (check.status, check.points, check.next_step) == (CheckStatus.FAILED, 0, SEEN)
    assert "43.21 %" in check.measured, "the training images, which it knows less well"


def test_a_single_output_that_is_no_number_is_the_students_fault(checked: Any) -> None:
    """So few that the accuracy is reached without them; Otter's test wants all."""
    given = findings(measured(0.999))
    assert given.answers is not None
    given.answers.outputs[-1] = np.nan
    check = checked(given)["accuracy"]
    assert (check.status, check.next_step) == (CheckStatus.FAILED, OVERFLOWS)


def test_each_hint_stands_beside_the_check_that_it_is_about(checked: Any) -> None:
    checks = checked(findings(measured(0.5, parameters=10**6)))
    assert checks["accuracy"].next_step == ABOUT_LEARNING.text
    assert checks["budget"].next_step == ABOUT_SIZE.text


def test_what_is_told_of_the_accuracy_is_what_counts_and_what_students_have(checked: Any) -> None:
    check = checked(findings(measured(0.5)))["accuracy"]
    assert check.reason.startswith("50.00 % of the test images")
    assert "12.34 % of those that your notebook had" in check.measured
    assert "56.78" not in check.measured + check.reason, "of the private half"


def test_only_what_was_proved_is_called_known(checked: Any) -> None:
    known, tried = (
        checked(findings(measured(0.5, proved=proved)))["accuracy"].measured
        for proved in (True, False)
    )
    assert "x / 256 (known from fit)" in known
    assert "nothing in your notebook shows how you prepared them" in tried


def test_what_could_not_be_checked_did_not_fail(checked: Any) -> None:
    checks = checked(findings())
    for name in ("accuracy", "budget"):
        assert checks[name].status is CheckStatus.SKIPPED
        assert checks[name].reason == "No network was saved."
    assert checks["runs"].status is CheckStatus.PASSED and checks["runs"].next_step == ""


def test_a_network_that_is_too_large_is_called_that() -> None:
    for too_large, verdict in (
        (True, Verdict.OUTPUT_TOO_LARGE),
        (False, Verdict.UNVERIFIABLE_MODEL),
    ):
        run = Attempt(seed=0, execution=RUN, measured=None, too_large=too_large)
        assert verdict_of(run, []) is verdict


def notes_of(**changes: Any) -> list[str]:
    return notes_for(Attempt(seed=0, execution=replace(RUN, **changes), measured=None))


def test_the_slowest_cell_is_named_where_time_ran_out() -> None:
    cells = [replace(RUN.cells[0], number=n, seconds=s) for n, s in ((1, 3.0), (2, 40.0), (3, 9.0))]
    late = notes_of(cells=tuple(cells), ending=Ending.TIMED_OUT)
    assert "code cell 2 (`import keras`): 40 s" in late[0]


def test_output_that_was_cut_is_told() -> None:
    assert notes_of(output_bytes=9_000_000, kept_output_bytes=1_000_000) == [
        "Your notebook's output was cut: 8 MB of it were not kept."
    ]
    assert notes_of(output_bytes=9_000_000, kept_output_bytes=8_900_000) == []


def test_checks_see_what_was_measured_and_can_ask_for_more_while_the_network_is_there() -> None:
    kept = answers(0.5)
    live = replace(kept, network=lambda images: np.ones((len(images), 10), np.float32))
    for each in (kept, live):
        assert VerifiedModel(1, each).predict(each.images) is each.outputs
    assert VerifiedModel(1, kept).predict(kept.images.copy()) is kept.outputs
    assert VerifiedModel(1, live).predict(live.images[:9]).shape == (9, 10)
    with pytest.raises(NeedsNewRun):
        VerifiedModel(1, kept).predict(kept.images[:9])
