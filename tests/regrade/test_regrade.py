"""Does `m5 regrade` come to the grades that running everything again would give?"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.notebooks import read_json
from tests.recorded import house
from tests.regrade.conftest import NAMES, Grades, Policy

pytestmark = pytest.mark.xdist_group("regrade")
HASHED = ("graded.json", "evidence.json", "run.json")
"""Files that name the configuration, or what it was judged by."""
ALL: Policy = {
    "accuracy": {"threshold": 0.83},
    "budget": {"max_parameters": 40_000},
    "points": {"runs": 7, "reflection_3": 13},
    "reflections": {"min_characters": 140},
}


def test_by_the_same_rules_nothing_changes(grades: Grades) -> None:
    before = grades.files()
    status, said = grades.regrade()
    assert status == 0 and "0 with another grade; 0 need a new run" in said
    assert said.endswith("2 passed, 6 not yet; 7 need you.\n"), said
    after = grades.files()
    assert set(after) - set(before) == {"regrade.csv"}
    assert {name for name in before if before[name] != after[name]} == set()


def test_it_gives_what_grading_anew_gives(grades: Grades, tmp_path: Path) -> None:
    """To the letter, for all files but those that name the evidence."""
    grades.course.change(ALL)
    status, said = grades.regrade()
    assert status == 0, said
    anew = Grades(tmp_path / "anew", grades.course)
    house.grade(anew.out, names=NAMES, course=grades.course.root)
    ours, theirs = grades.files(), anew.files()
    for name, content in theirs.items():
        if not name.endswith(HASHED):
            assert ours[name] == content, name
    markers = [name for name in theirs if name.endswith("graded.json")]
    assert all(ours[name] == theirs[name] for name in markers)
    ours_alone = {name for name in set(ours) - set(theirs) if "/history/" not in name}
    assert ours_alone == {"regrade.csv"}


def test_a_question_of_then_is_no_answer_to_that_of_now(grades: Grades) -> None:
    """Who left the placeholder has the old question in the notebook, and wrote nothing."""
    prompts = read_json(grades.course.root / "otter_config.json")["reflections"]["prompts"]
    path, asked = grades.course.root / "student/m5.ipynb", prompts["reflection_1"]
    prompts["reflection_1"] = "What is a learning rate?"
    text = path.read_text().replace(asked, prompts["reflection_1"])
    assert "| reflection 1 | 10 |" in text  # a line of the lesson with a label
    path.write_text(text.replace("| reflection 1 | 10 |", "| reflection 1 | 12 |"))
    grades.course.change({"reflections": {"prompts": prompts, "min_characters": 8}})
    before = {name: grades.report(name)["reflections"] for name in ("passes", "no_model")}
    assert not before["no_model"]["reflection_1"]["present"]
    assert grades.regrade()[0] == 0
    for name, reflections in before.items():
        after = grades.report(name)["reflections"]
        assert after["reflection_1"] == reflections["reflection_1"]


@pytest.mark.parametrize(
    ("policy", "changed"),
    [
        (
            {"accuracy": {"threshold": 0.83}},
            {"claim_standard_scaler": "accuracy: 0 -> 40"},
        ),
        (
            {"budget": {"max_parameters": 20_000}},
            {"passes": "budget: 20 -> 0", "twin_of_passes": "budget: 20 -> 0"},
        ),
        (
            {"points": {"runs": 12}},
            {name: "runs: 10 -> 12" for name in NAMES if name not in ("malformed", "failing_cell")},
        ),
        (
            {"reflections": {"min_characters": 5}},
            {"failing_cell": "reflection_2: 0 -> 10", "no_model": "reflection_2: 0 -> 10"},
        ),
    ],
    ids=["threshold", "budget", "points", "minimum"],
)
def test_one_number_changes_what_it_decides(
    grades: Grades, policy: Policy, changed: dict[str, str]
) -> None:
    before = grades.files()
    grades.course.change(policy)
    status, said = grades.regrade()
    rows = grades.rows()
    assert {name: row["changed"] for name, row in rows.items() if row["changed"]} == changed
    assert status == 0 and "0 need a new run" in said
    for name in changed:
        history = grades.folder(name) / "history/1.json"
        assert history.read_bytes() == before[f"submissions/{name}/report.json"]
        report = json.loads((grades.folder(name) / "report.json").read_text())
        assert f"{report['score']:g}" == rows[name]["new_score"]
        assert f"{json.loads(history.read_text())['score']:g}" == rows[name]["old_score"]


def test_another_test_and_another_question_are_asked(grades: Grades) -> None:
    """The same answers, judged by a test that wants another one, and beside other questions."""
    asks = grades.course.root / "otter_config.json"
    prompts = json.loads(asks.read_text())["reflections"]["prompts"]
    prompts["reflection_1"] = "What is a learning rate?"

    def edit(text: str) -> str:
        return text.replace("answer.present is True", "len(answer.text) > 141")

    grades.course.change({"reflections": {"prompts": prompts}}, edit=edit)
    status, said = grades.regrade()
    assert status == 0, said
    report = json.loads((grades.folder("passes") / "report.json").read_text())
    checks = {check["name"]: check for check in report["checks"]}
    assert prompts["reflection_1"] in checks["reflection_1"]["wanted"]
    texts = {name: answer["text"] for name, answer in report["reflections"].items()}
    assert {name: checks[name]["points"] for name in texts} == {
        name: 10.0 if len(text) > 141 else 0.0 for name, text in texts.items()
    }
    assert len({checks[name]["points"] for name in texts}) == 2


def test_a_regrade_that_is_taken_back_leaves_both_reports(grades: Grades) -> None:
    before = grades.files()
    grades.course.change({"accuracy": {"threshold": 0.83}})
    grades.regrade()
    grades.course.change({"accuracy": {"threshold": 0.95}})
    grades.regrade()
    after = grades.files()
    name = "submissions/claim_standard_scaler"
    assert after[f"{name}/report.json"] == before[f"{name}/report.json"]
    assert {path for path in after if path.startswith(f"{name}/history")} == {
        f"{name}/history/1.json",
        f"{name}/history/2.json",
    }
    assert grades.rows()["claim_standard_scaler"]["changed"] == "accuracy: 40 -> 0"


def test_resuming_judges_again_instead_of_running_again(
    grades: Grades, monkeypatch: pytest.MonkeyPatch
) -> None:
    grades.course.change({"accuracy": {"threshold": 0.83}})
    monkeypatch.setattr(house._Pool, "submit", lambda self, job: pytest.fail(job.submission))
    command = ("grade", "SUBMISSIONS", "-o", "OUT", "--resume")
    names = [name for name in NAMES if name != "malformed"]  # tried again: it was never run
    said = house.grade(grades.out, names=names, course=grades.course.root, command=command)
    assert f"judged again, by the same runs: {len(names)}." in said
    report = json.loads((grades.folder("claim_standard_scaler") / "report.json").read_text())
    assert report["score"] == 100


def test_a_dry_run_writes_nothing_and_shows_who_would_pass(grades: Grades) -> None:
    (grades.course.root / "assignment/m5.ipynb").symlink_to(house.ROOT / "assignment/m5.ipynb")
    before = grades.files()
    status, said = grades.regrade("--dry-run", "--threshold", "0.83", "--budget", "44000")
    assert grades.files() == before
    assert "claim_standard_scaler: FAILED 60 -> PASSED 100 (accuracy: 0 -> 40)" in said
    assert "passes: PASSED 100 -> FAILED 80 (budget: 20 -> 0)" in said
    assert "at most 44,000" in said and said.count("3 of 8 <- tried") == 2
    rules = json.loads((grades.course.root / "otter_config.json").read_text())
    today = [line for line in said.splitlines() if line.endswith("<- now")]
    threshold, budget = rules["accuracy"]["threshold"], rules["budget"]["max_parameters"]
    told = (f"more than {threshold:.2%}".replace("%", " %"), f"at most {budget:,}")
    assert all(words in line for words, line in zip(told, today, strict=True))
    reports = [grades.report(name) for name in NAMES]
    passed = [check["name"] for report in reports for check in report["checks"]
              if check["status"] == "passed"]  # fmt: skip
    for line, check in zip(today, ("accuracy", "budget"), strict=True):
        assert f" {passed.count(check)} of 8 <- now" in line
    assert status == 0
    assert "8 judged, 3 with another grade; 0 need a new run. Nothing was written." in said


def test_who_has_no_row_is_not_of_the_class(grades: Grades) -> None:
    """An earlier hand-in, say, whose folder stays; a spreadsheet has saved the table since."""
    (grades.course.root / "assignment/m5.ipynb").symlink_to(house.ROOT / "assignment/m5.ipynb")
    table = grades.out / "grades.csv"
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if row[0] != "passes"]
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    status, said = grades.regrade("--dry-run", "--threshold", "0.97")
    assert status == 1 and said.count(" of 7") == 18 and "\n  passes:" not in said
    assert "6 judged" in said and "  twin_of_passes: it is so near" in said
    grades.regrade()
    assert list(grades.rows()) == [name for name in NAMES if name != "passes"]
    with table.open(encoding="utf-8-sig", newline="") as file:
        assert [row["submission"] for row in csv.DictReader(file)] == list(grades.rows())


def test_a_dry_run_names_those_whom_a_new_run_may_help(grades: Grades) -> None:
    (grades.course.root / "assignment/m5.ipynb").symlink_to(house.ROOT / "assignment/m5.ipynb")
    status, said = grades.regrade("--dry-run", "--threshold", "0.97")
    assert status == 1
    assert "Would need a new run:\n  passes: it is so near the threshold" in said


def test_numbers_are_tried_and_not_applied_by_options(grades: Grades) -> None:
    status, said = grades.regrade("--threshold", "0.9")
    assert status == 2 and "m5 release" in said
