"""What people name on the command line, typed wrongly too: is anybody forgotten or made up?"""

from __future__ import annotations

import json
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from intake_builders import ASSIGNMENT, notebook

from autograder.core.errors import UsageError
from autograder.intake.collecting import Intake, collect
from autograder.intake.folders import names_of

NOTEBOOK = json.dumps(notebook())


@pytest.fixture
def find(tmp_path: Path) -> Callable[..., Intake]:
    def collected(*names: str) -> Intake:
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        paths = [tmp_path / name for name in names]
        return collect(paths, scratch=scratch, assignment_id=ASSIGNMENT)

    return collected


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., None]:
    def write(*names: str, content: str | bytes = NOTEBOOK) -> None:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content)

    return write


def names(intake: Intake) -> list[str]:
    return [handin.submission for handin in intake.handins]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (["gone.ipynb"], "gone.ipynb” is not there"),
        (["gone"], "gone” is not there"),
        (["good.ipynb/in"], "good.ipynb/in” is not there"),
        (["a\0b.ipynb"], "is not there"),
        (["link.ipynb"], "link.ipynb” is a link to nothing"),
        (["empty"], "empty” is empty"),
        (["readme"], "readme” holds no notebook"),
        (["readme/README.md"], "README.md” is not a notebook"),
        (["a.txt", "b.py", "empty"], "a.txt” is not a notebook"),
        (["grades"], "holds grades that `m5 grade` wrote"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    wanted: list[str],
    says: str,
    tmp_path: Path,
    find: Callable[..., Intake],
    put: Callable[..., None],
) -> None:
    put("good.ipynb", "grades/submissions/ann/executed.ipynb", "grades/grades.csv")
    put("readme/README.md", "a.txt", "b.py", content="# Hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError) as refused:
        find(*wanted)
    assert says in str(refused.value)
    assert "expected is a notebook (.ipynb)" in str(refused.value) or wanted == ["grades"]
    assert all(str(tmp_path / name) in str(refused.value) for name in wanted if "\0" not in name)


def test_every_path_that_is_missing_is_named(
    find: Callable[..., Intake], put: Callable[..., None]
) -> None:
    put("good.ipynb")
    with pytest.raises(UsageError) as refused:
        find("one.ipynb", "good.ipynb", "two.zip")
    assert "one.ipynb” is not" in str(refused.value) and "two.zip” is not" in str(refused.value)
    assert "good.ipynb" not in str(refused.value)


def test_others_are_graded_where_one_is_no_submission(
    tmp_path: Path, find: Callable[..., Intake], put: Callable[..., None]
) -> None:
    put("good.ipynb", "by_content.data")
    put("README.md", content="# Hello")
    put("damaged.ipynb", "damaged.zip", content=b"\x00\xff")
    (tmp_path / "empty").mkdir()
    intake = find(
        "good.ipynb", "README.md", "damaged.ipynb", "damaged.zip", "empty", "by_content.data"
    )
    assert sorted(names(intake)) == ["by_content", "damaged", "damaged-2", "good"]
    assert len(intake.passed_over) == 2
    assert "README.md” is not a notebook" in intake.passed_over[0]
    assert "empty” is empty" in intake.passed_over[1]


def test_zip_without_a_notebook_is_a_submission(
    tmp_path: Path, find: Callable[..., Intake], put: Callable[..., None]
) -> None:
    with zipfile.ZipFile(tmp_path / "ann.zip", "w") as archive:
        archive.writestr("essay.pdf", "%PDF")
    (handin,) = find("ann.zip").handins
    assert "holds no notebook" in handin.refusal
    assert not handin.is_missing


@pytest.mark.parametrize("metadata", [False, True])
def test_export_of_gradescope_covers_its_own_submissions_alone(
    metadata: bool, find: Callable[..., Intake], put: Callable[..., None]
) -> None:
    put("class/submission_3/m5.ipynb", "class/ann.ipynb", "class/late/bob.ipynb")
    if metadata:
        put("class/submission_metadata.yml", content="submission_3:\n  :submitters: []\n")
    intake = find("class")
    assert names(intake) == ["submission_3", "ann", "bob"]
    assert any(
        "export of Gradescope, with 1 submission. 2 others are" in w for w in intake.warnings
    )


def test_canvas_export_covers_its_own_files_alone(
    find: Callable[..., Intake], put: Callable[..., None]
) -> None:
    put("class/doe_1_2_m5.ipynb", "class/roe_3_4_m5.ipynb", "class/poe_5_6_m5.ipynb")
    put("class/ann.ipynb", "class/late/ann.ipynb")
    put("class/README.md", content="# Hello")
    intake = find("class")
    assert sorted(names(intake)) == ["class_ann", "doe_1", "late_ann", "poe_5", "roe_3"]
    assert any("export of Canvas, with 3 submissions. 2 others" in w for w in intake.warnings)


def test_course_of_nbgrader_covers_its_own_folders_alone(
    find: Callable[..., Intake], put: Callable[..., None]
) -> None:
    put("course/submitted/ann/m5/m5.ipynb", "course/submitted/bob/m5/m5.ipynb")
    put("course/source/m5/m5.ipynb", "course/autograded/ann/m5/m5.ipynb", "course/eve.ipynb")
    intake = find("course")
    assert names(intake) == ["ann", "bob", "eve"]
    assert any("export of nbgrader, with 2 submissions. 1 other is" in w for w in intake.warnings)


def test_grades_among_submissions_are_passed_over_and_told(
    find: Callable[..., Intake], put: Callable[..., None]
) -> None:
    put("class/ann.ipynb", "class/out/submissions/ann/executed.ipynb", "class/out/grades.csv")
    put("class/copy/executed.ipynb", "class/copy/results.json", "class/copy/report.json")
    put("class/copy/grading.log")
    intake = find("class")
    assert names(intake) == ["ann"]
    assert sum("Passed over, since `m5 grade` wrote it" in each for each in intake.warnings) == 2


def test_archives_at_any_depth_are_uploads_but_not_a_notebooks_data(
    tmp_path: Path, find: Callable[..., Intake], put: Callable[..., None]
) -> None:
    put("class/ann/m5.ipynb", "class/bob/x")
    with zipfile.ZipFile(tmp_path / "class/bob/bob.zip", "w") as archive:
        archive.writestr("m5.ipynb", NOTEBOOK)
    with zipfile.ZipFile(tmp_path / "class/ann/data.zip", "w") as archive:
        archive.writestr("numbers.csv", "1,2")
    (tmp_path / "class/cy.zip").write_bytes(b"broken")
    assert sorted(names(find("class"))) == ["bob", "cy", "m5"]


def test_nobody_is_lost_where_labels_are_alike(
    find: Callable[..., Intake], put: Callable[..., None]
) -> None:
    for course in ("one", "two"):
        put(f"{course}/submission_7/m5.ipynb", f"{course}/submission_7.ipynb")
    intake = find("one", "two", "one", "one/submission_7/m5.ipynb")
    assert len({name.casefold() for name in names(intake)}) == 4


ODD_NAMES = (
    *("con", "NUL.x", "com1", "lpt¹", "aux .b", "a.", "a..", "a ", " a", "A", "a", "á", "a\u0301"),
    *(
        "ÿ" * 120,
        "x" * 240,
        "李" * 80,
        "مرحبا",
        "\u202egpj",
        "a\u200bb",
        "👩‍💻",
        "🎉" * 50,
        "\udcff",
    ),
    *("a\tb", "a\nb", "a\\b", "a:b", "a|b", '"', "'", "*", "?", "$(x)", "-rf", "~", "a-2", "a-3"),
    *("=1+1", "submission", "%2e%2e", "ß", "SS", "ſs"),
)


def test_odd_names_each_have_a_row_of_their_own(
    find: Callable[..., Intake], put: Callable[..., None], tmp_path: Path
) -> None:
    for name in ODD_NAMES:
        put(f"in/{name}.ipynb")
    put("in/B.IPYNB", "in/b.ipynb", "in/b.ipynb.txt", "in/..ipynb", "in/.ipynb")
    wanted = len(ODD_NAMES) + 3
    intake = find("in")
    found = names(intake)
    assert len(found) == wanted
    assert len({name.casefold() for name in found}) == wanted
    assert len({str(handin.path) for handin in intake.handins}) == wanted
    assert ".ipynb" in intake.warnings[0]
    for name in found:
        (tmp_path / "out" / name).mkdir(parents=True)
        assert not set(name) & set('<>:"/\\|?*\0\n') and name.encode()


def test_time_for_alike_names_grows_with_their_number(tmp_path: Path) -> None:
    def seconds(count: int) -> float:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        archive = folder / "class.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for number in range(count):
                # What makes each name unlike the others is taken out of it.
                file.writestr(zipfile.ZipInfo("in/m5" + "\x01\x02"[number % 2] + ".ipynb"), "{}")
        scratch = folder / "scratch"
        scratch.mkdir()
        began = time.process_time()
        intake = collect([archive], scratch=scratch, assignment_id=ASSIGNMENT)
        spent = time.process_time() - began
        assert len(set(names(intake))) == count
        return spent

    with pytest.warns(UserWarning, match="Duplicate name"):
        small = seconds(100)
        # Something may have disturbed one of them.
        assert any(seconds(1_600) < 3 * 16 * small for _ in range(2))


def test_time_for_alike_labels_grows_with_their_number() -> None:
    def seconds(count: int) -> float:
        began = time.process_time()
        assert len(set(names_of([Path("m5.ipynb")] * count))) == count
        return time.process_time() - began

    small = seconds(2_000)
    assert any(seconds(32_000) < 3 * 16 * small for _ in range(2))
