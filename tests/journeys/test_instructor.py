"""An instructor makes the course their own, in a copy of the checkout, and releases it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from autograder.core.errors import ExitStatus
from tests.journeys.conftest import ROOT, copy_checkout, m5, read_rows
from tests.journeys.people import ANSWERS
from tests.notebooks import fix_network, read_json, released, train_little, write

COMMITTED = read_json(ROOT / "otter_config.json")
REFERENCE = read_json(ROOT / "solutions/reference.expect.json")["parameters"]
THRESHOLD, BUDGET = 0.5, REFERENCE + 9_110
POINTS = {
    "runs": 4, "accuracy": 33, "budget": 13, "reflection_1": 20, "reflection_2": 16,
    "reflection_3": 14,
}  # fmt: skip
PROMPTS = {
    "reflection_1": "What was wrong with the network that you were given?",
    "reflection_2": "Which change made the largest difference, and why?",
    "reflection_3": "What would you try next?",
}


def change(folder: Path, **changes: dict[str, Any]) -> None:
    """Edit otter_config.json."""
    path = folder / "otter_config.json"
    config = read_json(path)
    for part, values in changes.items():
        config[part] |= values
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")


def files_of(folder: Path) -> dict[str, bytes]:
    """What a release writes, and its README."""
    kinds = ("student", "solutions", "dist")
    paths = [path for kind in kinds for path in sorted((folder / kind).rglob("*"))]
    return {str(p): p.read_bytes() for p in [*paths, folder / "README.md"] if p.is_file()}


@pytest.fixture(scope="module")
def own_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course with another threshold, budget, points and prompts; released."""
    folder = copy_checkout(tmp_path_factory.mktemp("own") / "our course")
    change(
        folder,
        accuracy={"threshold": THRESHOLD},
        budget={"max_parameters": BUDGET},
        points=POINTS,
        reflections={"prompts": PROMPTS},
    )
    done = m5("release", cwd=folder)
    assert done.returncode == ExitStatus.GRADED, done.stderr
    return folder


def test_students_read_the_new_rules(own_course: Path) -> None:
    notebook = (own_course / "student/m5.ipynb").read_text(encoding="utf-8")
    for words in (*PROMPTS.values(), f"{BUDGET:,}", f"more than {THRESHOLD * 100:g} %"):
        assert words in notebook
    accuracy, budget = COMMITTED["accuracy"]["threshold"], COMMITTED["budget"]["max_parameters"]
    assert f"{budget:,}" not in notebook and f"{accuracy * 100:g} %" not in notebook
    readme = (own_course / "README.md").read_text(encoding="utf-8")
    for name, points in POINTS.items():
        assert f"| {name.replace('_', ' ')} | {points} |" in readme
    with zipfile.ZipFile(own_course / "dist/autograder.zip") as archive:
        config = json.loads(archive.read("files_m5/otter_config.json"))
    assert config["points"] == POINTS


def test_the_release_is_current(own_course: Path) -> None:
    done = m5("release", "--check", cwd=own_course)
    assert done.returncode == ExitStatus.GRADED, done.stderr
    assert "current" in done.stdout


def test_a_student_is_graded_by_the_new_rules(own_course: Path, tmp_path: Path) -> None:
    made = released(*ANSWERS, path=own_course / "student/m5.ipynb")
    fix_network(made, units=8)
    train_little(made, images=4_000, epochs=2)
    write(tmp_path / "ada.ipynb", made)
    done = m5("grade", tmp_path / "ada.ipynb", "-o", tmp_path / "grades", cwd=own_course)
    assert done.returncode == ExitStatus.GRADED, done.stderr
    row = read_rows(tmp_path / "grades")["ada"]
    assert THRESHOLD < float(row["accuracy"]) < COMMITTED["accuracy"]["threshold"]
    assert {name: float(row[f"points_{name}"]) for name in POINTS} == POINTS
    page = (tmp_path / "grades/submissions/ada/feedback.html").read_text(encoding="utf-8")
    assert f"more than {THRESHOLD * 100:g} %" in page and f"the budget is {BUDGET:,}" in page
    report = (tmp_path / "grades/report.html").read_text(encoding="utf-8")
    assert all(prompt in report for prompt in PROMPTS.values())


def test_what_nobody_can_pass_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """tests/release/test_release_passable.py has all that is refused."""
    words = ("budget.max_parameters", f"{REFERENCE - 1:,}", f"{REFERENCE:,}")
    folder = copy_checkout(tmp_path / "course")
    change(folder, budget={"max_parameters": REFERENCE - 1})
    before = files_of(folder)
    done = m5("release", cwd=folder)
    assert done.returncode == ExitStatus.WRONG_USAGE
    assert all(word in done.stderr for word in words) and "Traceback" not in done.stderr
    assert files_of(folder) == before
    checked = m5("release", "--check", cwd=folder)
    assert checked.returncode == ExitStatus.NOT_ALL_GRADED
    assert words[0] in checked.stderr and "gives nothing away" not in checked.stdout


def test_grading_before_releasing_is_refused_before_the_first_notebook(tmp_path: Path) -> None:
    folder = copy_checkout(tmp_path / "course")
    change(folder, accuracy={"threshold": THRESHOLD})
    done = m5("grade", "student/m5.ipynb", "-o", tmp_path / "grades", cwd=folder)
    assert done.returncode == ExitStatus.WRONG_USAGE
    assert "m5 release" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "grades").exists()
