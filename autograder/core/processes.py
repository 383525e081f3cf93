"""Processes of this machine, seen from outside: whose they are, what they hold, how they are ended.

The standard library alone on Linux, so that a process which must start within some milliseconds
can use it too.
"""

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

HELPERS: set[int] = set()
"""Process ids of living helpers of this process, such as the clerk and the guards: whoever looks
for what a box or a grading process has left behind passes these over."""
PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): orphaned descendants become children of this process."""
PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that this process gets when the thread that started it ends."""
LISTS_CHILDREN = Path("/proc/thread-self/children").exists()
"""Whether Linux lists the children of a thread: it can be built without."""
KILL_SECONDS = 8.0
"""How long to go on killing; a fork storm under a process limit ends within a second."""
LARGE_BYTES = 64 << 20
"""A process above this may share much with another: TensorFlow's libraries alone are larger."""
CGROUPS = Path("/sys/fs/cgroup")
ENDED = frozenset({"Z", "X", ""})
"""States of a process that has ended, in /proc/PID/stat; nothing where it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How many threads there are, and how much memory they hold."""

    threads: int
    held_bytes: int


# ---------------------------------------------------------------------------- who there is


def descendants(pid: int) -> set[int]:
    """All descendants of `pid` that have not been waited for, itself included."""
    found: set[int] = set()
    pending = [pid]
    while pending:
        parent = pending.pop()
        if parent not in found:
            found.add(parent)
            pending += _children_by_thread(parent)
    return {member for member in found if _state(member)}


def children(pid: int) -> set[int]:
    """Direct children of `pid`: every process is asked, so that none is passed over."""
    found: set[int] = set()
    if sys.platform != "linux":
        import psutil

        with contextlib.suppress(psutil.Error):
            found.update(child.pid for child in psutil.Process(pid).children())
        return found
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            fields = _stat_fields(int(entry.name))
            if len(fields) > 1 and fields[1] == str(pid):
                found.add(int(entry.name))
    return found


def _children_by_thread(pid: int) -> list[int]:
    """Direct children; Linux lists them by thread, which is cheaper than to ask every process."""
    if not LISTS_CHILDREN:
        return list(children(pid))
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.scandir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), Path(thread.path, "children").open() as file:
                found += [int(child) for child in file.read().split()]
    return found


def owned_by(uid: int) -> set[int]:
    """All processes of the user `uid`."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == uid:
                    found.add(int(entry.name))
    return found


def listed_in(groups: Iterable[Path]) -> set[int]:
    """All processes of these control groups, by the groups' folders."""
    found: set[int] = set()
    for folder in groups:
        with contextlib.suppress(OSError, ValueError):
            found.update(int(pid) for pid in (folder / "cgroup.procs").read_text().split())
    return found


def is_living(pid: int) -> bool:
    """False for processes that are gone, or dead and only waiting for their parent."""
    return _state(pid) not in ENDED


def _state(pid: int) -> str:
    """One letter, as in /proc/PID/stat; empty where there is no such process."""
    if sys.platform == "linux":
        return (_stat_fields(pid) or [""])[0]
    import psutil

    with contextlib.suppress(psutil.Error):
        ended = psutil.Process(pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        return "Z" if ended else "R"
    return ""


def _stat_fields(pid: int) -> list[str]:
    """State, parent and so on from /proc/PID/stat, what comes after the name; empty if gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  (asked ten times a second)
            # The name is in parentheses, and may itself hold some.
            return file.read().rpartition(b")")[2].decode("ascii").split()
    except OSError:
        return []


# ---------------------------------------------------------------------------- what they hold


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
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                status = _read_fields(f"/proc/{pid}/status")
                threads += status.get("Threads", 0)
                held = ("RssAnon", "RssShmem", "VmSwap")  # none of them where a process has ended
                sizes[pid] = sum(status.get(name, 0) for name in held)
        else:
            import psutil

            with contextlib.suppress(psutil.Error):
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
    """The numbers in a file of /proc, in bytes where it has kilobytes.

    Read as bytes, since a process names itself as it likes.
    """
    fields: dict[str, int] = {}
    for line in Path(path).read_bytes().split(b"\n"):
        name, _, rest = line.partition(b":")
        number, _, unit = rest.strip().partition(b" ")
        if number.isdigit():
            fields[name.decode("latin-1")] = int(number) * (1024 if unit == b"kB" else 1)
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


# ---------------------------------------------------------------------------- what there is


def container_bytes(groups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Memory that this container may use: the least of all limits above us, and of the machine's.

    In a container the path in ``/proc/self/cgroup`` often is the host's, while the tree that is
    mounted begins at the container itself; so folders that are not there are passed over.
    """
    found: list[int] = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = ["0::/"]
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            found += _limits_above(groups, path, "memory.max")
        elif "memory" in controllers.split(","):
            found += _limits_above(groups / "memory", path, "memory.limit_in_bytes")
    return min(found)


def _limits_above(mount: Path, path: str, name: str) -> list[int]:
    folder = Path("/" + path.strip("/"))
    found = []
    for part in (folder, *folder.parents):
        try:
            found.append(int((mount / str(part).lstrip("/") / name).read_text()))
        except (OSError, ValueError):  # ValueError: "max"
            continue
    return found


# ---------------------------------------------------------------------------- their end


def kill_all(find: Callable[[], set[int]]) -> bool:
    """Kill what `find` finds until it finds nothing; True if nothing is left.

    Everything is stopped before anything is killed, so that nothing can start more meanwhile.
    """
    deadline = time.monotonic() + KILL_SECONDS
    while living := {pid for pid in find() if is_living(pid)}:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in living:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def end_children() -> None:
    """End every process below this one, however far; those that it has adopted among them."""
    us = os.getpid()
    kill_all(lambda: descendants(us) - {us})
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def adopt_orphans() -> None:
    """Have Linux hand orphaned descendants to this process, where they can be found."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent(parent: int) -> None:
    """Have Linux kill this process when `parent` ends, which may have happened already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def reap_orphans(known: set[int]) -> None:
    """Wait for dead children that are not `known`, so that none of them stays a zombie."""
    for pid in children(os.getpid()) - known - HELPERS:
        if _state(pid) == "Z":
            with contextlib.suppress(OSError):
                os.waitpid(pid, os.WNOHANG)
