"""One grading process, from its start to its end, and the folder in which it and others lie."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from multiprocessing import Pipe
from pathlib import Path

import msgspec

from autograder.batch.messages import BEGIN, Setup
from autograder.core.errors import BoxError
from autograder.core.processes import (
    HELPERS,
    adopt_orphans,
    children,
    descendants,
    kill_all,
    reap_orphans,
)
from autograder.sandbox.box.command import THREAD_VARIABLES

STOP_SECONDS = 6.0
"""For a process that was told to end to close its box; it ends itself after 4."""
MAX_SAID_CHARACTERS = 600
PREFIX = "m5-run-"
SETUP_NAME = "setup.json"
CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]); "
    "from autograder.batch.worker import main; main(int(sys.argv[1]), sys.argv[2])"
)

_ours: set[int] = set()
"""Process ids of all grading processes that this one has started: these are not orphans."""
_starting = threading.Lock()
"""Held while a process is started, or orphans are looked for: a Dask worker does so in threads."""


class GradingProcess:
    """A process that runs `autograder.batch.worker`.

    Parameters
    ----------
    folder
        Made, and taken away at the end: all its temporary files lie there.
    setup_file
        A `Setup`, as JSON; it is read when the process is told to begin.
    threads
        For its numerical libraries.

    Attributes
    ----------
    link
        To speak with it.
    submission
        What it is grading, if anything.
    since
        When it was given that (monotonic seconds).
    """

    def __init__(self, *, folder: Path, setup_file: Path, threads: int) -> None:
        self.submission: str | None = None
        self.since = time.monotonic()
        self._folder = folder
        folder.mkdir()
        # A box of another user must get through.
        folder.chmod(0o711)
        self.link, theirs = Pipe()
        paths = json.dumps([path for path in sys.path if path])
        arguments = [str(theirs.fileno()), str(setup_file), paths]
        with _starting, theirs, self._log.open("wb") as log:
            # Children that are not grading processes, from before the first of ours.
            self._strangers = children(os.getpid()) - HELPERS - _ours
            adopt_orphans()
            try:
                self._process = subprocess.Popen(
                    # Isolated, so that no file beside a submission is taken for a module.
                    [sys.executable, "-I", "-c", CODE, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env={
                        **os.environ,
                        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
                        "TMPDIR": str(folder),
                    },
                    pass_fds=(theirs.fileno(),),
                    # Ctrl-C is for the one who hands out the work.
                    start_new_session=True,
                )
            except OSError as error:
                raise BoxError(f"No grading process could be started: {error}.") from error
            _ours.add(self.pid)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def _log(self) -> Path:
        return self._folder.with_suffix(".log")

    @property
    def last_words(self) -> str:
        """Why it ended, in a sentence."""
        status = self._process.returncode
        if status < 0:
            name = signal.Signals(-status).name
            return f"The process that graded it was ended by {name}, perhaps for lack of memory."
        said = self._log.read_text(encoding="utf-8", errors="replace").strip()
        return (
            f"The process that graded it ended with status {status}: {said[-MAX_SAID_CHARACTERS:]}"
        )

    def begin(self) -> None:
        """Have it read its setup, and take work; until then it imports what it will need."""
        # If the process is gone, whoever waits for its answers will find out.
        with contextlib.suppress(OSError):
            self.link.send_bytes(BEGIN)

    def tell_to_end(self) -> None:
        """Hang up: it then closes its box, and ends."""
        self.link.close()

    def end(self, *, at_once: bool = False, deadline: float | None = None) -> None:
        """Wait until it has ended, and take away whatever it left: its boxes, and their files.

        Parameters
        ----------
        at_once
            Do not wait.
        deadline
            Until when to wait for it to end by itself (monotonic seconds).
        """
        self.tell_to_end()
        if at_once:
            self._process.kill()
        left = STOP_SECONDS if deadline is None else max(0.0, deadline - time.monotonic())
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(left)
        if self._process.poll() is None:
            kill_all(lambda: descendants(self.pid))
            self._process.wait()
        with _starting:
            _ours.discard(self.pid)
            # What a killed process left running: the kernel has made it a child of ours.
            for pid in children(os.getpid()) - HELPERS - self._strangers - _ours:
                kill_all(partial(descendants, pid))
            reap_orphans(self._strangers | _ours)
            for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
                subprocess.run([*command, "--", str(self._folder)], capture_output=True)


# ---------------------------------------------------------------------- where its files lie


class Workplace:
    """A folder for the setup of grading processes, locked for as long as its owner lives."""

    def __init__(self) -> None:
        _remove_abandoned()
        self.root = Path(tempfile.mkdtemp(prefix=PREFIX))
        # A box of another user must get through; the one file in it is for us alone.
        self.root.chmod(0o711)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._lock = os.open(self.setup_file, flags, 0o600)
        # Locked before anything is in it, so that what can be read and locked was abandoned.
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def write(self, setup: Setup) -> None:
        """Put the setup there, before any process is told to begin."""
        self.setup_file.write_bytes(msgspec.json.encode(setup))

    @property
    def setup_file(self) -> Path:
        """A `Setup`, as JSON."""
        return self.root / SETUP_NAME

    def remove(self) -> None:
        """Delete it."""
        shutil.rmtree(self.root, ignore_errors=True)
        os.close(self._lock)


def remove_workplace(root: Path) -> None:
    """Delete the folder of somebody who was killed, and all else that was left."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        setup = msgspec.json.decode((root / SETUP_NAME).read_bytes(), type=Setup)
        for folder in setup.leftovers:
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(root, ignore_errors=True)


def _remove_abandoned() -> None:
    """Clean up after earlier runs of this user that were killed with all their processes."""
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            status = root.lstat()
            if status.st_uid != os.geteuid() or root.is_symlink():
                continue
            lock = os.open(root / SETUP_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(lock).st_size and os.fstat(lock).st_uid == os.geteuid():
                    remove_workplace(root)
            finally:
                os.close(lock)
