"""The watchdog's own process: looks at one box, and ends it at the first limit overstepped.

``main()`` reads one line from standard input, a JSON object with the fields of `Watched`, and
looks until the next line comes: then it looks once more, and writes one line to standard output,
with the fields of `Finding`. Where standard input ends instead, the grader is gone, and the box is
ended.

A process rather than a thread, since whatever holds Python's interpreter lock in the grader (a
regular expression, a long number, a library) would keep a thread from looking. The standard
library alone, since one is started for each notebook.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.core.processes import (
    children,
    deleted_bytes,
    descendants,
    kill_all,
    listed_in,
    owned_by,
    take_census,
)
from autograder.sandbox import Ending

CENSUS_SECONDS = 0.1
"""Between two looks at memory and processes. Touching fresh memory at 3 GB/s overshoots by
0.3 GB, which the machine must be able to bear; a control group, where there is one, has none."""
DISK_SECONDS = 0.5
"""At most, between two looks at a disk that is quickly looked at."""
DISK_PATIENCE = 50.0
"""How much longer to wait than the last look at the disk took: 2 % of a processor."""
MAX_ENTRIES = 200_000
"""Files and folders; a notebook that makes more is flooding the disk with names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """How to find the processes of a box.

    Attributes
    ----------
    first
        Its first process.
    user
        A user id that nothing else has, or None.
    adopter
        The process that its orphans are handed to, or None where something else marks them.
    strangers
        Children of the adopter that are none of the box's.
    groups
        Folders of its control group.
    """

    first: int
    user: int | None
    adopter: int | None
    strangers: tuple[int, ...]
    groups: tuple[str, ...]

    def find(self) -> set[int]:
        """Process ids of all that runs in the box."""
        found = descendants(self.first) | listed_in(map(Path, self.groups))
        if self.user is not None:
            found |= owned_by(self.user)
        if self.adopter is not None:
            for child in children(self.adopter) - set(self.strangers) - {os.getpid()}:
                found |= descendants(child)
        return found

    def find_often(self) -> set[int]:
        """The same at a tenth of the price where there is a control group.

        TensorFlow has dozens of threads, and each has to be asked for the children it started.
        """
        return listed_in(map(Path, self.groups)) or self.find()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Where a box may write, and how much.

    Attributes
    ----------
    folders
        Its own.
    shared
        A folder that others write to as well, or None.
    owner
        The user id whose files count, or None for all.
    """

    folders: tuple[str, ...]
    shared: str | None
    owner: int | None

    def measure(self) -> tuple[int, int]:
        """Bytes and entries in use; stops counting at `MAX_ENTRIES`."""
        total = entries = 0
        tops = (*self.folders, *([self.shared] if self.shared else []))
        try:
            for top in filter(os.path.isdir, tops):
                # By descriptor, since a path may become longer than the kernel takes.
                for _, folders, files, handle in os.fwalk(top, follow_symlinks=False):
                    for name in (*folders, *files):
                        entries += 1
                        if entries > MAX_ENTRIES:
                            return total, entries
                        with contextlib.suppress(OSError):
                            status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                            if self.owner is None or status.st_uid == self.owner:
                                total += status.st_blocks * 512
        except (RecursionError, OSError):
            # Folders in folders, deeper than can be followed: nobody's honest work.
            entries = MAX_ENTRIES + 1
        return total, entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What to look at, and the limits."""

    members: Members
    disk: Disk
    memory_bytes: int
    processes: int
    disk_bytes: int

    def to_line(self) -> bytes:
        """As `from_line` reads it."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Watched:
        """Read what `to_line` wrote."""
        fields = json.loads(line)
        members, disk = Members(**fields.pop("members")), Disk(**fields.pop("disk"))
        return cls(members=members, disk=disk, **fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen until the end.

    Attributes
    ----------
    breach
        The limit that was overstepped, or None.
    peak_bytes
        The most memory that was seen in use.
    """

    breach: Ending | None
    peak_bytes: int

    def to_line(self) -> bytes:
        """As `from_line` reads it."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Finding:
        """Read what `to_line` wrote."""
        fields = json.loads(line)
        breach = fields.pop("breach")
        return cls(breach=Ending(breach) if breach else None, **fields)


class Guard:
    """Looks at one box until something can be read from the descriptor `told`."""

    def __init__(self, watched: Watched, told: int) -> None:
        self._watched = watched
        self._told = told
        self._breach: Ending | None = None
        self._peak_bytes = 0
        self._disk_full = False
        self._disk_failed = False
        self._stop = threading.Event()
        self._disk_looker = threading.Thread(target=self._look_at_disk, daemon=True)

    def watch(self) -> None:
        """Look, and end the box at the first breach, until it is told to stop."""
        self._disk_looker.start()
        while not select.select([self._told], [], [], CENSUS_SECONDS)[0]:
            if self._breach is not None:
                continue
            census = take_census(self._watched.members.find_often())
            self._peak_bytes = max(self._peak_bytes, census.held_bytes)
            if self._disk_failed:
                raise OSError("the disk could not be looked at")
            self._breach = self._breach_of(census.held_bytes, census.threads)
            if self._breach is not None:
                kill_all(self._watched.members.find)

    def finish(self) -> Finding:
        """Look at the disk once more, for what happened since the last time."""
        self._stop.set()
        self._disk_looker.join()
        if self._breach is None and self._is_disk_full():
            self._breach = Ending.DISK_FULL
        return Finding(breach=self._breach, peak_bytes=self._peak_bytes)

    def _breach_of(self, held_bytes: int, threads: int) -> Ending | None:
        if held_bytes > self._watched.memory_bytes:
            return Ending.OUT_OF_MEMORY
        if threads > self._watched.processes:
            return Ending.TOO_MANY_PROCESSES
        return Ending.DISK_FULL if self._disk_full else None

    def _look_at_disk(self) -> None:
        """In a thread of its own: so many files that it takes seconds hide no memory meanwhile."""
        try:
            took = 0.0
            while not self._disk_full and not self._stop.wait(_pause(took)):
                started = time.monotonic()
                self._disk_full = self._is_disk_full()
                took = time.monotonic() - started
        except Exception:
            self._disk_failed = True
            raise

    def _is_disk_full(self) -> bool:
        used, entries = self._watched.disk.measure()
        used += deleted_bytes(self._watched.members.find_often())
        return used > self._watched.disk_bytes or entries > MAX_ENTRIES


def _pause(took: float) -> float:
    return max(CENSUS_SECONDS, min(DISK_PATIENCE * took, DISK_SECONDS), 2 * took)


def read_line(descriptor: int) -> bytes:
    """A line, byte by byte: what comes after it is left to be waited for."""
    line = b""
    while (byte := os.read(descriptor, 1)) not in (b"", b"\n"):
        line += byte
    return line


def main(told: int = 0, heard: int = 1) -> None:
    """Watch one box; see the module."""
    if not (line := read_line(told)):
        return  # the box did not start
    watched = Watched.from_line(line)
    guard = Guard(watched, told)
    guard.watch()
    if os.read(told, 1):
        os.write(heard, guard.finish().to_line())
    else:
        kill_all(watched.members.find)


def command(paths: Iterable[str]) -> list[str]:
    """The command line of a guard, which finds its modules in `paths`."""
    code = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
        "from autograder.sandbox.guard import main; main()"
    )
    # Isolated, and without a look for installed packages: that would double the time to start.
    # So this package is found by its place alone: installed editable, it is in none of `paths`.
    ours = str(Path(__file__).resolve().parents[2])
    return [sys.executable, "-I", "-S", "-c", code, json.dumps([ours, *paths])]
