"""Limits that no single system call enforces: watched by a process that nothing here can delay."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable

from autograder.core.errors import BoxError
from autograder.core.processes import HELPERS
from autograder.core.verdict import Ending
from autograder.sandbox.guard import Finding, Watched, command

FAREWELL_SECONDS = 6.0
"""For the guard's last look at the disk: a second where there are as many files as are allowed."""


class Watchdog:
    """The grader's end of a guard: a process that looks, and at the first breach kills.

    Parameters
    ----------
    kill
        Ends everything in the box; called when the guard has ended untold, since nothing is
        watched any more.

    Raises
    ------
    BoxError
        If the guard cannot be started.
    """

    def __init__(self, *, kill: Callable[[], object]) -> None:
        self._kill = kill
        self._finding: Finding | None = None
        self._listener = threading.Thread(target=self._listen, name="m5-watchdog", daemon=True)
        try:
            self._process = subprocess.Popen(
                command(path for path in sys.path if path),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd="/",
                # Ctrl-C is for the grader, which then says so.
                start_new_session=True,
            )
        except OSError as error:
            raise BoxError(f"The watchdog could not be started: {error}.") from error
        HELPERS.add(self._process.pid)

    @property
    def breach(self) -> Ending | None:
        """The limit that was overstepped; known once it has stopped."""
        return self._finding.breach if self._finding else None

    @property
    def peak_bytes(self) -> int:
        """The most memory that was seen in use; known once it has stopped."""
        return self._finding.peak_bytes if self._finding else 0

    def start(self, watched: Watched) -> None:
        """Begin to look."""
        self._tell(watched.to_line())
        self._listener.start()

    def stop(self) -> None:
        """Look once more, for what happened since the last time, and end; may be called twice.

        Raises
        ------
        BoxError
            If it had ended before it was told to.
        """
        if self._listener.ident is None:
            self._end()
            return
        self._tell(b"\n")
        self._listener.join(FAREWELL_SECONDS)
        self._end()
        if self._finding is None:
            raise BoxError(
                f"The watchdog of the box ended by itself (status {self._process.returncode}), so "
                "the box was ended too: nothing would have kept it to its limits. Look for what "
                "ends processes of the grader, such as a lack of memory, and grade again."
            )

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        # If it has ended, the listener knows.
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            self._finding = Finding.from_line(line)
        else:
            self._kill()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        HELPERS.discard(self._process.pid)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
