"""Archives and exports that are broken, or made to break: a row or a sentence, in little time."""

from __future__ import annotations

import json
import struct
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from intake_builders import ASSIGNMENT, notebook

from autograder.core.errors import MalformedSubmission
from autograder.intake import read_submission
from autograder.intake.collecting import Intake, collect

NOTEBOOK = json.dumps(notebook())
Find = Callable[..., Intake]


@pytest.fixture
def find(tmp_path: Path) -> Find:
    def collected(*names: str) -> Intake:
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        intake = collect([tmp_path / n for n in names], scratch=scratch, assignment_id=ASSIGNMENT)
        outside = {path.name for path in tmp_path.iterdir()} - {"scratch", *names}
        assert not outside, "something was unpacked outside"
        return intake

    return collected


def verdicts(intake: Intake) -> dict[str, str]:
    """Why each cannot be graded; empty for those that can."""
    found = {}
    for handin in intake.handins:
        try:
            read_submission(handin, assignment_id=ASSIGNMENT)
            found[handin.submission] = ""
        except MalformedSubmission as refusal:
            found[handin.submission] = str(refusal)
    return found


def pack(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def patch(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content and len(old) == len(new)
    path.write_bytes(content.replace(old, new))


def test_links_in_a_zip_are_not_made(tmp_path: Path, find: Find) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        link = zipfile.ZipInfo("ann/link.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("ann/m5.ipynb", NOTEBOOK)
    assert verdicts(find("c.zip")) == {"m5": ""}


def test_members_of_one_name_are_all_there(tmp_path: Path, find: Find) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("in/m5.ipynb", "in/m5.ipynb", "in/M5.ipynb", "in\\m5.ipynb", "in//m5.ipynb"):
            archive.writestr(name, NOTEBOOK)
    assert list(verdicts(find("c.zip")).values()) == [""] * 5


def test_zips_in_a_zip_are_uploads_and_deeper_ones_are_not_opened(
    tmp_path: Path, find: Find
) -> None:
    inner = pack(tmp_path / "i.zip", {"m5.ipynb": NOTEBOOK}).read_bytes()
    deep = inner
    for _ in range(3):
        deep = pack(tmp_path / "i.zip", {"next.zip": deep}).read_bytes()
    (tmp_path / "i.zip").unlink()
    pack(tmp_path / "c.zip", {"ann.zip": inner, "bob.zip": deep, "cy.ipynb": NOTEBOOK})
    found = verdicts(find("c.zip"))
    assert (found["ann"], found["cy"]) == ("", "")
    assert "holds no notebook" in found["bob"]


def test_password_is_told(tmp_path: Path, find: Find) -> None:
    path = pack(tmp_path / "c.zip", {"m5.ipynb": NOTEBOOK})
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    content[at + 8 : at + 10] = b"\x01\x00"
    path.write_bytes(content)
    (why,) = verdicts(find("c.zip")).values()
    assert "c.zip” is protected by a password" in why


def test_one_damaged_member_costs_nobody_else(tmp_path: Path, find: Find) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for name in ("ann", "bob", "cy"):
            archive.writestr(f"{name}.ipynb", NOTEBOOK)
        archive.writestr("eve.ipynb", NOTEBOOK + " " * 77)
    patch(tmp_path / "c.zip", b" " * 77, b" " * 76 + b"x")
    intake = find("c.zip")
    found = verdicts(intake)
    assert "ends in the middle" in found.pop("eve")
    assert found == {"ann": "", "bob": "", "cy": ""}
    assert "Damaged in “c.zip”: eve.ipynb" in intake.warnings[0]


def test_sizes_that_lie_are_damage(tmp_path: Path, find: Find) -> None:
    path = pack(tmp_path / "c.zip", {"m5.ipynb": NOTEBOOK})
    size = struct.pack("<I", len(NOTEBOOK))
    patch(path, size, struct.pack("<I", 10))
    (why,) = verdicts(find("c.zip")).values()
    assert "damaged" in why or "ends in the middle" in why


def test_bomb_costs_its_own_submission_alone(
    tmp_path: Path, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.intake.archives.MAX_UNPACKED_BYTES", 3_000_000)
    bombs: dict[str, str | bytes] = {
        f"export/submission_1/{n}.ipynb": " " * 1_000_000 for n in range(50)
    }
    pack(tmp_path / "c.zip", {**bombs, "export/submission_2/m5.ipynb": NOTEBOOK})
    intake = find("c.zip")
    found = verdicts(intake)
    assert found["submission_2"] == "" and found["submission_1"]
    used = sum(path.stat().st_blocks * 512 for path in (tmp_path / "scratch").rglob("*"))
    assert used < 8_000_000


def test_bomb_of_one_file_is_cut_short(tmp_path: Path, find: Find) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ann.ipynb", NOTEBOOK)
        with archive.open("bomb.ipynb", "w", force_zip64=True) as member:
            for _ in range(80):
                member.write(b"\x00" * (1 << 20))
    found = verdicts(find("c.zip"))
    assert found["ann"] == "" and "larger than 64 MiB" in found["bomb"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda c: c[:-30], "damaged"),
        (lambda c: c.replace(b"m5.ipynb", b"m5\xff\xfe.nb_"), "no notebook"),
        (lambda c: b"PK\x05\x06" + b"\xff" * 18, "more than a class"),
        (lambda c: b"PK\x05\x06" + b"\0" * 18, "no notebook"),
        (lambda c: c[:-22] + b"PK\x06\x07" + b"\xff" * 16 + c[-22:], "damaged"),
    ],
)
def test_a_broken_archive_is_one_row(
    tmp_path: Path, find: Find, make: Callable[[bytes], bytes], says: str
) -> None:
    path = pack(tmp_path / "c.zip", {"m5.ipynb": NOTEBOOK})
    path.write_bytes(make(path.read_bytes()))
    (why,) = verdicts(find("c.zip")).values()
    assert "c.zip”" in why and says in why


def test_files_and_folders_of_one_name(tmp_path: Path, find: Find) -> None:
    long = "/".join(["x" * 90] * 60)
    pack(
        tmp_path / "c.zip",
        {"a": "x", "a/b.ipynb": NOTEBOOK, f"{long}/y.ipynb": NOTEBOOK, "z.ipynb": NOTEBOOK},
    )
    intake = find("c.zip")
    assert verdicts(intake) == {"z": ""}
    assert "a/b.ipynb" in intake.warnings[0]


def test_more_members_than_a_class_has(
    tmp_path: Path, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.intake.archives.MAX_CLASS_MEMBERS", 100)
    pack(tmp_path / "c.zip", {f"{n}.txt": "" for n in range(101)})
    (why,) = verdicts(find("c.zip")).values()
    assert "more than a class" in why


LISTS = {
    "aliases": "a: &a [x]\n"
    + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else '*a'] * 9)}]\n" for n in range(30)),
    "itself": "submission_1: &a\n  :submitters: [*a]\n",
    "types": "submission_1: [1]\n7: 8\nsubmission_2:\n  :submitters: {a: b}\n",
    "inner types": "submission_1:\n  :submitters: [[], 5, {':name': [1], ':email': {}}]\n",
    "twice": "submission_1: {}\nsubmission_1: {':submitters': 3}\n",
    "merge": "submission_1:\n  <<: {':submitters': []}\n",
    "tags": "submission_1: !!python/object/apply:os.system ['echo']\n",
    "list": "- submission_1\n",
    "two documents": "submission_1: {}\n---\nsubmission_2: {}\n",
    "tabs": "submission_1:\n\t:submitters: []\n",
    "keys": "? [a, b]\n: 1\n",
    "control": "submission_1: \x07\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_made_to_hurt_costs_no_submission(tmp_path: Path, find: Find, name: str) -> None:
    place = tmp_path / "export/submission_1"
    place.mkdir(parents=True)
    (place / "m5.ipynb").write_text(NOTEBOOK)
    (place.parent / "submission_metadata.yml").write_text(LISTS[name])
    began = time.process_time()
    intake = find("export")
    assert verdicts(intake)["submission_1"] == ""
    assert time.process_time() - began < 60  # nine to the power of thirty is more
    others = [each for each in intake.handins if each.submission != "submission_1"]
    assert all(handin.is_missing for handin in others)


