"""submission_metadata.json, whole, in pieces, and hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autograder.gradescope.container import MAX_CHARACTERS, MAX_USERS, read_metadata
from autograder.intake import Handin

UPLOAD = Path("submission")
NOBODY = Handin(submission="submission", path=UPLOAD)


def read(tmp_path: Path, content: Any) -> Handin:
    path = tmp_path / "submission_metadata.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_metadata(path, UPLOAD)


def test_a_group(tmp_path: Path) -> None:
    users = [
        {"email": "ada@example.org", "id": 1, "name": "Ada  Lovelace"},
        {"email": "grace@example.org", "id": 2, "name": "Grace Hopper"},
    ]
    found = read(tmp_path, {"id": 123456, "users": users})
    assert found.submission == "submission_123456" and found.path == UPLOAD
    assert found.name == "Ada Lovelace, Grace Hopper"
    assert found.email == "ada@example.org, grace@example.org"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        {"users": None},
        {"users": {"name": "x"}},
        {"users": [1, None, [], {"name": 7, "email": None}, {"name": "\x00\u202e"}]},
        {"id": None},
        {"id": True},
        {"id": {"a": 1}},
        '{"id": NaN}',
    ],
)
def test_what_is_missing_or_something_else_is_left_out(tmp_path: Path, content: Any) -> None:
    assert read(tmp_path, content) == NOBODY


def test_no_file(tmp_path: Path) -> None:
    assert read_metadata(tmp_path / "none.json", UPLOAD) == NOBODY
    assert read_metadata(tmp_path, UPLOAD) == NOBODY


@pytest.mark.parametrize("number", ["../../etc", "a/b", "\x1b[2J", "x" * 500])
def test_the_number_is_a_safe_name(tmp_path: Path, number: str) -> None:
    name = read(tmp_path, {"id": number}).submission
    assert name.startswith("submission_") and len(name) < 60
    assert "/" not in name and name.isprintable()


def test_there_is_an_end_to_it(tmp_path: Path) -> None:
    users = [{"name": "n" * 10_000, "email": "e"}] * 1000
    found = read(tmp_path, {"users": users})
    names = [student.name for student in found.students if student.name]
    assert len(names) == MAX_USERS and len(names[0]) == MAX_CHARACTERS
