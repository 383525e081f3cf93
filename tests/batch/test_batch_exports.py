"""Is every export understood, broken ones included, and does every grade find its student?"""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from autograder.core.assignment import Assignment
from autograder.intake.collecting import Intake, collect
from autograder.reports.gradebooks import write_feedback_zip
from tests.batch.fakes import Said, command, grade_obediently
from tests.notebooks import read_json, write

MARK = "activity-m5"
METADATA = """---
submission_12:
  :submitters:
  - :name: Ann Müller
    :sid: '001'
    :email: ann@example.edu
  :created_at: 2026-11-02 10:00:00.000000000 Z
  :score: 10.0
submission_15:
  :submitters:
  - :name: Ann Müller
    :sid: '001'
    :email: ann@example.edu
  :created_at: 2026-11-03 10:00:00.000000000 Z
submission_13:
  :submitters:
  - :name: 李 小龍
    :sid: '002'
    :email: li@example.edu
  - :name: Zoë O'Neil
    :sid: '003'
    :email: zoe@example.edu
  :created_at: !ruby/object:ActiveSupport::TimeWithZone 2026-11-02
submission_14:
  :submitters:
  - :name: Ann Müller
    :sid: '004'
    :email: other.ann@example.edu
"""


def gradescope(folder: Path, metadata: str | None = METADATA) -> Path:
    for number in (12, 13, 14, 15):
        write(folder / f"submission_{number}/m5.ipynb", command(f"sleep 0 {number}"))
    if metadata is not None:
        write(folder / "submission_metadata.yml", metadata)
    return folder


def find(tmp_path: Path, *paths: Path) -> Intake:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return collect(paths, scratch=scratch, assignment_id=MARK)


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, Path(folder.name, path.relative_to(folder)))
    return archive


@pytest.mark.parametrize("packed", [False, True])
def test_gradescope_names_each_student_and_takes_the_latest(tmp_path: Path, packed: bool) -> None:
    folder = gradescope(tmp_path / "assignment_7_export")
    intake = find(tmp_path, zipped(folder, tmp_path / "e.zip") if packed else folder)
    found = {handin.submission: handin for handin in intake.handins}
    assert list(found) == ["submission_15", "submission_13", "submission_14"]
    assert not any(handin.refusal for handin in intake.handins)
    group = found["submission_13"]
    assert [student.sid for student in group.students] == ["002", "003"]
    assert group.name == "李 小龍, Zoë O'Neil"
    assert group.email == "li@example.edu, zoe@example.edu"
    latest = found["submission_15"]
    assert "submission_12" in latest.staff_notes[0]
    # The same name is not the same student.
    assert found["submission_14"].email == "other.ann@example.edu"
    assert intake.warnings == ()


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (None, "missing"),
        ("submission_12:\n  :submitters: [\n", "damaged in line"),
        ("[" * 100_000, "damaged"),
        ("just text", "does not list"),
        ("\x00\xff", "damaged"),
        ("", "does not list"),
    ],
)
def test_a_broken_list_costs_the_names_and_nothing_else(
    tmp_path: Path, metadata: str | None, says: str
) -> None:
    intake = find(tmp_path, gradescope(tmp_path / "export", metadata))
    assert len(intake.handins) == 4
    assert not any(handin.refusal for handin in intake.handins)
    assert says in intake.warnings[0]
    assert all("list could not be read" in h.staff_notes[0] for h in intake.handins)


def test_list_and_folders_that_disagree_are_all_rows(tmp_path: Path) -> None:
    metadata = METADATA + "submission_99:\n  :submitters: nobody\n../../evil:\n  :score: 1\n"
    folder = gradescope(tmp_path / "export", metadata)
    write(folder / "submission_20/m5.ipynb", command("sleep 0"))
    (folder / "submission_21").mkdir()
    intake = find(tmp_path, folder)
    found = {handin.submission: handin for handin in intake.handins}
    assert "its folder is not there" in found["submission_99"].refusal
    missing = {name for name, handin in found.items() if handin.is_missing}
    assert missing == {"submission_99", "submission_21"}
    assert "does not list it" in found["submission_20"].staff_notes[0]
    assert "empty" in found["submission_21"].refusal
    assert not any("evil" in name for name in found)
    assert "passed over" in intake.warnings[0]


