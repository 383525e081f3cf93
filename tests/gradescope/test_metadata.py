"""submission_metadata.json, whole, in pieces, and hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autograder.gradescope.container import MAX_CHARACTERS, MAX_USERS, Submitters, read_metadata

NOBODY = Submitters(submission="submission", names=(), emails=())


def read(tmp_path: Path, content: Any) -> Submitters:
    path = tmp_path / "submission_metadata.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_metadata(path)


def test_a_group(tmp_path: Path) -> None:
    users = [
        {"email": "ada@example.org", "id": 1, "name": "Ada  Lovelace"},
        {"email": "grace@example.org", "id": 2, "name": "Grace Hopper"},
    ]
    assert read(tmp_path, {"id": 123456, "users": users}) == Submitters(
        submission="submission_123456",
        names=("Ada Lovelace", "Grace Hopper"),
        emails=("ada@example.org", "grace@example.org"),
    )


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
    assert read_metadata(tmp_path / "none.json") == NOBODY
    assert read_metadata(tmp_path) == NOBODY


@pytest.mark.parametrize("number", ["../../etc", "a/b", "\x1b[2J", "x" * 500])
def test_the_number_is_a_safe_name(tmp_path: Path, number: str) -> None:
    name = read(tmp_path, {"id": number}).submission
    assert name.startswith("submission_") and len(name) < 60
    assert "/" not in name and name.isprintable()


def test_there_is_an_end_to_it(tmp_path: Path) -> None:
    users = [{"name": "n" * 10_000, "email": "e"}] * 1000
    found = read(tmp_path, {"users": users})
    assert len(found.names) == MAX_USERS and len(found.names[0]) == MAX_CHARACTERS
