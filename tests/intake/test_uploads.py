"""Uploads as students make them."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.core.errors import MalformedSubmission
from autograder.core.report import Student
from autograder.intake import Handin, read_submission
from autograder.intake.upload import find_notebook
from tests.notebooks import notebook, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "submission"
    made.mkdir()
    return made


def upload(folder: Path) -> Handin:
    scratch = folder.parent / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    handin = Handin(submission="s", path=folder, students=(Student(name="A"),))
    return find_notebook(handin, scratch=scratch, assignment_id="activity-m5")


def taken(folder: Path) -> str:
    """The code of the notebook that was taken, first cell."""
    found = upload(folder)
    submission = read_submission(found, assignment_id="activity-m5")
    assert (found.submission, found.name) == ("s", "A")
    return str(submission.notebook["cells"][0]["source"])


def refused(folder: Path) -> str:
    with pytest.raises(MalformedSubmission) as caught:
        read_submission(upload(folder), assignment_id="activity-m5")
    return str(caught.value)


def made(code: str, *, marked: bool = False) -> Any:
    built = notebook(code)
    if not marked:
        del built.metadata["activity_m5"]
    return built


@pytest.mark.parametrize(
    "name", ["m5.ipynb", "Entwurf (final) ü.ipynb", "M5.IPYNB", "m5.ipynb.txt", "m5", "m5.json"]
)
def test_one_notebook_under_any_name(folder: Path, name: str) -> None:
    write(folder / name, made("a = 1"))
    assert taken(folder) == "a = 1"


def test_a_folder_with_data_files(folder: Path) -> None:
    write(folder / "work/m5.ipynb", made("a = 1"))
    write(folder / "work/data.csv", "1,2")
    write(folder / "notes.json", '{"cells": 1}')
    write(folder / ".ipynb_checkpoints/m5-checkpoint.ipynb", made("old = 1"))
    write(folder / "__MACOSX/work/._m5.ipynb", b"\x00\x05")
    assert taken(folder) == "a = 1"


def test_a_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "homework.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("homework/m5.ipynb", nbformat.writes(made("a = 1")))
        archive.writestr("homework/data.csv", "1,2")
        archive.writestr("__MACOSX/homework/._m5.ipynb", b"\x00")
    assert taken(folder) == "a = 1"


def test_a_zip_in_a_zip(folder: Path) -> None:
    write(folder.parent / "m5.ipynb", made("a = 1"))
    with zipfile.ZipFile(folder.parent / "inner.zip", "w") as archive:
        archive.write(folder.parent / "m5.ipynb", "m5.ipynb")
    with zipfile.ZipFile(folder / "outer.zip", "w") as archive:
        archive.write(folder.parent / "inner.zip", "inner.zip")
    assert taken(folder) == "a = 1"


def test_an_executed_copy(folder: Path) -> None:
    built = made("a = 1")
    built.cells[0].outputs = [nbformat.v4.new_output("stream", text="x" * 1000)]
    built.cells[0].execution_count = 12
    write(folder / "m5.ipynb", built)
    assert taken(folder) == "a = 1"


def test_a_colab_copy_without_tags(folder: Path) -> None:
    built = made("a = 1")
    for cell in built.cells:
        cell.metadata.pop("tags", None)
        cell.metadata["id"] = "Xy12"
        del cell["id"]
    built.nbformat_minor = 0
    built.metadata = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}}
    write(folder / "Kopie von m5.ipynb", built)
    assert taken(folder) == "a = 1"


def test_of_two_the_marked_one_is_taken_and_named(folder: Path) -> None:
    write(folder / "a.ipynb", made("other = 1"))
    write(folder / "b.ipynb", made("mine = 1", marked=True))
    found = upload(folder)
    assert taken(folder) == "mine = 1"
    assert len(found.notes) == 1 and "“b.ipynb”" in found.notes[0]


def test_two_copies_of_one_answer_are_one(folder: Path) -> None:
    executed = made("mine = 1", marked=True)
    executed.cells[0].outputs = [nbformat.v4.new_output("stream", text="1")]
    write(folder / "m5.ipynb", made("mine = 1", marked=True))
    write(folder / "m5 (1).ipynb", executed)
    assert taken(folder) == "mine = 1"


@pytest.mark.parametrize("marked", [True, False])
def test_two_that_cannot_be_told_apart_are_refused_by_name(folder: Path, marked: bool) -> None:
    write(folder / "a.ipynb", made("one = 1", marked=marked))
    write(folder / "b.ipynb", made("two = 1", marked=marked))
    sentence = refused(folder)
    assert "“a.ipynb”" in sentence and "“b.ipynb”" in sentence and "Upload only" in sentence


def test_a_broken_one_beside_the_marked_one_does_no_harm(folder: Path) -> None:
    write(folder / "a.ipynb", "{")
    write(folder / "b.ipynb", made("mine = 1", marked=True))
    assert taken(folder) == "mine = 1"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("m5.html", "<html>", "web page"),
        ("m5.pdf", b"%PDF-1.7", "PDF"),
        ("m5.py", "import keras", "script"),
        ("m5.docx", b"PK\x03\x04", "document"),
        ("m5.keras", b"PK\x03\x04", "saved network"),
        ("m5.tar.gz", b"\x1f\x8b", "archive"),
    ],
)
def test_an_export_is_told_how_to_become_a_notebook(
    folder: Path, name: str, content: str | bytes, kind: str
) -> None:
    write(folder / name, content)
    sentence = refused(folder)
    assert kind in sentence and name in sentence and "Download .ipynb" in sentence


def test_a_zip_without_a_notebook(folder: Path) -> None:
    with zipfile.ZipFile(folder / "m5.zip", "w") as archive:
        archive.writestr("m5.html", "<html>")
    assert "holds no notebook" in refused(folder)


def test_nothing_at_all(folder: Path) -> None:
    assert "empty" in refused(folder)
    assert "empty" in refused(folder / "not there")


def test_a_notebook_with_a_dot_before_its_name_counts_if_there_is_no_other(folder: Path) -> None:
    write(folder / ".m5.ipynb", made("hidden = 1"))
    write(folder / "._m5.ipynb", b"\x00\x05\x16\x07")
    write(folder / ".ipynb_checkpoints/m5-checkpoint.ipynb", made("old = 1"))
    (folder / ".link.ipynb").symlink_to(write(folder.parent / "secret.ipynb", made("secret = 1")))
    assert taken(folder) == "hidden = 1"
    write(folder / "m5.ipynb", made("seen = 1"))
    assert taken(folder) == "seen = 1"


def test_links_are_not_followed(folder: Path) -> None:
    secret = write(folder.parent / "secret.ipynb", made("secret = 1"))
    (folder / "m5.ipynb").symlink_to(secret)
    (folder / "more").symlink_to(folder.parent)
    assert "empty" in refused(folder)