def test_of_what_was_uploaded_again_to_canvas_the_last_is_graded(tmp_path: Path) -> None:
    """Numbers grow by one digit in both places: text would sort them otherwise."""
    for name in (
        "a/doejane_11_999_m5.ipynb",
        "b/doejane_11_1000_m5.ipynb",
        "b/doejane_11_1000_m5-2.ipynb",
        "b/doejane_11_1000_m5-10.ipynb",
        "b/doejane_LATE_11_998_m5.ipynb",
    ):
        write(tmp_path / name, command(f"sleep 0 {name}"))
    [handin] = find(tmp_path, tmp_path / "b", tmp_path / "a").handins
    assert (handin.submission, handin.late) == ("doejane_11", False)
    assert "doejane_11_1000_m5-10.ipynb" in handin.path.read_text()
    assert "doejane_LATE_11_998_m5.ipynb, doejane_11_1000_m5.ipynb" in handin.staff_notes[0]


@pytest.mark.parametrize("other", [b"a picture", b"{}"])
def test_a_file_beside_the_notebook_costs_a_canvas_student_nothing(
    tmp_path: Path, other: bytes
) -> None:
    """Canvas numbers files, not uploads: what has another number may belong to the same upload."""
    folder = tmp_path / "submissions"
    write(folder / "doejane_11_501_m5.ipynb", command("sleep 0"))
    write(folder / "doejane_11_502_plot.png", other)
    [handin] = find(tmp_path, folder).handins
    assert (handin.refusal, handin.path.name) == ("", "m5.ipynb")
    assert handin.feedback_name == "doejane_11_501_m5.html"


def test_by_a_name_alone_nobody_is_recognised(tmp_path: Path) -> None:
    metadata = "".join(
        f"submission_{number}:\n  :submitters:\n  - :name: Ann Müller\n" for number in (12, 13)
    )
    found = find(tmp_path, gradescope(tmp_path / "export", metadata)).handins
    assert [handin.submission for handin in found if handin.students] == [
        "submission_12",
        "submission_13",
    ]


def test_canvas_file_names_tell_student_and_lateness(tmp_path: Path) -> None:
    folder = tmp_path / "submissions"
    for name in (
        "doejane_11_501_m5.ipynb",
        "doejane_11_502_m5-1.ipynb",
        "müllerzoë_LATE_12_503_my_best-work.ipynb",
        "doejane_13_504_m5.ipynb",
    ):
        write(folder / name, command(f"sleep 0 {name}"))
    write(folder / "smithjo_14_505_essay.pdf", b"%PDF")
    found = {handin.submission: handin for handin in find(tmp_path, folder).handins}
    assert sorted(found) == ["doejane_11", "doejane_13", "müllerzoë_12", "smithjo_14"]
    assert found["doejane_11"].students[0].canvas_id == "11"
    assert [found[name].late for name in sorted(found)] == [False, False, True, False]
    assert "late" in found["müllerzoë_12"].staff_notes[0]
    assert found["müllerzoë_12"].feedback_name == "müllerzoë_LATE_12_503_my_best-work.html"
    assert "a PDF" in found["smithjo_14"].refusal


def test_canvas_gets_each_page_back_for_its_own_student(
    tmp_path: Path, assignment: Assignment
) -> None:
    """Twins, two of one name, and one who was late; none for whom the grader failed."""
    folder = tmp_path / "submissions"
    owners = {}
    for name, text in {
        "leeann_11_501_m5.ipynb": "sleep 0",
        "leeann_12_502_m5.ipynb": "sleep 0",
        "leeann_LATE_13_503_m5_2.ipynb": "sleep 0.01",
        "group7_14_504_12_15.ipynb": "sleep 0.02",
        "poe_15_505_m5.ipynb": "fail",
    }.items():
        write(folder / name, command(text))
        # How Canvas itself reads a name: the first two numbers are of the student and the file.
        user, file = [part for part in name.split("_") if part.isdigit()][:2]
        owners[user, file] = f"{name.split('_')[0]}_{user}"
    out = tmp_path / "out"
    rows = grade_obediently(
        [folder],
        out,
        assignment=assignment,
        progress=Said(),
        scratch=tmp_path / "s",
        write_page=lambda report, _, place: write(place / "feedback.html", report.submission),
    )
    for row in rows:
        write(out / "submissions" / row["submission"] / "feedback.html", row["submission"])
    archive = write_feedback_zip(out, [row["submission"] for row in rows])
    assert archive is not None
    with zipfile.ZipFile(archive) as opened:
        pages = {name: opened.read(name).decode() for name in opened.namelist()}
    assert len(pages) == 4 and not any(name.startswith("poe") for name in pages)
    for name, page in pages.items():
        assert name.endswith(".html")
        user, file = [part for part in name.split("_") if part.isdigit()][:2]
        assert owners[user, file] == page


