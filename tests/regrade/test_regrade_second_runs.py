"""Is a network that was run from three seeds judged again as if it were run anew?

Its accuracies are 0.7127, 0.7059 and 0.7414, so that the third run counted, whose notebook is kept.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.notebooks import read_json
from tests.recorded import house
from tests.regrade.conftest import Course, Grades, Policy
from tests.regrade.test_regrade import HASHED

pytestmark = pytest.mark.xdist_group("regrade")
NAME = "claim_averaged"
NEAR: Policy = {"accuracy": {"threshold": 0.78}, "second_runs": {"margin": 0.1}}
ANOTHER_COUNTS = "another of its runs counts now, whose notebook was not kept"
ONE_MORE = "it is so near the threshold that its notebook is to be run from another seed"


@pytest.fixture(scope="module")
def ran_thrice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = Course(tmp_path_factory.mktemp("near") / "course").change(NEAR)
    out = tmp_path_factory.mktemp("thrice") / "out"
    house.grade(out, names=[NAME], course=course.root)
    report = read_json(out / "submissions" / NAME / "report.json")
    assert [run["counted"] for run in report["runs"]] == [False, False, True]
    return out


@pytest.fixture
def grades(ran_thrice: Path, tmp_path: Path, course: Course) -> Grades:
    course.change(NEAR)
    out = shutil.copytree(ran_thrice, tmp_path / "out", copy_function=shutil.copy2)
    return Grades(out, course)


@pytest.mark.parametrize(
    ("policy", "score", "why"),
    [
        ({"accuracy": {"threshold": 0.76}}, "60", ""),
        ({"accuracy": {"threshold": 0.73}}, "100", ""),
        ({"points": {"accuracy": 30}}, "60", ""),
        ({"accuracy": {"threshold": 0.71}}, "60", ANOTHER_COUNTS),  # the first passes by itself
        ({"accuracy": {"threshold": 0.85}}, "60", ANOTHER_COUNTS),  # too far for a second one
        ({"second_runs": {"count": 1}}, "60", ANOTHER_COUNTS),
        ({"second_runs": {"count": 3}}, "60", ONE_MORE),
    ],
    ids=["all miss", "the last passes", "points", "the first passes", "far", "two", "four"],
)
def test_it_comes_to_what_other_runs_would_have_come_to(
    grades: Grades, tmp_path: Path, policy: Policy, score: str, why: str
) -> None:
    grades.course.change(policy)
    status, said = grades.regrade()
    row = grades.rows()[NAME]
    assert (row["new_score"], row["why"], status) == (score, why, 1 if why else 0), said
    if why:
        return
    anew = Grades(tmp_path / "anew", grades.course)
    house.grade(anew.out, names=[NAME], course=grades.course.root)
    ours = grades.files()
    theirs = {name: text for name, text in anew.files().items() if not name.endswith(HASHED)}
    assert {name: ours[name] for name in theirs} == theirs


@pytest.mark.parametrize("threshold", [0.71, 0.85])
def test_where_another_run_counts_it_is_run_when_asked(grades: Grades, threshold: float) -> None:
    grades.course.change({"accuracy": {"threshold": threshold}})
    command = ("regrade", "OUT", "--rerun", "SUBMISSIONS")
    said = house.grade(grades.out, names=[NAME], course=grades.course.root, command=command)
    assert said.count("started") == 1, said
    report = read_json(grades.folder(NAME) / "report.json")
    assert report["network"]["accuracy"] == pytest.approx(0.7127) and not report["runs"]
    assert report["score"] == (100 if threshold < 0.7127 else 60)
    assert grades.regrade()[0] == 0
