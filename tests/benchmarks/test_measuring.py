"""What is measured around a program is what the program used."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from autograder.sandbox.box.limits import ControlGroup
from benchmarks.groups import Meter
from benchmarks.measuring import BenchmarkError, measure

TIMEOUT = 120.0
MEGABYTE = 1 << 20
BURN = """
import os, signal, subprocess, sys, time
burn = "import time\\nwhile time.process_time() < 1: pass\\n"
burn += "print('done', flush=True)\\ntime.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", burn], stdout=subprocess.PIPE)
child.stdout.readline()
os.kill(child.pid, signal.SIGKILL)
os._exit(0)  # without having waited for it
"""
HOLD = """
import pathlib, sys, time
held = bytearray(b"x") * (200 << 20)
pathlib.Path("held").touch()
while not pathlib.Path("enough").exists():
    time.sleep(0.05)
"""
LEAVE = """
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("child").write_text(str(child.pid))
"""


def has_groups() -> bool:
    with Meter.opened(None) as meter:
        return meter is not None


@pytest.fixture(params=[True, False], ids=["by group", "by process"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a control group, where there are any, and without."""
    if not request.param:
        monkeypatch.setattr(ControlGroup, "create", lambda **limits: None)


needs_groups = pytest.mark.skipif(not has_groups(), reason="no control group can be made here")


@needs_groups
def test_processor_time_counts_grandchildren_that_were_killed(tmp_path: Path) -> None:
    usage = measure([sys.executable, "-c", BURN], folder=tmp_path, timeout_seconds=TIMEOUT)
    assert usage.cpu_seconds >= 1
    assert usage.status == 0


@pytest.mark.usefixtures("way")
def test_memory_is_what_was_held(tmp_path: Path) -> None:

    def let_go() -> None:
        while not (tmp_path / "held").exists():
            time.sleep(0.05)
        time.sleep(3)  # it must have been looked at meanwhile, however slow the machine is
        (tmp_path / "enough").touch()

    threading.Thread(target=let_go, daemon=True).start()
    usage = measure([sys.executable, "-c", HOLD], folder=tmp_path, timeout_seconds=TIMEOUT)
    assert 200 * MEGABYTE <= usage.resident_bytes < 300 * MEGABYTE
    assert usage.charged_bytes is None or usage.charged_bytes >= 200 * MEGABYTE


@needs_groups
def test_a_limit_holds_and_what_comes_of_it_is_a_result(tmp_path: Path) -> None:
    (tmp_path / "enough").touch()
    usage = measure(
        [sys.executable, "-c", HOLD],
        folder=tmp_path,
        timeout_seconds=TIMEOUT,
        limit_bytes=100 * MEGABYTE,
        may_fail=True,
    )
    assert usage.status != 0
    assert usage.charged_bytes is not None and usage.charged_bytes <= 100 * MEGABYTE


def test_a_program_that_fails_has_no_time(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="the very reason"):
        measure(
            [sys.executable, "-c", "raise SystemExit('the very reason')"],
            folder=tmp_path,
            timeout_seconds=TIMEOUT,
        )


@pytest.mark.usefixtures("way")
def test_a_program_that_is_late_is_ended_with_its_children(tmp_path: Path) -> None:
    code = LEAVE + "import time; time.sleep(600)"
    with pytest.raises(BenchmarkError, match="not done after"):
        measure([sys.executable, "-c", code], folder=tmp_path, timeout_seconds=10)
    assert_gone(int((tmp_path / "child").read_text()))


@needs_groups
def test_what_a_program_leaves_behind_is_ended(tmp_path: Path) -> None:
    measure([sys.executable, "-c", LEAVE], folder=tmp_path, timeout_seconds=TIMEOUT)
    assert_gone(int((tmp_path / "child").read_text()))


def assert_gone(pid: int) -> None:
    for _ in range(600):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.1)
    raise AssertionError(f"Process {pid} is still there.")
