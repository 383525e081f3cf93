"""What is read of a file that somebody else may change meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.core.files import NotPlain, read_plain_file


def test_a_file_that_grows_while_it_is_read_is_refused() -> None:
    """The files of /proc say that they are empty, and have something in them."""
    folder = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert Path("/proc/self/status").stat().st_size == 0
        with pytest.raises(NotPlain, match="changed while it was read"):
            read_plain_file(folder, "status", max_bytes=1_000)
    finally:
        os.close(folder)
