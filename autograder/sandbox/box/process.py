"""The first process of a box: started from nothing or forked, and heard to its last words."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import threading
from collections import deque
from dataclasses import dataclass

from autograder.core.errors import BoxError
from autograder.sandbox.box.command import BoxKind, bubblewrap_command, interpreter, readable_paths
from autograder.sandbox.box.folders import Scratch, Toolbox
from autograder.sandbox.box.marks import ControlGroup, is_root
from autograder.sandbox.box.zygote import ForkedProcess, Zygote

START_SECONDS = 30.0
"""For bubblewrap and an interpreter to start; takes 0.1 s on a machine that is not overloaded."""
MAX_STDERR_LINES = 40
LAST_WORDS_SECONDS = 2.0
"""For what a box wrote to standard error to be read, once it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that is needed to start a box's process.

    Attributes
    ----------
    specification
        For `inside/enter.py`, but for the status.
    environment
        The whole environment.
    zygote
        To fork from, as long as it lives.
    """

    kind: BoxKind
    scratch: Scratch
    toolbox: Toolbox
    cgroup: ControlGroup | None
    specification: dict[str, object]
    environment: dict[str, str]
    zygote: Zygote | None


class BoxProcess:
    """The first process of a box.

    Raises
    ------
    BoxError
        If it does not start.
    """

    def __init__(self, launch: Launch) -> None:
        self._said: deque[str] = deque(maxlen=MAX_STDERR_LINES)
        status_read, status_write = os.pipe()
        try:
            self._process = _fork(launch, status_write) or _start(launch, status_write)
        except BaseException:
            os.close(status_read)
            raise
        finally:
            os.close(status_write)
        self._status = status_read
        self._drain = threading.Thread(target=self._listen, daemon=True, name="m5-stderr")
        self._drain.start()

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

    @property
    def said(self) -> tuple[str, ...]:
        """The last lines that it wrote to standard error."""
        return tuple(self._said)

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

    def last_words(self) -> str:
        """What it said, for whoever wants to know why it ended."""
        self._drain.join(LAST_WORDS_SECONDS)
        return " ".join(self._said) or "it said nothing"

    def close(self) -> None:
        """Forget it, once nothing of the box runs any more; what it said is kept."""
        self._drain.join(LAST_WORDS_SECONDS)
        if not self._drain.is_alive() and self._process.stderr is not None:
            self._process.stderr.close()

    def _listen(self) -> None:
        """Keep the last lines of standard error; read the rest, so that nobody blocks on it."""
        assert self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while line := self._process.stderr.readline(4096):
                self._said.append(line.decode(errors="replace").rstrip())


def _fork(launch: Launch, status: int) -> ForkedProcess | None:
    if launch.zygote is None or not launch.zygote.is_alive:
        return None
    try:
        return launch.zygote.fork(
            # It is not the grader's child: the zygote knows whose.
            specification={**launch.specification, "parent": None},
            environment=launch.environment,
            scratch=launch.scratch,
            status=status,
            adopt=launch.cgroup.add if launch.cgroup else lambda pid: None,
        )
    except BoxError:
        # Nothing of it is left, and the box can do without.
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
