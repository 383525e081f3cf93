"""What is left of a control group whose grader was killed?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from autograder.sandbox.box.limits import ControlGroup

LEAVE_ONE = """
import os, signal
from autograder.sandbox.box.limits import ControlGroup
group = ControlGroup.create(memory_bytes=1 << 28, processes=50)
print(*group.folders, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def create() -> ControlGroup:
    group = ControlGroup.create(memory_bytes=1 << 28, processes=50)
    if group is None:
        pytest.skip("no control group can be made here")
    return group


def test_the_next_grader_takes_away_what_a_killed_one_left() -> None:
    mine = create()
    left = subprocess.run([sys.executable, "-c", LEAVE_ONE], capture_output=True, text=True)
    orphans = left.stdout.split()
    folders = [folder for folder in mine.folders[0].parent.iterdir() if str(folder) in orphans]
    assert len(folders) == 1, left.stderr
    other = create()
    try:
        assert not folders[0].exists()
        assert all(folder.exists() for folder in mine.folders), "its owner lives"
    finally:
        other.remove()
        mine.remove()
    assert not any(folder.exists() for folder in (*mine.folders, *other.folders))
