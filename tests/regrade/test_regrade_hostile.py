"""Many are judged, and drawn, in one task: does one that ends it cost the others anything?"""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from autograder.core.clerk import Task
from autograder.grading.reflections import JUDGE
from autograder.reports.pages.drawing import REDRAW_STUDENT
from tests.regrade.conftest import Grades
from tests.regrade.hostile_tasks import CRASHES, HANGS

pytestmark = pytest.mark.xdist_group("regrade")


def hostile(task: Task[Any, Any], name: str) -> Task[Any, Any]:
    bounds = msgspec.structs.replace(task.bounds, cpu_seconds=2)
    return dataclasses.replace(task, function=f"tests.regrade.hostile_tasks:{name}", bounds=bounds)


def test_who_ends_the_task_is_left_to_staff_and_all_others_come_out_as_ever(
    grades: Grades, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grades.course.change({"reflections": {"min_characters": 29}, "points": {"runs": 11}})
    usual = Grades(shutil.copytree(grades.out, tmp_path / "usual"), grades.course)
    assert usual.regrade()[0] == 0
    monkeypatch.setattr("autograder.batch.resuming.JUDGE", hostile(JUDGE, "judge"))
    monkeypatch.setattr("autograder.reports.pages.REDRAW_STUDENT", hostile(REDRAW_STUDENT, "draw"))
    assert grades.regrade()[0] == 0
    for name, why in ((CRASHES, "broken"), (HANGS, "late")):
        report = json.loads((grades.folder(name) / "report.json").read_text())
        notes = [note for note in report["staff_notes"] if f"could not be judged ({why})" in note]
        assert len(notes) == 3
        page = (grades.folder(name) / "feedback.html").read_text()
        assert f"could not be shown here ({why})" in page
    for folder in sorted((usual.out / "submissions").iterdir()):
        if folder.name not in (CRASHES, HANGS):
            for path in (path for path in folder.rglob("*") if path.is_file()):
                found = grades.out / path.relative_to(usual.out)
                assert found.read_bytes() == path.read_bytes(), found