def test_where_canvas_gave_no_names_there_is_no_zip(tmp_path: Path, assignment: Assignment) -> None:
    out = tmp_path / "out"
    folder = gradescope(tmp_path / "export")
    rows = grade_obediently(
        [folder], out, assignment=assignment, progress=Said(), scratch=tmp_path / "s"
    )
    assert write_feedback_zip(out, [row["submission"] for row in rows]) is None
    assert not list(out.glob("*.zip*")) and not list(out.glob(".*.zip*"))


def test_nbgraders_tree_has_one_submission_a_student(tmp_path: Path) -> None:
    for student in ("ann", "bob"):
        write(tmp_path / f"course/submitted/{student}/m5/m5.ipynb", command(f"sleep 0 {student}"))
        write(
            tmp_path / f"course/submitted/{student}/m5/timestamp.txt", "2026-11-02 10:11:12.5 UTC\n"
        )
    (tmp_path / "course/submitted/eve/m5").mkdir(parents=True)
    found = find(tmp_path, tmp_path / "course").handins
    assert [(h.submission, h.name) for h in found] == [
        (name, name) for name in ("ann", "bob", "eve")
    ]
    assert [bool(h.refusal) for h in found] == [False, False, True]
    assert [h.handed_in for h in found] == ["2026-11-02 10:11:12 UTC"] * 2 + [""]


def test_names_never_lead_out_of_a_folder(tmp_path: Path) -> None:
    archive = tmp_path / "class.zip"
    good = tmp_path / "x.ipynb"
    write(good, command("sleep 0"))
    names = ["../../../evil.ipynb", "/abs/evil.ipynb", "..\\evil.ipynb", "a/../../evil.ipynb"]
    with zipfile.ZipFile(archive, "w") as file:
        for name in names:
            file.write(good, name)
    before = set(tmp_path.iterdir())
    intake = find(tmp_path, archive)
    assert set(tmp_path.iterdir()) == before | {tmp_path / "scratch"}
    for handin in intake.handins:
        assert handin.path.resolve().is_relative_to((tmp_path / "scratch").resolve())
        assert not set(handin.submission) & set("/\\")
    assert len({handin.submission for handin in intake.handins}) == len(intake.handins)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"x" * 1000])
def test_a_damaged_archive_is_a_row(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "e.zip").write_bytes(content)
    (handin,) = find(tmp_path, tmp_path / "e.zip").handins
    assert "damaged" in handin.refusal


def test_an_archive_that_is_too_large_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.intake.archives.MAX_CLASS_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "e.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.ipynb", " " * 1_000_000)
    (handin,) = find(tmp_path, tmp_path / "e.zip").handins
    assert "more than" in handin.refusal


def test_zips_in_a_plain_folder_are_students_uploads(tmp_path: Path) -> None:
    write(tmp_path / "in/ann.ipynb", command("sleep 0"))
    write(tmp_path / "bob/m5.ipynb", command("sleep 1"))
    zipped(tmp_path / "bob", tmp_path / "in/bob.zip")
    found = find(tmp_path, tmp_path / "in").handins
    assert {h.submission: h.refusal for h in found} == {"ann": "", "bob": ""}


