"""Limits that no single system call enforces: watched from outside, and answered with a kill."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum

from autograder.box.members import Census
from autograder.box.scratch import MAX_ENTRIES, Usage
from autograder.config import Limits

CENSUS_SECONDS = 0.1
"""Between two looks at memory and processes. Touching fresh memory at 3 GB/s overshoots by
0.3 GB, which the machine must be able to bear; a control group, where there is one, has none."""
DISK_EVERY = 5
"""Looks at the disk are dearer: one for so many looks at memory."""


class Breach(Enum):
    """The limit that was overstepped."""

    MEMORY = "memory"
    PROCESSES = "processes"
    DISK = "disk"


class Watchdog:
    """A thread that looks, and at the first breach kills.

    Parameters
    ----------
    limits
        What the box may use.
    census
        Counts the box's processes and memory.
    usage
        Measures the box's disk space.
    kill
        Ends everything in the box.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        census: Callable[[], Census],
        usage: Callable[[], Usage],
        kill: Callable[[], object],
    ) -> None:
        self._limits = limits
        self._census = census
        self._usage = usage
        self._kill = kill
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="m5-watchdog", daemon=True)
        self.breach: Breach | None = None
        self.peak_bytes = 0

    @property
    def is_started(self) -> bool:
        """Whether it has begun to look."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look once more, for what happened since the last time, and end."""
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join()
            if self.breach is None and self._disk_is_full():
                self.breach = Breach.DISK

    def _watch(self) -> None:
        rounds = 0
        while not self._stop.wait(CENSUS_SECONDS):
            rounds += 1
            census = self._census()
            self.peak_bytes = max(self.peak_bytes, census.held_bytes)
            if census.held_bytes > self._limits.memory_bytes:
                self.breach = Breach.MEMORY
            elif census.threads > self._limits.processes:
                self.breach = Breach.PROCESSES
            elif rounds % DISK_EVERY == 0 and self._disk_is_full():
                self.breach = Breach.DISK
            if self.breach is not None:
                self._kill()
                return

    def _disk_is_full(self) -> bool:
        usage = self._usage()
        return usage.bytes > self._limits.scratch_bytes or usage.entries > MAX_ENTRIES
