"""Does all of this hold for other graders as well: an ordinary user, and root in a container?"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests import stage

pytestmark = pytest.mark.heavy
STAGE_SECONDS = 1200.0


@pytest.mark.parametrize(
    ("kind", "boxes"),
    [
        ("ordinary", "namespaces-started"),
        pytest.param("container", "user", marks=pytest.mark.long),
        pytest.param("ordinary", "namespaces or plain", marks=pytest.mark.long),
        pytest.param("container", "user or plain", marks=pytest.mark.long),
    ],
)
def test_everything_holds_on_stage(kind: str, boxes: str) -> None:
    """What root tries without a stage too, boxes forked from a process with namespaces, plain ones
    and those of another user, is left to `make test-long`. That they hold in a container as well,
    the doctor finds out below, and tests/gradescope grades in them.
    """
    if reason := stage.is_possible(kind):
        pytest.skip(reason)
    tests = str(Path(__file__).parent)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, "-rs"]
    command += ["-k", f"not stages and ({boxes})"]
    done = stage.run(kind, command, timeout=STAGE_SECONDS)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed and int(passed.group(1)) >= 30, done.stdout[-3000:]
    assert "No kind of box" not in done.stdout, "a kind of box is missing:\n" + done.stdout[-3000:]


def test_without_namespaces_another_user_is_taken(root: Path) -> None:
    if reason := stage.is_possible("container"):
        pytest.skip(reason)
    command = [sys.executable, "-m", "autograder", "doctor"]
    done = stage.run("container", command, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Kind of box: user" in done.stdout
    assert "Passed over: namespaces" in done.stdout
    assert os.getuid() == 0
