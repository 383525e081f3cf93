"""Is a regrade that was killed anywhere finished by the next one, with the grades before it?"""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.batch import filing
from autograder.batch.regrading import judge_all, regrade
from autograder.core.assignment import Assignment, load_assignment
from autograder.core.errors import ConfigError, UsageError
from autograder.reports import pages
from autograder.reports.folder import ResultsFolder
from autograder.reports.pages import Rebuilt
from tests.recorded import house
from tests.regrade.conftest import NAMES, Course, Grades

pytestmark = pytest.mark.xdist_group("regrade")


class Killed(BaseException):
    """The process is gone."""


def assignment_of(course: Course) -> Assignment:
    return load_assignment(course.root).with_timeout(house.SECONDS)


def results_of(out: Path) -> ResultsFolder:
    return ResultsFolder(out, overwrite=False, resume=True)


def killed_at(write: int, patch: pytest.MonkeyPatch) -> None:
    """Let so many files be put in place, and then no more."""
    left = [write]
    real = Path.replace

    def put(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return real(self, target)

    patch.setattr(Path, "replace", put)


def test_wherever_it_is_killed_the_next_one_finishes(
    grades: Grades, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every seventh file that is put in place: a submission has four."""
    grades.course.change({"accuracy": {"threshold": 0.83}, "points": {"runs": 11}})
    assignment = assignment_of(grades.course)
    whole = Grades(shutil.copytree(grades.out, tmp_path / "whole"), grades.course)
    regrade(results_of(whole.out), assignment)
    expected, row = whole.files(), whole.rows()["claim_standard_scaler"]
    assert (row["old_score"], row["new_score"]) == ("60", "101")
    place = 0
    while True:
        out = shutil.copytree(grades.out, tmp_path / f"killed{place}")
        with monkeypatch.context() as patch:
            killed_at(place, patch)
            try:
                regrade(results_of(out), assignment)
                break
            except Killed:
                pass
        regrade(results_of(out), assignment)
        found = Grades(out, grades.course).files()
        parts = {name for name in found if name.rpartition("/")[2].endswith(".part")}
        assert {name: found[name] for name in set(found) - parts} == expected, place
        place += 7
    assert place >= 28, "it was killed often enough to mean something"


def test_one_that_was_killed_while_it_drew_pages_keeps_old_and_new(
    grades: Grades, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise Killed

    grades.course.change({"accuracy": {"threshold": 0.83}})
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("autograder.reports.pages.rebuild_pages", killed)
        grades.regrade()
    grades.regrade()
    row = grades.rows()["claim_standard_scaler"]
    assert (row["old_score"], row["new_score"]) == ("60", "100")


def test_old_grades_are_those_of_yesterday_though_a_regrade_was_killed_before(
    grades: Grades, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, then finished by `--resume`: what that gave is what a later one starts from."""
    grades.course.change({"accuracy": {"threshold": 0.83}})
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(2, patch)
        regrade(results_of(grades.out), assignment_of(grades.course))
    command = ("grade", "SUBMISSIONS", "-o", "OUT", "--resume")
    house.grade(grades.out, names=NAMES, course=grades.course.root, command=command)
    grades.course.change({"points": {"runs": 11}})
    grades.regrade()
    row = grades.rows()["claim_standard_scaler"]
    assert (row["old_score"], row["new_score"]) == ("100", "101")


def test_marks_of_several_people_are_merged_and_contradictions_refused(
    grades: Grades, tmp_path: Path
) -> None:
    head = "submission,check,points,comment\n"
    ann, bob, eve = (tmp_path / f"{name}.csv" for name in ("ann", "bob", "eve"))
    ann.write_text(f"{head}passes,reflection_1,4,Too short\n")
    bob.write_text(f"{head}no_model,reflection_2,9,\n")
    eve.write_text(f"{head}passes,reflection_1,5,\n")
    before = grades.files()
    status, said = grades.regrade("--overrides", str(ann), str(bob), str(eve))
    assert status == 2 and "passes" in said and grades.files() == before
    status, said = grades.regrade("--overrides", str(ann), str(bob))
    rows = grades.rows()
    assert (rows["passes"]["new_score"], rows["no_model"]["new_score"]) == ("94", "29")
    assert status == 0 and "Too short" in (grades.folder("passes") / "feedback.html").read_text()
    grades.course.change({"accuracy": {"threshold": 0.83}})
    grades.regrade()
    assert grades.rows()["passes"]["changed"] == "", "they count after another change, too"
    assert "94" in (grades.out / "canvas.csv").read_text()


def test_without_grades_nothing_is_made(course: Course, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        regrade(results_of(tmp_path / "none"), assignment_of(course))
    assert not (tmp_path / "none").exists()


def test_time_grows_with_the_class_and_no_faster(grades: Grades, tmp_path: Path) -> None:
    """Processor time, for a class of 4 and one of 16 times as many."""
    assignment = assignment_of(grades.course.change({"points": {"runs": 11}}))
    source = grades.folder("over_budget")
    filed, _ = filing.read_filed(source)

    def seconds(count: int) -> float:
        root = Path(tempfile.mkdtemp(dir=tmp_path))
        for number in range(count):
            handin = replace(filed.handin, submission=f"s{number}")
            folder = shutil.copytree(source, root / "submissions" / f"s{number}")
            (folder / "evidence.json").write_bytes(filing.seal(filed.of(handin)))
        began = time.process_time()
        assert len([each for each, _ in judge_all(results_of(root), assignment)]) == count
        return time.process_time() - began

    seconds(1)  # what is loaded once
    few = seconds(4)
    # Something may have disturbed one of them.
    assert any(seconds(64) < 1.6 * 16 * few for _ in range(2))


def test_nobody_else_writes_there_until_the_pages_are_drawn(
    grades: Grades, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one would take the first one's notes for its own, and both write one archive."""
    draw = pages.rebuild_pages
    tried: list[Any] = []

    def beside_another(*words: Any, **more: Any) -> Rebuilt:
        with pytest.raises(ConfigError, match="wait for it"), results_of(grades.out).locked():
            pass
        tried.append(words)
        return draw(*words, **more)

    monkeypatch.setattr(pages, "rebuild_pages", beside_another)
    status, _ = grades.regrade()
    assert (status, len(tried)) == (0, 1)
    with results_of(grades.out).locked():
        pass
