"""Do marks that lie in the results folder count, whenever they come there, and for nobody else?"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from autograder.core.assignment import Assignment, Lesson
from autograder.core.errors import ConfigError, UsageError
from autograder.reports.folder import ResultsFolder
from autograder.reports.pages.class_report import draw_class
from autograder.reports.pages.drawing import ClassPage
from tests.batch.fakes import Said, command, grade_obediently
from tests.notebooks import read_json, write

HEAD = "submission,student,check,points,comment\n"


class Class:
    """Two students with the same notebook, and one with another that the grader fails with."""

    def __init__(self, folder: Path, assignment: Assignment) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.assignment = assignment
        self.said = Said()
        metadata = ""
        for number, name in enumerate(("Ann", "Bob", "Eve"), start=1):
            text = "fail" if name == "Eve" else "sleep 0"
            write(folder / f"in/submission_{number}/m5.ipynb", command(text))
            metadata += f"submission_{number}:\n  :submitters:\n  - :name: {name}\n"
            metadata += f"    :sid: '00{number}'\n  :created_at: 2026-11-02 10:00:00.5 Z\n"
        write(folder / "in/submission_metadata.yml", metadata)

    def grade(self, *, resume: bool = False) -> list[str]:
        """Grade, and tell which submissions were graded and not kept."""
        self.said = Said()
        grade_obediently(
            [self.folder / "in"],
            self.out,
            assignment=self.assignment,
            progress=self.said,
            scratch=self.folder / "scratch",
            resume=resume,
            write_page=lambda report, _, folder: write(folder / "drawn", f"{report.score}"),
        )
        return [line.split()[1] for line in self.said.lines if line.startswith("started")]

    def mark(self, *rows: str) -> None:
        write(self.out / "overrides.csv", HEAD + "".join(f"{row}\n" for row in rows))

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.out / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))


pytestmark = pytest.mark.xdist_group("overrides")
"""In one process, so that it is graded once."""


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, assignment: Assignment) -> Path:
    folder = tmp_path_factory.mktemp("graded")
    Class(folder, assignment).grade()
    return folder


@pytest.fixture
def course(graded: Path, tmp_path: Path, assignment: Assignment) -> Class:
    """It is graded, and nobody has marked it."""
    shutil.copytree(graded, tmp_path / "course", copy_function=shutil.copy2)
    return Class(tmp_path / "course", assignment)


def test_marks_count_everywhere_once_they_are_there_and_no_more_when_they_are_gone(
    course: Class,
) -> None:
    before = {path: path.read_bytes() for path in course.out.rglob("*.*")}
    course.mark(",001,runs,2.5,=late; agreed")
    assert course.grade(resume=True) == ["submission_3"]
    ann, bob, _ = course.table("grades.csv")
    assert (ann["score"], ann["points_runs"], bob["score"]) == ("2.5", "2.5", "100")
    assert "2.5 of 100 points (automatic: 100). Comment: =late; agreed" in ann["overrides"]
    assert bob["overrides"] == ""
    title = course.assignment.config.assignment.title
    assert [row[title] for row in course.table("canvas.csv")[1:]] == ["2.5", "100"]
    assert [row["Total Score"] for row in course.table("gradescope.csv")] == ["2.5", "100", ""]
    place = course.out / "submissions/submission_1"
    check = read_json(place / "report.json")["checks"][0]
    assert check["override"] == {"points": 2.5, "comment": "=late; agreed"}
    assert check["points"] == 100
    results = read_json(place / "results.json")
    assert (results["score"], results["tests"][0]["score"]) == (2.5, 2.5)
    assert "(automatic: 100). Comment: =late; agreed" in results["tests"][0]["output"]
    assert (place / "drawn").read_text() == "2.5"
    course.mark()
    assert course.grade(resume=True) == ["submission_3"]
    (course.out / "overrides.csv").unlink()
    after = {path: path.read_bytes() for path in course.out.rglob("*.*")}
    assert {path.name for path in before if before[path] != after[path]} <= {"grading.log"}


def test_marks_that_lie_there_first_count_and_a_twin_does_not_inherit_them(
    tmp_path: Path, assignment: Assignment
) -> None:
    course = Class(tmp_path, assignment)
    course.out.mkdir()
    course.mark("submission_1,,runs,0,", "submission_3,,accuracy,0,by hand")
    course.grade()
    assert [row["score"] for row in course.table("grades.csv")] == ["0", "100", ""]
    drawn = (course.out / f"submissions/submission_{n}/drawn" for n in (1, 2))
    assert [path.read_text() for path in drawn] == ["0.0", "100.0"]
    [warning] = [line for line in course.said.lines if "does not count yet" in line]
    assert warning.startswith("warned submission_3 has no score") and "accuracy" in warning


def test_marks_that_are_wrong_stop_it_before_anything_is_changed(course: Class) -> None:
    course.mark(",004,runs,1,")
    before = {path: path.read_bytes() for path in course.out.rglob("*.*")}
    with pytest.raises(UsageError, match=r"overrides\.csv, line 2: there is no student “004”"):
        course.grade(resume=True)
    assert {path: path.read_bytes() for path in course.out.rglob("*.*")} == before


def test_marks_of_a_submission_that_is_not_graded_now_are_no_fault(course: Class) -> None:
    course.mark("submission_1,,runs,1,", "submission_2,,runs,2,")
    (course.folder / "in/submission_1/m5.ipynb").unlink()
    (course.folder / "in/submission_1").rmdir()
    metadata = (course.folder / "in/submission_metadata.yml").read_text()
    metadata = metadata[metadata.index("submission_2") :]
    write(course.folder / "in/submission_metadata.yml", metadata)
    course.grade(resume=True)
    assert [row["score"] for row in course.table("grades.csv")] == ["2", ""]
    assert "submission_1,,runs,1," in (course.out / "overrides.csv").read_text()


def test_a_mark_by_student_goes_with_who_hands_in_again(course: Class) -> None:
    """Gradescope gives the new submission another number; the folder of the old one stays."""
    course.mark(",001,runs,2.5,")
    inbox = course.folder / "in"
    (inbox / "submission_1").rename(inbox / "submission_9")
    write(inbox / "submission_9/m5.ipynb", command("sleep 0.1"))
    metadata = (inbox / "submission_metadata.yml").read_text()
    write(inbox / "submission_metadata.yml", metadata.replace("submission_1:", "submission_9:"))
    course.grade(resume=True)
    found = {row["submission"]: row["score"] for row in course.table("grades.csv")}
    assert found == {"submission_9": "2.5", "submission_2": "100", "submission_3": ""}
    assert (course.out / "submissions/submission_1").exists(), "its folder stays, nothing else"
    told = "warned 1 graded before, but not named now: submission_1. Their folders are kept"
    assert any(line.startswith(told) for line in course.said.lines)
    wanted = ClassPage(root=str(course.out), config=course.assignment.config, lesson=Lesson())
    assert draw_class(wanted).submissions == len(found)


def test_marks_for_work_that_has_changed_are_told(course: Class) -> None:
    course.mark("submission_1,,runs,2.5,", "submission_2,,runs,3,")
    again = command("sleep 0", author="again")
    write(course.folder / "in/submission_1/m5.ipynb", command("sleep 0.2"))
    write(course.folder / "in/submission_2/m5.ipynb", again)
    course.grade(resume=True)
    [warning] = [line for line in course.said.lines if "still counts" in line]
    assert warning.startswith("warned submission_1 has been handed in again with other answers")
    assert [row["score"] for row in course.table("grades.csv")] == ["2.5", "3", ""]


def test_only_one_at_a_time_writes_to_a_folder(course: Class) -> None:
    with (
        ResultsFolder(course.out, overwrite=False).locked(),
        pytest.raises(ConfigError, match="wait for it"),
    ):
        course.grade(resume=True)


def test_an_export_tells_who_handed_in_when(course: Class) -> None:
    ann, *_ = course.table("grades.csv")
    told = ("name", "student_id", "submission_id", "handed_in", "late")
    assert [ann[column] for column in told] == ["Ann", "001", "1", "2026-11-02 10:00:00 UTC", ""]
