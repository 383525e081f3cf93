"""What runs on when the grader itself is killed? Nobody is left then to close the box.

Children that made themselves daemons are another matter: see docs/architecture.md.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder.core.errors import BoxError
from autograder.sandbox import BoxKind, box
from tests.box.conftest import Lab

WAIT_SECONDS = 120.0
GRADER = """
import sys, time
from pathlib import Path
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox import BoxKind
from autograder.core.config import load_config

root, toolbox, kind, program = sys.argv[1:]
limits = load_config(Path(root, "otter_config.json")).limits
with Box(kind=BoxKind(kind), limits=limits, toolbox=Toolbox(root=Path(toolbox))) as box:
    box.run(program)
    print(box.scratch.root, flush=True)
    time.sleep(600)
"""
"""A grader whose box is as it would be with a submission in it."""

SLEEP = "import os, signal, threading, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
THREADS = SLEEP + "threading.Thread(target=time.sleep, args=(600,)).start()\ntime.sleep(600)\n"
DAEMON = (
    SLEEP + "if os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
    "time.sleep(600)\n"
)


@contextmanager
def grader(lab: Lab, root: Path, source: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process with an open box in which `source` runs, and the name of that program."""
    if lab.zygote is not None:
        pytest.skip("tests/test_warm_start.py does it with forked boxes")
    name = f"program-{uuid.uuid4().hex[:8]}.py"
    path = lab.toolbox.root / name
    path.write_text(source)
    path.chmod(0o444)
    arguments = [str(root), str(lab.toolbox.root), lab.kind.value, name]
    process = subprocess.Popen(
        [sys.executable, "-c", GRADER, *arguments],
        text=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    scratch = ""
    try:
        assert process.stdout is not None
        scratch = process.stdout.readline().strip()
        assert scratch, "the box did not start, so nothing is tested"
        yield process, name
    finally:
        process.kill()
        process.communicate()
        for pid in running(name):
            os.kill(pid, signal.SIGKILL)
        if scratch:
            subprocess.run(["rm", "-rf", "--", scratch], check=True)


def running(name: str) -> list[int]:
    """Processes, but for graders, that have the program `name` on their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        if process.info["status"] == psutil.STATUS_ZOMBIE or GRADER in command:
            continue
        if any(name in word for word in command):
            found.append(process.pid)
    return found


def wait_for(number: int, name: str) -> list[int]:
    """Processes of that program, once there are so many, or when it took too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while len(found := running(name)) != number and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("source", [SLEEP + "time.sleep(600)\n", THREADS], ids=["one", "threads"])
def test_a_box_ends_with_a_grader_that_is_killed(lab: Lab, root: Path, source: str) -> None:
    with grader(lab, root, source) as (process, name):
        assert running(name)
        process.kill()
        process.wait()
        assert not wait_for(0, name)


def test_daemons_end_with_a_killed_grader_where_they_can(lab: Lab, root: Path) -> None:
    if lab.kind is BoxKind.PLAIN:
        pytest.skip("nothing marks a daemon for certain")
    # The program and its daemon; two of bubblewrap.
    count = 4 if lab.kind is BoxKind.NAMESPACES else 2
    with grader(lab, root, DAEMON) as (process, name):
        assert len(wait_for(count, name)) == count
        process.kill()
        process.wait()
        assert not wait_for(0, name)


def test_a_program_whose_grader_is_gone_already_does_not_start(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lab.kind is BoxKind.NAMESPACES:
        pytest.skip("bubblewrap looks for itself")
    if lab.zygote is not None:
        pytest.skip("what is forked is not the grader's child")
    make = box.lock_specification
    gone = subprocess.Popen(["true"])
    gone.wait()

    def lock_for_another(**settings: Any) -> dict[str, object]:
        return {**make(**settings), "parent": gone.pid}

    monkeypatch.setattr(box, "lock_specification", lock_for_another)
    with pytest.raises(BoxError, match="the grader has ended"):
        lab.run("answer = 1\n")
