"""Grading processes on this machine; any of them may die, and the rest goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Protocol

import msgspec
import psutil

from autograder.batch.messages import Answer, CellRan, Job, Lost, Setup, decode_answer
from autograder.batch.process import STOP_SECONDS, GradingProcess, Workplace
from autograder.core.config import Limits
from autograder.core.processes import container_bytes
from autograder.core.text import encode

OVERHEAD_SECONDS = 900.0
"""What a submission may take beside its cells: to start, to export, to measure; generous, since
it only serves to notice a process that is stuck."""
JOB_BYTES = 1_600_000_000
"""What one submission takes: TensorFlow with all of MNIST in a network of the course's size was
seen to hold 1.2 GB, the process that grades it 0.25 GB, and the clerk of that 0.06 GB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a submission that a pool was given."""

    submission: str
    answer: Answer


class Pool(Protocol):
    """Takes submissions, gives answers."""

    @property
    def free(self) -> int:
        """How many more submissions it can take now."""

    def submit(self, job: Job) -> None:
        """Take one; its name must not be in hand already."""

    def wait(self, seconds: float) -> list[Event]:
        """What has happened; waits for something to happen, at most so long."""

    def close(self) -> None:
        """End everything, wherever it runs; what is in hand is given up."""


class HeadStart:
    """The workplace of a pool that is yet to be opened, and its first process.

    While submissions are collected and boxes tried, the process imports what it will need: about
    a second, which one submission alone would wait for.
    """

    def __init__(self, place: Workplace, process: GradingProcess) -> None:
        self._place, self._process = place, process
        self.is_taken = False

    def take(self) -> tuple[Workplace, GradingProcess]:
        """Hand both over, to be ended and removed by whoever asks; once."""
        assert not self.is_taken
        self.is_taken = True
        return self._place, self._process


@contextlib.contextmanager
def head_start(*, threads: int) -> Iterator[HeadStart]:
    """Start; what nobody has taken by the end is ended and removed."""
    place = Workplace()
    try:
        process = GradingProcess(
            folder=place.root / "w0", setup_file=place.setup_file, threads=threads
        )
    except BaseException:
        place.remove()
        raise
    ahead = HeadStart(place, process)
    try:
        yield ahead
    finally:
        if not ahead.is_taken:
            process.end(at_once=True)
            place.remove()


class LocalPool(contextlib.AbstractContextManager["LocalPool"]):
    """Grading processes of this machine; a context manager.

    Parameters
    ----------
    setup
        Given to each of them.
    size
        How many at most; they are started when there is something to do.
    job_seconds
        After so long a process is taken for stuck, and ended; None for what the limits allow.
    owned
        A folder to be removed with the pool.
    ahead
        What was started before the setup was known; belongs to the pool from now on.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        size: int,
        job_seconds: float | None = None,
        owned: Path | None = None,
        ahead: HeadStart | None = None,
    ) -> None:
        self._size = size
        self._job_seconds = job_seconds or setup.config.longest_seconds + OVERHEAD_SECONDS
        self._owned = owned
        self._threads = setup.config.verification.threads
        self._processes: list[GradingProcess] = []
        self._started = 0
        self._last = time.monotonic()
        self._spare: GradingProcess | None = None
        if ahead is None:
            self._place = Workplace()
        else:
            self._place, self._spare = ahead.take()
        self._place.write(setup)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def free(self) -> int:
        """Processes without work, started or not."""
        return self._size - sum(process.submission is not None for process in self._processes)

    @property
    def idle_seconds(self) -> float:
        """Since it was last given something, or gave something back."""
        return time.monotonic() - self._last

    @property
    def pids(self) -> list[int]:
        """The processes' ids."""
        return [process.pid for process in self._processes]

    def submit(self, job: Job) -> None:
        """Give the submission to a process that has none."""
        idle = [process for process in self._processes if process.submission is None]
        process = idle[0] if idle else self._start()
        process.submission, process.since = job.submission, time.monotonic()
        self._last = process.since
        # If the process is gone this cannot be sent: `wait` will find out, and say so.
        with contextlib.suppress(OSError):
            process.link.send_bytes(encode(job))

    def wait(self, seconds: float) -> list[Event]:
        """See `Pool.wait`."""
        by_link = {id(process.link): process for process in self._processes}
        events: list[Event] = []
        if by_link:
            for link in wait([process.link for process in self._processes], seconds):
                events += self._hear(by_link[id(link)])
        for process in list(self._processes):
            busy = time.monotonic() - process.since if process.submission else 0.0
            if busy > self._job_seconds:
                events += self._bury(process, f"It was not done after {busy:.0f} s.")
        return events

    def _start(self) -> GradingProcess:
        self._started += 1
        process, self._spare = self._spare, None
        if process is None:
            process = GradingProcess(
                folder=self._place.root / f"w{self._started}",
                setup_file=self._place.setup_file,
                threads=self._threads,
            )
        self._processes.append(process)
        process.begin()
        return process

    def _hear(self, process: GradingProcess) -> list[Event]:
        try:
            answer = decode_answer(process.link.recv_bytes())
        except (EOFError, ConnectionResetError):
            return self._bury(process, "")
        except (OSError, msgspec.MsgspecError) as error:
            return self._bury(process, f"The process that graded it said nothing clear: {error}.")
        if process.submission is None:
            return []
        event = Event(submission=process.submission, answer=answer)
        if not isinstance(answer, CellRan):
            process.submission = None
            self._last = time.monotonic()
        return [event]

    def _bury(self, process: GradingProcess, reason: str) -> list[Event]:
        """Take a process away; the submission that it had is lost, for that reason or its own."""
        process.end(at_once=bool(reason))
        self._processes.remove(process)
        if process.submission is None:
            return []
        lost = Lost(reason=reason or process.last_words)
        return [Event(submission=process.submission, answer=lost)]

    def close(self) -> None:
        """See `Pool.close`; all at once, so that it takes as long as the slowest."""
        deadline = time.monotonic() + STOP_SECONDS
        if self._spare is not None:
            self._spare.end(at_once=True)
        for process in self._processes:
            process.tell_to_end()
        for process in self._processes:
            process.end(deadline=deadline)
        self._processes.clear()
        self._place.remove()
        if self._owned is not None:
            shutil.rmtree(self._owned, ignore_errors=True)


def default_jobs(limits: Limits) -> int:
    """As many as cores and free memory allow, at least one."""
    need = min(JOB_BYTES, limits.memory_bytes)
    return max(1, min(cores(), _free_bytes() // need))


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_bytes() -> int:
    return min(int(psutil.virtual_memory().available), container_bytes())
