"""Is it said of each submission why it has to be run, and is nothing lost meanwhile?"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.batch import filing
from autograder.batch.versions import gathering_version
from autograder.grading.evidence import decode_evidence
from tests.notebooks import read_json
from tests.recorded import house
from tests.regrade.conftest import NAMES, Grades, Policy

pytestmark = pytest.mark.xdist_group("regrade")


@pytest.mark.parametrize(
    ("policy", "names", "why"),
    [
        ({"accuracy": {"threshold": 0.97}}, ["passes", "twin_of_passes"], "from another seed"),
        ({"verification": {"seed": 7}}, None, "verification.seed was 20261121"),
        ({"limits": {"processes": 99}}, None, "limits.processes was 256"),
    ],
    ids=["near", "seed", "limits"],
)
def test_rules_that_a_run_depends_on(
    grades: Grades, policy: Policy, names: list[str] | None, why: str
) -> None:
    before = grades.files()
    grades.course.change(policy)
    status, said = grades.regrade()
    rows = grades.rows()
    needy = {name for name, row in rows.items() if row["outcome"] == "needs a new run"}
    assert needy == set(names or NAMES) and status == 1
    assert all(why in rows[name]["why"] for name in needy), rows
    for name in needy:
        assert rows[name]["old_score"] == rows[name]["new_score"]
        kept = {path: text for path, text in before.items() if path.split("/")[1:2] == [name]}
        assert {path: (grades.out / path).read_bytes() for path in kept} == kept
    assert f"{len(needy)} need a new run.\nFor the new run: m5 regrade" in said


def test_other_time_is_another_run(grades: Grades) -> None:
    status, said = grades.regrade("--timeout", "17")
    assert status == 1 and "limits.notebook_seconds was 90.0" in said


def test_a_test_that_asks_for_other_images(grades: Grades) -> None:
    def edit(text: str) -> str:
        return text.replace(
            "model.predict(x_test, verbose=0)", "model.predict(x_test[:9], verbose=0)"
        )

    grades.course.change({}, edit=edit)
    grades.regrade()
    whys = {name: row["why"] for name, row in grades.rows().items() if row["why"]}
    assert "asks for the answers to other images" in whys["passes"]
    assert "no_model" not in whys and "malformed" not in whys


def test_another_grader_or_package(grades: Grades, monkeypatch: pytest.MonkeyPatch) -> None:
    grades.course.change({"points": {"runs": 11}})
    monkeypatch.setattr("autograder.batch.filing.gathering_version", lambda: "other")
    assert gathering_version() != "other"
    _, said = grades.regrade()
    assert "passes: it was run by another version of the grader" in said


def removed(folder: Path) -> None:
    (folder / "evidence.json").unlink()


def cut(folder: Path) -> None:
    content = (folder / "evidence.json").read_bytes()
    (folder / "evidence.json").write_bytes(content[: len(content) // 2])


def touched_up(folder: Path) -> None:
    content = (folder / "evidence.json").read_text()
    (folder / "evidence.json").write_text(content.replace('"accuracy":0.', '"accuracy":1.', 1))


def of_another_version(folder: Path) -> None:
    content = (folder / "evidence.json").read_text()
    (folder / "evidence.json").write_text(content.replace('"format":1', '"format":2', 1))


def with_an_unknown_key(folder: Path) -> None:
    content = (folder / "evidence.json").read_text()
    (folder / "evidence.json").write_text(content.replace("{", '{"more":1,', 1))


def of_a_neighbour(folder: Path) -> None:
    shutil.copy(folder.with_name("over_budget") / "evidence.json", folder)
    shutil.copy(folder.with_name("over_budget") / "scores.npz", folder)


def without_scores(folder: Path) -> None:
    (folder / "scores.npz").unlink()


def with_other_scores(folder: Path) -> None:
    shutil.copy(folder.with_name("over_budget") / "scores.npz", folder)


def a_link(folder: Path) -> None:
    elsewhere = folder.parent.parent / "elsewhere.json"
    (folder / "evidence.json").rename(elsewhere)
    (folder / "evidence.json").symlink_to(elsewhere)


def nested(folder: Path) -> None:
    (folder / "evidence.json").write_text("[" * 100_000)


def huge(folder: Path) -> None:
    with (folder / "evidence.json").open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (removed, "there is no evidence.json"),
        (cut, "is not what this grader writes"),
        (touched_up, "is damaged: its content has another hash"),
        (of_another_version, "is not what this grader writes"),
        (with_an_unknown_key, "is not what this grader writes"),
        (of_a_neighbour, "is of another submission"),
        (without_scores, "there is no scores.npz"),
        (with_other_scores, "scores.npz does not belong to evidence.json"),
        (a_link, "cannot be opened"),
        (nested, "is not what this grader writes"),
        (huge, "is larger than anything"),
    ],
)
def test_bad_evidence_costs_nobody_a_grade(
    grades: Grades, spoil: Callable[[Path], None], why: str
) -> None:
    grades.course.change({"accuracy": {"threshold": 0.83}})
    report = (grades.folder("passes") / "report.json").read_bytes()
    spoil(grades.folder("passes"))
    status, said = grades.regrade()
    rows = grades.rows()
    assert [name for name, row in rows.items() if row["why"]] == ["passes"] and status == 1
    assert why in rows["passes"]["why"] and why in said
    assert (grades.folder("passes") / "report.json").read_bytes() == report
    assert rows["claim_standard_scaler"]["changed"] == "accuracy: 0 -> 40", "the others go on"
    assert "passes" in (grades.out / "grades.csv").read_text(encoding="utf-8-sig")


def test_scores_that_promise_too_much_are_not_unpacked(grades: Grades) -> None:
    """Whoever can write the hash as well: it is read with bounds all the same."""
    filed, scores = filing.read_filed(grades.folder("passes"))
    path = grades.out / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run_0.npy", bytes(1 << 28))
    evidence = decode_evidence(filed.evidence)
    with pytest.raises(ValueError, match="size"):
        filing.unpack_scores(path.read_bytes(), evidence)
    assert len(filing.unpack_scores(scores, evidence)) == 1


def test_those_that_need_it_are_run_and_no_others(grades: Grades) -> None:
    grades.course.change({"accuracy": {"threshold": 0.83}})
    for name in ("over_budget", "passes"):
        removed(grades.folder(name))
    (grades.folder("passes") / "report.json").write_text("{")
    grades.regrade()
    assert "UNREADABLE" in (grades.out / "report.html").read_text(encoding="utf-8")
    command = ("regrade", "OUT", "--rerun", "SUBMISSIONS")
    said = house.grade(grades.out, names=NAMES, course=grades.course.root, command=command)
    started = [line for line in said.splitlines() if "started" in line]
    assert [line.partition(":")[0] for line in started] == ["over_budget", "passes"]
    rows = grades.rows()
    assert rows["over_budget"]["outcome"] == "unchanged" and not rows["over_budget"]["why"]
    assert (grades.folder("over_budget") / "evidence.json").exists()
    table = (grades.out / "grades.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert sorted(line.split('"')[1] for line in table) == NAMES
    assert grades.regrade()[0] == 0


def test_who_is_not_in_the_export_is_not_said_to_have_been_run(grades: Grades) -> None:
    grades.course.change({"accuracy": {"threshold": 0.83}})
    removed(grades.folder("over_budget"))
    command = ("regrade", "OUT", "--rerun", "SUBMISSIONS")
    said = house.grade(grades.out, names=["passes"], course=grades.course.root, command=command)
    assert "started" not in said and "1 needs a new run." in said
    row = grades.rows()["over_budget"]
    assert row["outcome"] == "needs a new run" and "not in what --rerun names" in row["why"]


def test_a_new_run_with_which_the_grader_fails_has_no_score(
    grades: Grades, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object) -> Any:
        return lambda **_: SimpleNamespace(execute=lambda notebook: 1 // 0)

    monkeypatch.setattr(house._Pool, "_replaying", fail)
    grades.course.change({"accuracy": {"threshold": 0.83}})
    removed(grades.folder("over_budget"))
    command = ("regrade", "OUT", "--rerun", "SUBMISSIONS")
    said = house.grade(grades.out, names=NAMES, course=grades.course.root, command=command)
    row = grades.rows()["over_budget"]
    assert (row["old_score"], row["new_score"], row["new_verdict"]) == ("40", "", "GRADER_ERROR")
    assert "the grader failed with it" in row["why"] and "40 -> GRADER_ERROR no score" in said
    assert "1 needs a new run." in said
    assert grades.regrade()[0] == 1


def test_a_mark_counts_where_a_new_run_is_needed(grades: Grades, tmp_path: Path) -> None:
    marks = tmp_path / "ann.csv"
    marks.write_text("submission,check,points\npasses,reflection_1,4\n")
    grades.course.change({"limits": {"processes": 99}})
    grades.regrade("--overrides", str(marks))
    row = grades.rows()["passes"]
    assert row["why"] and (row["old_score"], row["new_score"]) == ("100", "94")
    assert read_json(grades.folder("passes") / "results.json")["score"] == 94


def test_another_assignments_grades_are_left_alone(grades: Grades) -> None:
    run = read_json(grades.out / "run.json")
    (grades.out / "run.json").write_text(json.dumps({**run, "assignment": "other"}))
    before = grades.files()
    status, said = grades.regrade()
    assert status == 2 and "another assignment" in said and grades.files() == before


def test_an_export_that_is_not_there_is_said_before_anything_is_judged(grades: Grades) -> None:
    grades.course.change({"accuracy": {"threshold": 0.97}})
    before = grades.files()
    status, said = grades.regrade("--rerun", str(grades.out / "nowhere.zip"))
    assert status == 2 and "nowhere.zip is not there" in said and grades.files() == before


def test_a_folder_without_grades_is_named(grades: Grades, tmp_path: Path) -> None:
    grades.out = tmp_path / "nothing"
    status, said = grades.regrade()
    assert status == 2 and "holds no grades" in said and not grades.out.exists()
