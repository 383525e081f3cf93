"""Is every submission graded once, whatever becomes of the processes that grade?"""

from __future__ import annotations

import csv
import os
import shutil
import time
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest

from autograder.batch.versions import configuration_hash
from autograder.core.assignment import Assignment, Lesson
from autograder.core.errors import ConfigError, ResultsError
from autograder.reports.files import RunFiles
from autograder.reports.folder import ResultsFolder
from autograder.reports.pages.drawing import draw_student
from tests.batch.fakes import Said, command, grade_obediently, write_class
from tests.notebooks import read_json, write


class Runner:
    """Grades a folder with obedient graders."""

    def __init__(self, assignment: Assignment, folder: Path, monkeypatch: Any) -> None:
        self.said = Said()
        self.out = folder / "out"
        self.inbox = folder / "in"
        self._assignment = assignment
        self._folder = folder
        self._count = folder / "count"
        monkeypatch.setenv("M5_TEST_COUNT", str(self._count))

    def __call__(self, **options: Any) -> list[dict[str, str]]:
        scratch = self._folder / f"scratch-{time.monotonic_ns()}"
        return grade_obediently(
            [self.inbox],
            self.out,
            assignment=options.pop("assignment", self._assignment),
            size=options.pop("size", 1),
            progress=self.said,
            scratch=scratch,
            **options,
        )

    @property
    def runs(self) -> Counter[str]:
        """How often each submission was graded."""
        text = self._count.read_text() if self._count.exists() else ""
        return Counter(text.split())

    def on_disk(self) -> list[dict[str, str]]:
        with (self.out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def run(assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """A batch of its own."""
    return Runner(assignment, tmp_path, monkeypatch)


def test_rows_are_in_the_order_of_finding_whoever_ends_first(run: Runner, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    write_class(run.inbox, {"a": f"wait-for {flag}", "b": "sleep 0.1", "c": f"touch {flag}"})
    write(run.inbox / "d.ipynb", "no notebook")
    rows = run(size=2)
    assert [row["submission"] for row in rows] == ["a", "b", "c", "d"]
    assert rows == run.on_disk()
    finished = [line for line in run.said.lines if line.startswith("finished")]
    assert finished[0].startswith("finished b")
    assert [row["verdict"] for row in rows] == ["PASSED"] * 3 + ["MALFORMED_SUBMISSION"]


def test_the_same_code_is_run_once_and_each_keeps_its_own(run: Runner) -> None:
    for name in ("ann", "bob", "eve"):
        write(run.inbox / f"{name}.ipynb", command("sleep 0.1", author=f"{name}'s"))
    write(run.inbox / "tagged.ipynb", command("sleep 0.1", tags=["reflection_1"]))
    run()
    assert sum(run.runs.values()) == 2
    for name in ("ann", "bob", "eve"):
        place = run.out / "submissions" / name
        executed = read_json(place / "executed.ipynb")
        assert executed["metadata"]["colab"]["name"] == f"{name}'s"
        assert executed["cells"][0]["outputs"][0]["text"] == ["ran as ann"]
        assert read_json(place / "report.json")["submission"] == name
    hashes = {read_json(p)["content_hash"] for p in run.out.glob("submissions/*/report.json")}
    assert len(hashes) == 4
    note = next(row["notes"] for row in run.on_disk() if row["submission"] == "eve")
    assert "same as those of ann" in note


def test_pages_are_drawn_by_the_processes_that_grade(run: Runner, assignment: Assignment) -> None:
    """What is left for the one that writes the files is the page of a twin, which nobody graded."""
    other = command("sleep 0.3")
    del other.metadata["activity_m5"]
    write_class(run.inbox, {"ann": "sleep 0.2", "bob": "sleep 0.2"})
    with zipfile.ZipFile(run.inbox / "two.zip", "w") as archive:
        archive.writestr("m5.ipynb", nbformat.writes(command("sleep 0.1")))
        archive.writestr("other.ipynb", nbformat.writes(other))
    drawn_here = []
    rows = run(write_page=lambda report, executed, folder: drawn_here.append(folder.name))
    assert drawn_here == ["bob"]
    for name in {row["submission"] for row in rows} - {"bob"}:
        place = run.out / "submissions" / name
        report, executed = ((place / f).read_bytes() for f in ("report.json", "executed.ipynb"))
        page = (place / "feedback.html").read_bytes()
        assert page == draw_student(report, executed, assignment.config, Lesson())
        assert (b"You uploaded 2 notebooks" in page) == (name != "ann")


def test_twins_are_tried_each_if_the_grader_failed(run: Runner) -> None:
    write_class(run.inbox, {"a": "fail badly", "b": "fail badly"})
    rows = run()
    assert run.runs == {"a": 1, "b": 1}
    assert {row["verdict"] for row in rows} == {"GRADER_ERROR"}
    assert {row["score"] for row in rows} == {""}


def test_a_lost_process_costs_one_attempt_and_three_cost_the_grade(
    run: Runner, tmp_path: Path
) -> None:
    write_class(
        run.inbox, {"bad": "die", "good": "sleep 0.1", "unlucky": f"die-once {tmp_path / 'died'}"}
    )
    verdicts = {row["submission"]: row["verdict"] for row in run()}
    assert verdicts == {"bad": "GRADER_ERROR", "good": "PASSED", "unlucky": "PASSED"}
    assert run.runs == {"bad": 3, "good": 1, "unlucky": 2}
    note = next(row["notes"] for row in run.on_disk() if row["submission"] == "bad")
    assert "SIGKILL" in note


def test_a_stuck_process_is_ended_with_all_that_it_started(run: Runner, tmp_path: Path) -> None:
    # After another, so that its process has begun by then, however busy the machine is.
    write_class(run.inbox, {"first": "sleep 0", "stuck": f"orphan {tmp_path / 'pid'}"})
    rows = run(job_seconds=10)
    assert rows[1]["verdict"] == "GRADER_ERROR"
    assert "not done after" in rows[1]["notes"]
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_resuming_grades_only_what_is_new_or_changed(run: Runner, assignment: Assignment) -> None:
    write_class(run.inbox, {"a": "sleep 0", "b": "sleep 0.01", "c": "fail once"})
    run()
    write_class(run.inbox, {"b": "sleep 0.02", "d": "sleep 0.03"})
    rows = run(resume=True)
    assert run.runs == {"a": 1, "b": 2, "c": 2, "d": 1}
    assert [row["submission"] for row in rows] == ["a", "b", "c", "d"]
    run(resume=True, assignment=assignment.with_timeout(77))
    assert run.runs == {"a": 2, "b": 3, "c": 3, "d": 2}


def test_resuming_recognises_twins_of_what_was_graded_before(run: Runner) -> None:
    write_class(run.inbox, {"a": "sleep 0"})
    run()
    write_class(run.inbox, {"b": "sleep 0"})
    assert [row["verdict"] for row in run(resume=True)] == ["PASSED", "PASSED"]
    assert run.runs == {"a": 1}


def export(folder: Path, *students: str) -> None:
    """Submissions of the same code and text, as Gradescope exports them, by these students."""
    metadata = ""
    for number, name in enumerate(students, start=1):
        write(folder / f"submission_{number}/m5.ipynb", command("sleep 0"))
        mail = f"{name.lower()}@example.edu"
        metadata += f"submission_{number}:\n  :submitters:\n  - :name: {name}\n"
        metadata += f"    :email: {mail}\n    :sid: '{number}'\n"
    write(folder / "submission_metadata.yml", metadata)


def people(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(row["name"], row["email"]) for row in rows]


def test_a_twin_has_its_own_name_and_reads_nothing_of_the_others_upload(run: Runner) -> None:
    export(run.inbox, "Ann", "Bob")
    other = command("sleep 0.3")
    del other.metadata["activity_m5"]
    write(run.inbox / "submission_1/other.ipynb", other)
    rows = run()
    assert len(run.runs) == 1
    assert people(rows) == [("Ann", "ann@example.edu"), ("Bob", "bob@example.edu")]
    assert ["You uploaded 2 notebooks" in row["notes"] for row in rows] == [True, False]


def test_a_name_that_was_corrected_is_corrected_when_resuming(run: Runner) -> None:
    export(run.inbox, "Ann")
    run()
    export(run.inbox, "Anna")
    assert people(run(resume=True)) == [("Anna", "anna@example.edu")]


def test_a_failure_of_the_grader_is_marked_and_kept_as_no_grade(run: Runner) -> None:
    write_class(run.inbox, {"a": "fail badly", "b": "sleep 0"})
    run()
    results = ResultsFolder(run.out, overwrite=False)
    assert results.marker_of("a") is None and results.report_of("a") is None
    assert results.marker_of("b") is not None and results.report_of("b") is not None


def test_what_was_not_written_to_its_end_has_no_marker(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A marker of an earlier run would say that new and old files belong together."""
    write_class(run.inbox, {"a": "sleep 0"})
    run()
    results = ResultsFolder(run.out, overwrite=True)
    report = results.report_of("a")
    assert report is not None and results.marker_of("a") is not None
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(ResultsError, match="make room"):
        results.keep(report, run=RunFiles(executed=None, log=""))
    assert results.marker_of("a") is None


def full_disk(descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_other_tests_make_other_grades(assignment: Assignment, tmp_path: Path) -> None:
    folder = shutil.copytree(assignment.tests, tmp_path / "tests")
    same = replace(assignment, tests=folder)
    assert configuration_hash(same) == configuration_hash(assignment)
    with (folder / "runs.py").open("a") as file:
        file.write("# and more\n")
    assert configuration_hash(same) != configuration_hash(assignment)


def test_folders_without_their_last_file_are_graded_again(run: Runner) -> None:
    write_class(run.inbox, {"a": "sleep 0"})
    run()
    (run.out / "submissions/a/graded.json").unlink()
    run(resume=True)
    assert run.runs == {"a": 2}


def test_grades_are_replaced_only_on_request(run: Runner) -> None:
    write_class(run.inbox, {"a": "sleep 0"})
    run()
    with pytest.raises(ConfigError, match="--resume"):
        run()
    assert run.runs == {"a": 1}
    run(overwrite=True)
    assert run.runs == {"a": 2}


@pytest.mark.parametrize("text", ['{"assignment": "other", "configuration_hash": ""}', "{"])
def test_another_assignments_grades_are_never_replaced(run: Runner, text: str) -> None:
    write_class(run.inbox, {"a": "sleep 0"})
    write(run.out / "run.json", text)
    for option in ("overwrite", "resume"):
        with pytest.raises(ConfigError, match="Name another folder"):
            run(**{option: True})
    assert [path.name for path in run.out.iterdir()] == ["run.json"]


def test_two_runs_do_not_write_to_one_folder(run: Runner) -> None:
    write_class(run.inbox, {"a": "sleep 0"})
    other = ResultsFolder(run.out, overwrite=True)
    with other.locked(), pytest.raises(ConfigError, match="Another"):
        run()


@pytest.mark.parametrize("wanted", [True, False])
def test_results_have_what_gradescope_would_list(
    run: Runner, assignment: Assignment, wanted: bool
) -> None:
    settings = msgspec.structs.replace(assignment.config.gradescope, leaderboard=wanted)
    config = msgspec.structs.replace(assignment.config, gradescope=settings)
    write_class(run.inbox, {"a": "train", "twin": "train", "none": "sleep 0"})
    run(assignment=replace(assignment, config=config))
    listed = {
        place.name: [entry["value"] for entry in read_json(place / "results.json")["leaderboard"]]
        for place in (run.out / "submissions").iterdir()
        if "leaderboard" in read_json(place / "results.json")
    }
    assert listed == ({"a": [25_450, 0.97], "twin": [25_450, 0.97]} if wanted else {})
