"""What is found in folders, and what it is called."""

from __future__ import annotations

import json
import os
import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_builders import ASSIGNMENT, notebook

from autograder.core.errors import MalformedSubmission
from autograder.core.text import safe_name
from autograder.intake import Handin, read_submission
from autograder.intake.collecting import collect
from autograder.intake.folders import names_of


def make(folder: Path, *names: str) -> Path:
    """Put a notebook at each name below `folder`."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(notebook()))
    return folder


def found_in(*paths: Path) -> tuple[Handin, ...]:
    """What is found in folders without archives and exports, which need no place to unpack."""
    with tempfile.TemporaryDirectory() as scratch:
        return collect(paths, scratch=Path(scratch), assignment_id=ASSIGNMENT).handins


def names(found: Sequence[Handin]) -> list[str]:
    return [handin.submission for handin in found]


def test_folder_is_searched_at_any_depth_in_order(tmp_path: Path) -> None:
    make(tmp_path, "b/x.ipynb", "a/deep/er/y.ipynb", "z.IPYNB", "w.ipynb.txt", "notes.txt")
    assert names(found_in(tmp_path)) == ["y", "x", "w", "z"]


@pytest.mark.parametrize("folder", [".ipynb_checkpoints", "__MACOSX", ".git", "a/.hidden/b"])
def test_copies_and_hidden_folders_are_skipped(folder: str, tmp_path: Path) -> None:
    make(tmp_path, "m5.ipynb", f"{folder}/m5-checkpoint.ipynb", "._m5.ipynb")
    assert names(found_in(tmp_path)) == ["m5"]


def test_file_named_twice_is_found_once(tmp_path: Path) -> None:
    make(tmp_path, "a/m5.ipynb", "b/m5.ipynb")
    again = tmp_path / "a" / ".." / "a" / "m5.ipynb"
    assert len(found_in(tmp_path / "a/m5.ipynb", tmp_path, again)) == 2


def test_links_are_rows_but_never_read(tmp_path: Path) -> None:
    secret = make(tmp_path / "secret", "answers.ipynb")
    class_folder = make(tmp_path / "class", "ann/m5.ipynb")
    try:
        (class_folder / "bob.ipynb").symlink_to(secret / "answers.ipynb")
        (class_folder / "cy").symlink_to(secret, target_is_directory=True)
        (class_folder / "loop").symlink_to(class_folder, target_is_directory=True)
        (class_folder / "folder.ipynb").symlink_to(secret, target_is_directory=True)
    except OSError:
        pytest.skip("no links on this system")
    found = found_in(class_folder)
    assert names(found) == ["m5", "bob", "folder"]
    for handin in found[1:]:
        with pytest.raises(MalformedSubmission, match="is a link"):
            read_submission(handin, assignment_id=ASSIGNMENT)


def test_folder_called_like_a_notebook_inside_a_folder(tmp_path: Path) -> None:
    (tmp_path / "m5.ipynb").mkdir()
    make(tmp_path, "full.ipynb/inner.ipynb")
    found = found_in(tmp_path)
    assert sorted(names(found)) == ["inner", "m5"]
    with pytest.raises(MalformedSubmission, match="is a folder"):
        read_submission(found[-1], assignment_id=ASSIGNMENT)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_in_a_folder_is_a_row(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m5.ipynb")
    assert names(found_in(tmp_path)) == ["m5"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m5", "m5"),
        ("Übung 数字 цифры", "Übung 数字 цифры"),
        (unicodedata.normalize("NFD", "Müller"), "Müller"),
        ("../../etc/passwd", "_.._etc_passwd"),
        (".hidden", "hidden"),
        ("a\x1b[31m\u202eb", "a_[31m_b"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("m5. ", "m5"),
        ("", "submission"),
        ("...", "submission"),
        ("\udcff", "_"),
        ("=1+1", "_=1+1"),
        ("＠x", "_＠x"),
        ("-" * 120, "_" + "-" * 99),
    ],
)
def test_names_are_safe(text: str, expected: str) -> None:
    assert safe_name(text) == expected


@given(st.text(st.characters(), max_size=300))
def test_any_text_gives_a_safe_name(text: str) -> None:
    name = safe_name(text)
    assert 1 <= len(name) <= 100
    assert len(name.encode()) <= 200
    assert not set(name) & set('/\\:*?"<>|\0')
    assert not name.startswith(".")
    assert name == name.strip(". ")
    assert unicodedata.is_normalized("NFC", name)
    assert safe_name(name) == name


@given(st.lists(st.sampled_from(["a", "A", "b", "a-2", "x" * 120, ".", "ß", "SS"]), max_size=12))
def test_names_of_a_batch_are_all_different(stems: list[str]) -> None:
    paths = [PurePath(f"f{i % 3}", f"{stem}.ipynb") for i, stem in enumerate(stems)]
    given_names = names_of(paths)
    assert len({name.casefold() for name in given_names}) == len(paths)
    assert all(name == safe_name(name) for name in given_names)


def test_clashing_names_get_their_folders() -> None:
    paths = ["ann/hw/m5.ipynb", "bob/hw/m5.ipynb", "bob/hw/M5.ipynb", "only.ipynb"]
    assert names_of([PurePath(path) for path in paths]) == [
        "ann_hw_m5",
        "bob_hw_m5",
        "bob_hw_M5-2",
        "only",
    ]


def test_a_number_takes_nobodys_name() -> None:
    paths = ["ann/m5.ipynb", "ann/m5.ipynb", "ann_m5-2.ipynb"]
    assert names_of([PurePath(path) for path in paths]) == [
        "ann_m5",
        "ann_m5-3",
        "ann_m5-2",
    ]
