"""Does every zero come with its reason, in the table for staff and in what Gradescope shows?"""

from __future__ import annotations

import msgspec
import pytest

from autograder.core.config import CHECK_NAMES
from autograder.core.mnist import Mnist
from autograder.core.report import CheckStatus, Report
from autograder.grading.describe import png_text
from autograder.grading.pipeline import Grader
from autograder.grading.wording import TITLES
from autograder.intake.folders import handin_at
from autograder.reports.results_json import gradescope_results
from autograder.reports.tables import COLUMNS, row_of
from tests.notebooks import SMALL_DATA, notebook, write

NOTHING_RIGHT = """
model = keras.Sequential([
    keras.Input((28, 28)), layers.Flatten(),
    layers.Dense(500, activation="relu"), layers.Dense(10, activation="softmax"),
])
print(undefined)
"""


@pytest.fixture(scope="module")
def report(grader: Grader, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A cell fails, the network is too large and was never trained, the answers are empty."""
    made = notebook(SMALL_DATA, NOTHING_RIGHT, answers=["", "?", "-"])
    for cell in made.cells:
        cell.pop("id")
    path = write(tmp_path_factory.mktemp("notes") / "ada.ipynb", made)
    return grader.grade(handin_at(path)).report


def test_each_zero_has_a_reason(report: Report) -> None:
    assert [check.points for check in report.checks] == [0.0] * len(CHECK_NAMES)
    assert all(check.reason for check in report.checks)
    notes = dict(zip(COLUMNS, row_of(report), strict=True))["notes"]
    shown = gradescope_results(report)["output"]
    for check in report.checks:
        assert TITLES[check.name] in notes and TITLES[check.name] in shown
        assert " ".join(check.reason.split()) in notes and check.reason in shown
    assert report.network is not None
    accuracy = f"{100 * report.network.accuracy:.2f} % of the test images are read correctly"
    assert accuracy in notes and accuracy in report.checks[1].measured
    assert f"the network has {report.network.parameters:,} parameters" in notes
    assert "NameError" in notes


def test_staff_are_told_of_a_network_that_was_never_fitted(report: Report) -> None:
    assert "`fit` was never called on the graded network" in " ".join(report.staff_notes)
    assert "`fit` was never called" not in gradescope_results(report)["output"]


def test_pictures_are_those_that_students_have(report: Report, mnist: Mnist) -> None:
    assert report.network is not None
    images, _ = mnist.public_test
    shown = [pair for pair in report.network.confusions if pair.pictures]
    assert shown
    for pair in shown:
        assert pair.pictures == [png_text(images[example]) for example in pair.examples]


def test_nobody_is_told_of_cell_ids(report: Report) -> None:
    assert not [note for note in report.staff_notes if "id" in note.split()]
    assert "new ids" not in " ".join(row_of(report))


def test_a_reason_that_several_checks_share_is_told_once(report: Report) -> None:
    same = [msgspec.structs.replace(check, reason="no network.") for check in report.checks[1:3]]
    changed = msgspec.structs.replace(report, checks=same, notes=[])
    assert changed.reasons == ["Test accuracy, Parameter budget: no network."]
    assert msgspec.structs.replace(changed, notes=["no network."]).reasons == []


def test_what_passed_has_no_reason(report: Report) -> None:
    passed = [check for check in report.checks if check.status is CheckStatus.PASSED]
    assert not [check for check in passed if check.reason or check.next_step]
