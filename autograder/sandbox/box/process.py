"""The first process of a box: started from nothing or forked, and heard to its last words."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import psutil

from autograder.core.errors import BoxError
from autograder.sandbox import BoxKind
from autograder.sandbox.box.command import bubblewrap_command, interpreter, readable_paths
from autograder.sandbox.box.folders import Scratch, Toolbox, is_root
from autograder.sandbox.box.limits import ControlGroup

START_SECONDS = 30.0
"""For bubblewrap and an interpreter to start; takes 0.1 s on a machine that is not overloaded."""
POLL_SECONDS = 0.02
MAX_STDERR_LINES = 40
LAST_WORDS_SECONDS = 2.0
"""For what a box wrote to standard error to be read, once it has ended."""


class ForkedProcess:
    """The first process of a forked box, looked after as `subprocess.Popen` looks after its own."""

    def __init__(self, *, pid: int, stderr: IO[bytes]) -> None:
        self.stderr = stderr
        self.follow(pid)

    def follow(self, pid: int) -> None:
        """Look after another process from now on: the one that this one started and left."""
        self.pid = pid
        with contextlib.suppress(psutil.Error):
            # Holds the time of its start too, so that another with its number is not taken for it.
            self._process: psutil.Process | None = psutil.Process(pid)
            return
        self._process = None

    def poll(self) -> int | None:
        """None while it runs; how it ended only its parent knows."""
        with contextlib.suppress(psutil.Error):
            if (
                self._process is not None
                and self._process.is_running()
                and self._process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
            ):
                return None
        return 0

    def wait(self, timeout: float) -> int:
        """Wait for its end.

        Raises
        ------
        subprocess.TimeoutExpired
            If it still runs after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(POLL_SECONDS)
        return code


class LastWords:
    """The last lines that a process writes to standard error.

    All of it is read, by a thread, so that the process never waits for somebody to read it.
    """

    def __init__(self, process: ForkedProcess | subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        self._stream = process.stderr
        self._lines: deque[str] = deque(maxlen=MAX_STDERR_LINES)
        self._reader = threading.Thread(target=self._read, daemon=True, name="m5-stderr")
        self._reader.start()

    @property
    def lines(self) -> tuple[str, ...]:
        """Those that have come so far."""
        return tuple(self._lines)

    @property
    def text(self) -> str:
        """The same in one line, for a sentence."""
        return " ".join(self._lines) or "it said nothing"

    def wait(self) -> None:
        """Wait for the end of what a process that has ended wrote."""
        self._reader.join(LAST_WORDS_SECONDS)

    def close(self) -> None:
        """Read no more, once nothing writes any more; what was read is kept."""
        self.wait()
        if not self._reader.is_alive():
            self._stream.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := self._stream.readline(4096):
                self._lines.append(line.decode(errors="replace").rstrip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that is needed to start a box's process.

    Attributes
    ----------
    specification
        For `inside/enter.py`, but for the status.
    environment
        The whole environment.
    """

    kind: BoxKind
    scratch: Scratch
    toolbox: Toolbox
    cgroup: ControlGroup | None
    specification: dict[str, object]
    environment: dict[str, str]


class BoxProcess:
    """The first process of a box.

    Attributes
    ----------
    words
        What it said last, which is kept after its end.

    Parameters
    ----------
    fork
        How to fork it, given a descriptor for its status as well; None to start it from nothing,
        which is done too where it cannot be forked.

    Raises
    ------
    BoxError
        If it does not start.
    """

    def __init__(
        self, launch: Launch, fork: Callable[[Launch, int], ForkedProcess] | None = None
    ) -> None:
        status_read, status_write = os.pipe()
        try:
            self._process = self._begin(launch, fork, status_write)
        except BaseException:
            os.close(status_read)
            raise
        finally:
            os.close(status_write)
        self._status = status_read
        self.words = LastWords(self._process)

    def _begin(
        self,
        launch: Launch,
        fork: Callable[[Launch, int], ForkedProcess] | None,
        status: int,
    ) -> ForkedProcess | subprocess.Popen[bytes]:
        if fork is not None:
            # Nothing of it is left where it fails, and the box can do without.
            with contextlib.suppress(BoxError):
                return fork(launch, status)
        return _start(launch, status)

    @property
    def pid(self) -> int:
        """Process id, as the grader counts."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it is still running."""
        return self._process.poll() is None

    @property
    def is_forked(self) -> bool:
        """Whether it was forked from a zygote."""
        return isinstance(self._process, ForkedProcess)

    def wait(self, seconds: float) -> None:
        """Wait for its end, at most so long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=seconds)

    def wait_until_locked(self) -> dict[str, int | str] | None:
        """Which layers came about; None if it did not get that far. To be called once."""
        text = b""
        try:
            while select.select([self._status], [], [], START_SECONDS)[0]:
                part = os.read(self._status, 4096)
                text += part
                if not part:
                    break
        finally:
            os.close(self._status)
        try:
            notes = [json.loads(line) for line in text.splitlines()]
            layers: dict[str, int | str] = notes[-1]
            if isinstance(self._process, ForkedProcess) and len(notes) > 1:
                # What was forked has forked what goes on, in namespaces of its own.
                self._process.follow(int(notes[0]["pid"]))
            return layers
        except (ValueError, IndexError, KeyError):
            return None


def _start(launch: Launch, status: int) -> subprocess.Popen[bytes]:
    command = launch.cgroup.prefix() if launch.cgroup else []
    if launch.kind is BoxKind.NAMESPACES:
        command += bubblewrap_command(
            scratch=launch.scratch,
            readable=readable_paths(launch.toolbox.root),
            as_root=is_root(),
        )
    command += [interpreter(), "-s", str(launch.toolbox.program("enter.py"))]
    command.append(json.dumps({**launch.specification, "status": status}))
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=launch.environment,
            cwd="/",
            pass_fds=(status,),
            start_new_session=True,
        )
    except OSError as error:
        raise BoxError(f"The box could not be started: {error}.") from error