def test_ten_thousand_files_are_found_within_a_minute(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    lines = ["---"]
    for number in range(1_000):
        place = folder / f"submission_{number}"
        place.mkdir(parents=True)
        for name in ("m5.ipynb", *(f"data-{n}.csv" for n in range(9))):
            (place / name).touch()
        lines.append(f"submission_{number}:\n  :submitters:\n  - :name: Same Name")
        lines.append(f"    :sid: '{number}'\n    :email: s{number}@example.edu")
    write(folder / "submission_metadata.yml", "\n".join(lines))
    found = find(tmp_path, folder).handins
    assert len({handin.submission for handin in found}) == 1_000
    assert found[7].email == "s7@example.edu"


def test_gradebooks_have_a_row_a_student_with_ids(tmp_path: Path, assignment: Assignment) -> None:
    gone = "submission_99:\n  :submitters:\n  - :name: Gone\n    :sid: '099'\n"
    folder = gradescope(tmp_path / "export", METADATA.replace("Zoë O'Neil", "=cmd()") + gone)
    write(folder / "submission_14/m5.ipynb", command("fail"))
    canvas = tmp_path / "canvas"
    write(canvas / "doejane_11_501_m5.ipynb", command("sleep 0"))
    out = tmp_path / "out"
    grade_obediently(
        [folder, canvas], out, assignment=assignment, progress=Said(), scratch=tmp_path / "s"
    )

    def table(name: str) -> list[dict[str, str]]:
        with (out / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    scores: dict[str, Any] = {row["SID"]: row for row in table("gradescope.csv")}
    assert set(scores) == {"001", "002", "003", "004", "099", ""}
    assert (scores["003"]["Total Score"], scores["003"]["Submission ID"]) == ("100", "13")
    assert scores["002"]["Email"] == "li@example.edu"
    # The grader failed there: a zero would be a grade.
    assert (scores["004"]["Total Score"], scores["004"]["Status"]) == ("", "Ungraded")
    # Nothing was handed in there, as far as the export tells.
    assert (scores["099"]["Total Score"], scores["099"]["Status"]) == ("", "Missing")
    assert scores["001"]["Submission Time"] == "2026-11-03 10:00:00 UTC"
    assert read_json(out / "submissions/submission_99/report.json")["score"] is None
    assert scores["003"]["First Name"].startswith("'=")
    points, *rows = table("canvas.csv")
    total = assignment.config.points.total
    title = assignment.config.assignment.title
    assert (points["Student"].strip(), points[title]) == ("Points Possible", f"{total}")
    assert {row["ID"]: row[title] for row in rows}["11"] == "100"
    # An empty cell might clear the grade that was there.
    assert all(row[title] for row in rows)
    ids = {(row["SIS User ID"], row["SIS Login ID"]) for row in rows}
    assert "004" not in {sid for sid, _ in ids}
    assert ids >= {("001", "ann@example.edu"), ("003", "zoe@example.edu")}


def test_notebooks_hidden_in_a_folder_are_named_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    for name in ("seen.ipynb", ".hidden.ipynb", "b/.IPYNB", "b/.too.ipynb.txt"):
        write(folder / name, command("sleep 0"))
    # What editors and file systems leave behind is nobody's work, and worth no word.
    for name in ("._seen.ipynb", ".ipynb_checkpoints/seen.ipynb", "__MACOSX/.m5.ipynb", ".notes"):
        write(folder / name, command("sleep 0"))
    (folder / ".link").symlink_to(folder / "b")
    intake = find(tmp_path, folder, folder / "b")
    assert [handin.submission for handin in intake.handins] == ["seen"]
    assert "holds no notebook" in intake.passed_over[0]
    sentence, _ = intake.warnings
    assert "begin with a dot: .hidden.ipynb, .IPYNB, .too.ipynb.txt. Rename" in sentence


def test_a_folder_without_hidden_notebooks_needs_no_line(tmp_path: Path) -> None:
    write(tmp_path / "class/m5.ipynb", command("sleep 0"))
    assert find(tmp_path, tmp_path / "class", tmp_path / "class/m5.ipynb").warnings == ()


def test_many_hidden_notebooks_are_counted(tmp_path: Path) -> None:
    for number in range(9):
        write(tmp_path / f"class/.{number}.ipynb", command("sleep 0"))
    write(tmp_path / "class/seen.ipynb", command("sleep 0"))
    (sentence,) = find(tmp_path, tmp_path / "class").warnings
    assert ".0.ipynb, .1.ipynb, .2.ipynb, .3.ipynb, .4.ipynb and 4 more." in sentence
