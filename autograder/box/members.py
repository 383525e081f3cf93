"""The processes of one box, seen from outside, and their end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.core.processes import HELPERS

PR_SET_CHILD_SUBREAPER = 36
KILL_SECONDS = 10.0
"""How long to go on killing; a fork storm under a process limit ends within a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How many there are, and what they hold."""

    threads: int
    held_bytes: int


def descendants(pid: int) -> set[int]:
    """All living descendants of `pid`, itself included."""
    found: set[int] = set()
    pending = [pid]
    while pending:
        parent = pending.pop()
        if parent not in found:
            found.add(parent)
            pending += _children(parent)
    return {member for member in found if psutil.pid_exists(member)}


def _children(pid: int) -> list[int]:
    """Direct children; Linux lists them by thread, which is cheaper than to ask every process."""
    children: list[int] = []
    try:
        for thread in os.scandir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), Path(thread.path, "children").open() as file:
                children += [int(child) for child in file.read().split()]
    except FileNotFoundError:
        with contextlib.suppress(psutil.Error):
            children = [child.pid for child in psutil.Process(pid).children()]
    except OSError:
        pass
    return children


def owned_by(uid: int) -> set[int]:
    """All processes of the user `uid`."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == uid:
                    found.add(int(entry.name))
    return found


def take_census(pids: Iterable[int]) -> Census:
    """Count threads and memory; several processes share pages, which then count once.

    What counts is memory that cannot be taken back, swapped out or not. Pages of files (0.35 GB of
    TensorFlow's libraries) give way when memory gets short, and no container needs room for them.

    The proportional size costs the kernel a walk through the page tables, so it is asked for only
    where there are several large processes: for one, its own size says the same.
    """
    sizes: dict[int, int] = {}
    threads = 0
    for pid in pids:
        with contextlib.suppress(OSError, psutil.Error):
            if sys.platform == "linux":
                status = _read_fields(f"/proc/{pid}/status")
                threads += status.get("Threads", 0)
                held = ("RssAnon", "RssShmem", "VmSwap")  # none of them where a process has ended
                sizes[pid] = sum(status.get(name, 0) for name in held)
            else:
                process = psutil.Process(pid)
                threads += process.num_threads()
                sizes[pid] = process.memory_info().rss
    if sys.platform == "linux" and sum(size > LARGE_BYTES for size in sizes.values()) > 1:
        for pid in sizes:
            # Without the right to read it, the larger figure stands: the limit is then strict.
            with contextlib.suppress(OSError):
                shares = _read_fields(f"/proc/{pid}/smaps_rollup")
                if "Pss_Anon" in shares:  # since Linux 5.9
                    held = ("Pss_Anon", "Pss_Shmem", "SwapPss")
                    sizes[pid] = sum(shares.get(name, 0) for name in held)
    return Census(threads=threads, held_bytes=sum(sizes.values()))


def _read_fields(path: str) -> dict[str, int]:
    """The numbers in a file of /proc, in bytes where it has kilobytes."""
    fields: dict[str, int] = {}
    for line in Path(path).read_text().splitlines():
        name, _, rest = line.partition(":")
        number, _, unit = rest.strip().partition(" ")
        if number.isdigit():
            fields[name] = int(number) * (1024 if unit == "kB" else 1)
    return fields


def deleted_bytes(pids: Iterable[int]) -> int:
    """Disk space of files that are deleted but still open, which no folder shows any more."""
    files: dict[tuple[int, int], int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    status = entry.stat()
                    if status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
                        files[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(files.values())


LARGE_BYTES = 64 << 20
"""A process above this may share much with another: TensorFlow's libraries alone are larger."""


def kill_all(find: Callable[[], set[int]]) -> bool:
    """Kill what `find` finds until it finds nothing; True if nothing is left.

    Everything is stopped before anything is killed, so that nothing can start more meanwhile.
    """
    deadline = time.monotonic() + KILL_SECONDS
    while living := {pid for pid in find() if _is_living(pid)}:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in living:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _is_living(pid: int) -> bool:
    """False for processes that are gone, or dead and only waiting for their parent."""
    try:
        return bool(psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD))
    except psutil.Error:
        return False


def children_of_grader() -> set[int]:
    """Direct children of this process, without its own helpers."""
    return {child.pid for child in psutil.Process().children()} - HELPERS


def adopt_orphans() -> None:
    """Have the kernel hand orphaned descendants to this process, where they can be found."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(known: set[int]) -> None:
    """Take leave of dead processes that the box left to us, so that none stays a zombie."""
    for pid in children_of_grader() - known:
        with contextlib.suppress(OSError, psutil.Error):
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                os.waitpid(pid, os.WNOHANG)
