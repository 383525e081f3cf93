"""The temporary folder of a pool, which somebody removes even if the pool is killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from autograder.batch.messages import Setup

PREFIX = "m5-run-"
SETUP_NAME = "setup.json"


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
