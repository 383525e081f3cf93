"""Can the watchdog be kept from looking, or be done without? Limits must strike all the same."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from autograder.core.errors import BoxError
from autograder.core.processes import is_living, take_census
from autograder.sandbox import Ending
from autograder.sandbox.box import Box
from autograder.sandbox.guard import Disk, read_line
from tests.box.conftest import PROGRAM_SECONDS, Lab

MEGABYTE = 1 << 20
HELD_SECONDS = 100
"""How long nobody else in this process gets a turn, if nothing ends the box meanwhile."""
WRITE = (
    "import time\nanswer = None\n"
    "for n in range(2000):\n"
    f"    with open(f'f{{n}}', 'wb') as file: file.write(b'x' * {4 * MEGABYTE})\n"
    "    time.sleep(0.02)\n"
)
EAT = (
    "import time\nanswer = None\nheld = []\n"
    "for n in range(2000):\n"
    f"    held.append(bytearray(b'x') * {4 * MEGABYTE})\n"
    f"    with open('held', 'w') as file: file.write(str((n + 1) * {4 * MEGABYTE}))\n"
    "    time.sleep(0.02)\n"
)


@contextlib.contextmanager
def busy_threads(count: int) -> Iterator[None]:
    """Threads in loops of Python, which take every turn that they can get."""
    done = threading.Event()

    def turn() -> None:
        while not done.is_set():
            sum(range(1000))

    threads = [threading.Thread(target=turn) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def hold_the_interpreter(pid: int) -> bool:
    """Let no thread here run until the process has ended; whether it did so in time.

    As a regular expression may: `PyDLL` calls a function of C without giving up Python's lock.
    """
    handle = os.pidfd_open(pid)
    try:
        readable = ctypes.create_string_buffer(struct.pack("@ihh", handle, select.POLLIN, 0))
        return ctypes.PyDLL(None).poll(readable, 1, 1000 * HELD_SECONDS) == 1
    finally:
        os.close(handle)


@pytest.mark.skipif(sys.platform != "linux", reason="waits as Linux does")
def test_limits_strike_while_no_thread_here_can_run(lab: Lab) -> None:
    limit = 96 * MEGABYTE
    # One each, since it takes so long.
    breach = Ending.DISK_FULL if lab.zygote is None else Ending.OUT_OF_MEMORY
    changes = {Ending.DISK_FULL: "scratch_bytes", Ending.OUT_OF_MEMORY: "memory_bytes"}
    with lab.box(**{changes[breach]: limit}) as box:
        lab.start(box, WRITE if breach is Ending.DISK_FULL else EAT)
        program = max(box.members())
        with busy_threads(2):
            assert hold_the_interpreter(program), "the limit did not strike"
        run = lab.wait(box)
        used, _ = Disk(folders=(str(box.scratch.work),), shared=None, owner=None).measure()
        if breach is Ending.OUT_OF_MEMORY:
            used = int((box.scratch.work / "held").read_text() or "0")
    assert run.breach is breach
    assert used < 4 * limit


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; nothing where it has just ended, as guards of other tests do."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def guard_of(box: Box) -> psutil.Process:
    """The process that watches the box: the youngest of ours that is a guard."""
    guards = [
        child
        for child in psutil.Process().children()
        if any("sandbox.guard" in word for word in words_of(child))
    ]
    return max(guards, key=psutil.Process.create_time)


def test_a_box_whose_guard_is_gone_is_ended_and_gives_no_result(lab: Lab) -> None:
    with pytest.raises(BoxError, match="watchdog"), lab.box() as box:
        lab.start(box, "import time\ntime.sleep(600)\nanswer = 1\n")
        guard_of(box).kill()
        deadline = time.monotonic() + PROGRAM_SECONDS
        while box.is_alive and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not box.is_alive
    assert not any(map(is_living, box.members()))
    assert not box.scratch.root.exists()


def test_no_guard_outlives_its_box(lab: Lab) -> None:
    with lab.box() as box:
        lab.start(box, "answer = 1\n")
        guard = guard_of(box)
        lab.wait(box)
    assert not guard.is_running()


def test_processes_may_call_themselves_anything(lab: Lab) -> None:
    run = lab.run(
        "import ctypes, os, time\nlibc = ctypes.CDLL(None)\n"
        "for name in (b'\\xff\\xfe', b'\\rThreads: 0', b'a) Z 1 (\\n', b'\\x85VmSwap: 1'):\n"
        "    if os.fork() == 0: libc.prctl(15, name, 0, 0, 0); time.sleep(60); os._exit(0)\n"
        "libc.prctl(15, b'\\xff', 0, 0, 0)\ntime.sleep(0.5)\n"
        f"open('f', 'wb').write(b'x' * {12 * MEGABYTE})\n"
        "time.sleep(60)\nanswer = 1\n",
        scratch_bytes=8 * MEGABYTE,
    )
    assert run.breach is Ending.DISK_FULL, run.stderr


def test_memory_is_counted_whatever_a_process_is_called() -> None:
    code = (
        "import ctypes, time; ctypes.CDLL(None).prctl(15, b'\\xff\\rThreads: 0', 0, 0, 0); "
        f"held = bytearray(b'x') * {64 * MEGABYTE}; print(1, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        census = take_census({process.pid})
        assert census.threads == 1
        assert census.held_bytes > 64 * MEGABYTE
    finally:
        process.kill()
        process.communicate()


def test_what_comes_after_a_line_is_left_to_be_read() -> None:
    ours, theirs = os.pipe()
    with os.fdopen(theirs, "wb") as file:
        file.write(b'{"a": 1}\n\n')
    with os.fdopen(ours, "rb") as file:
        assert read_line(file.fileno()) == b'{"a": 1}'
        assert file.read() == b"\n"