def test_a_list_that_is_too_long_is_told(
    tmp_path: Path, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.intake.archives.MAX_EVENTS", 1_000)
    place = tmp_path / "export/submission_1"
    place.mkdir(parents=True)
    (place / "m5.ipynb").write_text(NOTEBOOK)
    lines = [f"submission_{n}: {{}}" for n in range(2_000)]
    (place.parent / "submission_metadata.yml").write_text("\n".join(lines))
    intake = find("export")
    assert verdicts(intake) == {"submission_1": ""}
    assert "submission_metadata.yml is damaged" in intake.warnings[0]


def test_time_for_an_export_grows_with_its_folders(tmp_path: Path) -> None:
    def seconds(count: int) -> float:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        export = folder / "export"
        for number in range(count):
            place = export / f"submission_{number}"
            place.mkdir(parents=True)
            (place / "m5.ipynb").write_text("{}")
        lines = [f"submission_{n}:\n  :submitters:\n  - :sid: '{n}'" for n in range(count)]
        (export / "submission_metadata.yml").write_text("\n".join(lines))
        scratch = folder / "scratch"
        scratch.mkdir()
        began = time.process_time()
        intake = collect([export], scratch=scratch, assignment_id=ASSIGNMENT)
        spent = time.process_time() - began
        assert len(intake.handins) == count
        return spent

    small = seconds(150)
    # Something may have disturbed one of them.
    assert any(seconds(2_400) < 3 * 16 * small for _ in range(2))
