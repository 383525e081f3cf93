"""What takes too long or too much has a plain form, and costs nobody a grade."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest

from autograder import intake
from autograder.batch.executed import MAX_OUTPUT_BYTES, executed_text
from autograder.core.assignment import Assignment, Lesson, load_assignment
from autograder.core.clerk import Bounds, Task
from autograder.core.config import REFLECTION_NAMES
from autograder.core.errors import MalformedSubmission
from autograder.core.report import Verdict
from autograder.grading import reflections
from autograder.intake import Handin, read_submission
from autograder.reports.pages import drawing, write_class_report, write_feedback
from tests.notebooks import ANSWERS, released, write
from tests.pages.sample_reports import make_report
from tests.pages.samples import write_submission
from tests.reflections.released_answers import written

SLOW = "*_" * 10_000
"""Takes more than a second to be drawn as Markdown."""


def with_bounds(task: Task[Any, Any], **changes: float) -> Task[Any, Any]:
    return Task(task.function, task.answer, msgspec.structs.replace(task.bounds, **changes))


@pytest.fixture(scope="module")
def assignment(root: Path) -> Assignment:
    return load_assignment(root)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"wall_seconds": 0.05}, "takes longer than"),
        ({"memory_bytes": 8 << 20}, "needs too much memory"),
        ({"answer_bytes": 100}, "needs too much memory"),
    ],
)
def test_a_file_that_cannot_be_read_in_bounds_is_refused_by_name(
    changes: dict[str, float], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = released(*ANSWERS)
    made.metadata["large"] = ["x" * 100] * 200_000
    path = write(tmp_path / "mine.ipynb", made)
    handin = Handin(submission="mine", path=path)
    assert read_submission(handin, assignment_id="activity-m5").answer_hash
    monkeypatch.setattr(intake, "READ", with_bounds(intake.READ, **changes))
    with pytest.raises(MalformedSubmission, match=f"“mine.ipynb” {said}.*upload it again"):
        read_submission(handin, assignment_id="activity-m5")


def test_reflections_that_cannot_be_judged_keep_their_points_and_staff_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    untouched = written(json.dumps(released()).encode())
    assert not any(each.present for each in reflections.judgements_of(untouched).values())
    monkeypatch.setattr(reflections, "JUDGE", with_bounds(reflections.JUDGE, wall_seconds=0.001))
    judged = reflections.judgements_of(untouched)
    assert list(judged) == list(REFLECTION_NAMES)
    for number, each in enumerate(judged.values(), start=1):
        assert each.present
        assert f"Reflection {number} could not be judged (late)" in each.remark


def test_a_page_that_cannot_be_drawn_in_bounds_has_score_checks_and_notes(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = make_report(3, assignment.config, Verdict.PASSED)
    report = msgspec.structs.replace(report, notes=["a note for the student"])
    cells = [{"cell_type": "markdown", "source": SLOW}] * 8
    executed = json.dumps({"cells": cells})
    drawn = write_feedback(report, executed, tmp_path, assignment.config, Lesson()).read_text(
        "utf-8"
    )
    assert 'class="notebook"' in drawn
    hasty = with_bounds(drawing.DRAW_STUDENT, cpu_seconds=1)
    monkeypatch.setattr(drawing, "DRAW_STUDENT", hasty)
    anew = tmp_path / "anew"  # where no page lies whose parts could be taken
    anew.mkdir()
    plain = write_feedback(report, executed, anew, assignment.config, Lesson()).read_text("utf-8")
    assert 'class="notebook"' not in plain
    assert "100 <small>of 100 points" in plain
    assert "a note for the student" in plain
    assert "could not be shown here (late)" in plain
    assert all(check.title in plain for check in report.checks)


def test_a_class_that_cannot_be_compared_has_its_page_all_the_same(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        report = make_report(number, assignment.config, Verdict.PASSED)
        write_submission(tmp_path, report, json.dumps(released(*ANSWERS)))
    asked = []
    ask = drawing.ask

    def late_once(task: Task[object, object], argument: object) -> object:
        asked.append(argument)
        hasty = Bounds(cpu_seconds=1, wall_seconds=0.001, memory_bytes=1 << 30, answer_bytes=1)
        return ask(Task(task.function, task.answer, hasty) if len(asked) == 1 else task, argument)

    monkeypatch.setattr(drawing, "ask", late_once)
    page = write_class_report(tmp_path, assignment.config, Lesson()).read_text("utf-8")
    assert len(asked) == 2
    assert "Not compared: late." in page
    assert page.count("<tr data-words=") == 2


def test_outputs_that_are_too_large_together_are_left_out_of_the_notebook() -> None:
    half = MAX_OUTPUT_BYTES // 2 - 10_000
    made = released(*ANSWERS)
    code = [cell for cell in made.cells if cell["cell_type"] == "code"]
    for cell in code[:3]:
        cell["outputs"] = [nbformat.v4.new_output("stream", text="x" * half)]
    text, why = executed_text(made)
    assert text is not None
    assert not why
    kept = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    sizes = [len("".join(cell["outputs"][0]["text"])) for cell in kept[:3]]
    assert sizes[:2] == [half, half]
    assert "too large to keep" in "".join(kept[2]["outputs"][0]["text"])


def test_outputs_that_cannot_be_written_cost_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder.batch import executed

    made = released(*ANSWERS)
    made.cells[-1]["outputs"] = [nbformat.v4.new_output("stream", text="x" * 5_000_000)]
    made.cells[-1]["cell_type"] = "code"
    monkeypatch.setattr(executed, "WRITE", with_bounds(executed.WRITE, answer_bytes=1_000_000))
    text, why = executed_text(made)
    assert "no outputs" in why
    assert text is not None
    assert ANSWERS[0] in text
