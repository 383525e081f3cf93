"""Files that somebody else may read, write or change meanwhile."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from autograder.core.files import NotPlain, read_plain_file, replace_file


def test_a_file_that_grows_while_it_is_read_is_refused() -> None:
    """The files of /proc say that they are empty, and have something in them."""
    folder = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert Path("/proc/self/status").stat().st_size == 0
        with pytest.raises(NotPlain, match="changed while it was read"):
            read_plain_file(folder, "status", max_bytes=1_000)
    finally:
        os.close(folder)


def test_of_two_that_replace_a_file_at_once_none_writes_into_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`m5 report` may draw the page that `m5 grade` is writing."""
    path, lock = tmp_path / "page.html", fcntl.flock
    seen: list[int] = []

    def another_comes_first(file: Any, how: int) -> None:
        if not seen:
            seen.append(how)
            replace_file(path, b"what the other one wrote")
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", another_comes_first)
    replace_file(path, b"ours")
    assert path.read_bytes() == b"ours" and seen == [fcntl.LOCK_EX]
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
