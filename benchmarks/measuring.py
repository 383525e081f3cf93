"""One whole process, with all that it starts, measured from outside.

Wall time is taken around it. Processor time and memory come from a control group of its own, where
one may be made; elsewhere from adding up what its processes are seen to hold, which counts shared
pages more than once, and to have used.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.groups import Meter

SAMPLE_SECONDS = 0.2
"""Between two looks; a look takes some milliseconds."""
SAID_CHARACTERS = 2000


class BenchmarkError(Exception):
    """A program did not do what it was measured at: its time would mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process and its descendants used up.

    Attributes
    ----------
    status
        Its exit status; negative for a signal.
    charged_bytes
        The most that its control group was charged with, page cache included; None without one.
    resident_bytes
        The most that they held together beside page cache, as seen in samples.
    largest_bytes
        The most that any one of them held, by role; only with `by_role`.
    said
        The end of what was written.
    """

    wall_seconds: float
    cpu_seconds: float
    status: int
    charged_bytes: int | None
    resident_bytes: int
    largest_bytes: dict[str, int]
    said: str


@dataclass(slots=True, kw_only=True, eq=False)
class _Sampler:
    """Looks at a process and its descendants until it is told to stop."""

    pid: int
    meter: Meter | None
    by_role: bool
    resident_bytes: int = 0
    largest_bytes: dict[str, int] = field(default_factory=dict)
    cpu_seconds: dict[tuple[int, float], float] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Sample until `stop` is set."""
        while True:
            with contextlib.suppress(psutil.Error, OSError):
                held = self._look_at_processes() if self.by_role or self.meter is None else 0
                if self.meter is not None:
                    held = self.meter.resident_bytes()
                self.resident_bytes = max(self.resident_bytes, held)
            if self.stop.wait(SAMPLE_SECONDS):
                return

    def _look_at_processes(self) -> int:
        total = 0
        root = psutil.Process(self.pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                held, spent = process.memory_info().rss, process.cpu_times()
                total += held
                role = role_of(process.cmdline())
                self.largest_bytes[role] = max(held, self.largest_bytes.get(role, 0))
                who = (process.pid, process.create_time())
                self.cpu_seconds[who] = spent.user + spent.system
        return total


def role_of(command: Sequence[str]) -> str:
    """What a process of the grader's is there for, by its command line."""
    line = " ".join(command)
    if "autograder.batch.worker" in line:
        return "checks"
    if "bwrap" in line or "enter.py" in line:
        return "box"
    return "command"


def measure(
    command: Sequence[str | Path],
    *,
    folder: Path,
    timeout_seconds: float,
    environment: Mapping[str, str] | None = None,
    limit_bytes: int | None = None,
    by_role: bool = False,
    may_fail: bool = False,
) -> Usage:
    """Run a command to its end.

    Parameters
    ----------
    folder
        Where it runs; what it says goes into ``said.txt`` there.
    environment
        Added to that of this process.
    limit_bytes
        Of its control group, page cache included; None for no limit.
    by_role
        Look at each of its processes too, which takes a little of the processor.
    may_fail
        Whether an exit status other than 0 is a result as well.

    Raises
    ------
    BenchmarkError
        If it fails, takes too long, or a limit was asked for that cannot be set.
    """
    said, is_late = folder / "said.txt", threading.Event()
    with Meter.opened(limit_bytes) as meter, said.open("wb") as output:
        if meter is None and limit_bytes is not None:
            raise BenchmarkError("No control group can be made here, so memory has no limit.")
        prefix = meter.group.prefix() if meter else []
        started = time.perf_counter()
        process = subprocess.Popen(
            [*prefix, *map(str, command)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        sampler = _Sampler(pid=process.pid, meter=meter, by_role=by_role)
        watching = threading.Thread(target=sampler.run, daemon=True)
        watching.start()
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            is_late.set()
        finally:
            wall = time.perf_counter() - started
            sampler.stop.set()
            watching.join()
            _end(process)
        spent = meter.cpu_seconds() if meter else None
        charged = meter.group.peak_bytes() if meter else None
    text = said.read_text(encoding="utf-8", errors="replace")[-SAID_CHARACTERS:]
    name = " ".join(map(str, command))
    if is_late.is_set():
        raise BenchmarkError(f"{name}: not done after {timeout_seconds:.0f} s.\n{text}")
    if process.returncode != 0 and not may_fail:
        raise BenchmarkError(f"{name}: ended with {process.returncode}.\n{text}")
    return Usage(
        wall_seconds=wall,
        cpu_seconds=sum(sampler.cpu_seconds.values()) if spent is None else spent,
        status=process.returncode,
        charged_bytes=charged,
        resident_bytes=sampler.resident_bytes,
        largest_bytes=sampler.largest_bytes,
        said=text,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that is still there, and all below it."""
    if process.poll() is not None:
        return
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(process.pid)
        for each in (*root.children(recursive=True), root):
            with contextlib.suppress(psutil.Error):
                each.kill()
    process.wait()
