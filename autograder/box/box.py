"""One box for one submission: opened, used, and taken away with all that was in it."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import select
import socket
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from types import TracebackType

import psutil

from autograder.box.cgroup import ControlGroup
from autograder.box.command import (
    DEVICES,
    BoxKind,
    bubblewrap_command,
    environment,
    find_bubblewrap,
    readable_paths,
)
from autograder.box.members import Census, descendants, kill_all, owned_by, take_census
from autograder.box.scratch import Scratch, Usage
from autograder.box.toolbox import Toolbox
from autograder.box.watchdog import Breach, Watchdog
from autograder.config import Limits
from autograder.errors import BoxError

START_SECONDS = 30.0
"""For bubblewrap and an interpreter to start; takes 0.1 s on a machine that is not overloaded."""
MAX_STDERR_LINES = 40
USER_IDS = range(50_000, 60_000)
"""Above what systems give to people and services, below what they give to containers."""
PR_SET_CHILD_SUBREAPER = 36
SHARED_MEMORY = "/dev/shm"
ADDRESS_SLACK_BYTES = 8 << 30
"""Thread stacks and reserved memory count as data though nobody touches them; the exact limit is
the watchdog's or the control group's, this one only stops a balloon between two looks."""


class Box:
    """A closed place for one program and its children.

    Use it as a context manager: ``with Box.open(...) as box: box.run(...)``. Leaving it kills
    every process in it and deletes its files, whatever happened.

    Attributes
    ----------
    scratch
        The only folders that it can write to.
    layers
        What the program inside reported while it locked itself in, such as
        ``{"landlock": 7, "seccomp": 1}``; a text instead of a number says why there is none.
    """

    def __init__(
        self, *, kind: BoxKind, limits: Limits, toolbox: Toolbox, scratch: Scratch, uid: int | None
    ) -> None:
        self.kind = kind
        self.scratch = scratch
        self.layers: dict[str, int | str] = {}
        self._limits = limits
        self._toolbox = toolbox
        self._uid = uid
        self._process: subprocess.Popen[bytes] | None = None
        self._cgroup: ControlGroup | None = None
        self._stderr: deque[str] = deque(maxlen=MAX_STDERR_LINES)
        self._strangers = _children_of_grader()
        if kind is BoxKind.PLAIN:
            _adopt_orphans()
        self._watchdog = Watchdog(
            limits=limits, census=self._census, usage=self._usage, kill=self.kill
        )
        self._closed = False

    @classmethod
    def open(
        cls, *, kind: BoxKind, limits: Limits, toolbox: Toolbox, parent: Path | None = None
    ) -> Box:
        """Make the box; nothing runs in it yet.

        Raises
        ------
        BoxError
            If its folders cannot be made.
        """
        uid = _free_user_id() if _is_root() and kind is not BoxKind.PLAIN else None
        if kind is BoxKind.USER and uid is None:
            raise BoxError("Only root can run a box as another user.")
        scratch = Scratch.create(uid=uid, parent=parent)
        return cls(kind=kind, limits=limits, toolbox=toolbox, scratch=scratch, uid=uid)

    def __enter__(self) -> Box:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ run

    def run(self, program: str, *arguments: str) -> None:
        """Start the one program of this box, by this Python in isolated mode.

        Parameters
        ----------
        program
            Name of a program of `inside/`.

        Raises
        ------
        BoxError
            If it did not get as far as to be locked in.
        """
        status_read, status_write = os.pipe()
        self._cgroup = ControlGroup.create(
            memory_bytes=self._limits.memory_bytes, processes=self._limits.processes
        )
        command = [*self._prefix(), sys.executable, "-I", str(self._toolbox.program("enter.py"))]
        command.append(json.dumps(self._specification(program, arguments, status_write)))
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment(self.scratch),
                cwd="/",
                pass_fds=(status_write,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(status_read)
            raise BoxError(f"The box could not be started: {error}.") from error
        finally:
            os.close(status_write)
        threading.Thread(target=self._drain, daemon=True, name="m5-stderr").start()
        try:
            self.layers = self._read_status(status_read)
        finally:
            os.close(status_read)
        self._watchdog.start()

    def _prefix(self) -> list[str]:
        prefix: list[str] = []
        if self._cgroup is not None:
            # The shell joins the group before it becomes the box, so that nothing escapes it.
            join = " && ".join(
                f'echo $$ > "{folder}/cgroup.procs"' for folder in self._cgroup.folders
            )
            prefix = ["/bin/sh", "-c", f'{join} && exec "$@"', "sh"]
        if self.kind is BoxKind.NAMESPACES:
            bwrap = find_bubblewrap()
            if bwrap is None:
                raise BoxError("bubblewrap is not installed.")
            prefix += bubblewrap_command(
                bwrap,
                scratch=self.scratch,
                readable=readable_paths(self._toolbox.root),
                as_root=_is_root(),
            )
        return prefix

    def _specification(
        self, program: str, arguments: tuple[str, ...], status: int
    ) -> dict[str, object]:
        limits = {
            "CORE": 0,
            "FSIZE": self._limits.file_bytes,
            "DATA": self._limits.memory_bytes + ADDRESS_SLACK_BYTES,
            "NOFILE": 4096,
            "MSGQUEUE": 0,
        }
        if self._uid is not None:
            # Counted by user, so only of use where nobody else is this user.
            limits["NPROC"] = self._limits.processes
        writable = [str(folder) for folder in self.scratch.writable]
        writable += [f"/dev/{name}" for name in DEVICES]
        if self.kind is BoxKind.NAMESPACES:
            writable += ["/tmp", "/var/tmp"]
        if self.kind is not BoxKind.PLAIN:
            # Where `multiprocessing` keeps its locks. A user of its own can be swept up after.
            writable.append(SHARED_MEMORY)
        return {
            "limits": limits,
            "uid": self._uid,
            "read": [*readable_paths(self._toolbox.root), "/proc", "/sys/devices/system"],
            "write": writable,
            "landlock": True,
            "seccomp": True,
            "same_user": self.kind is BoxKind.PLAIN,
            "connect": self.kind is BoxKind.NAMESPACES,
            "cwd": str(self.scratch.work),
            "run": [str(self._toolbox.program(program)), *arguments],
            "status": status,
        }

    def _read_status(self, status: int) -> dict[str, int | str]:
        text = b""
        while select.select([status], [], [], START_SECONDS)[0]:
            part = os.read(status, 4096)
            text += part
            if not part:
                break
        try:
            layers: dict[str, int | str] = json.loads(text)
        except ValueError:
            self.kill()
            said = " ".join(self._stderr) or "it said nothing"
            raise BoxError(f"A box of kind {self.kind.value} did not start: {said}.") from None
        return layers

    def _drain(self) -> None:
        """Keep the last lines of standard error; read the rest, so that nobody blocks on it."""
        assert self._process is not None and self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while line := self._process.stderr.readline(4096):
                self._stderr.append(line.decode(errors="replace").rstrip())

    # ------------------------------------------------------------------ look

    @property
    def is_alive(self) -> bool:
        """Whether the program of the box is still running."""
        return self._process is not None and self._process.poll() is None

    @property
    def breach(self) -> Breach | None:
        """The limit for which the box was ended, if it was."""
        if self._watchdog.breach is None and self._cgroup and self._cgroup.ran_out_of_memory():
            return Breach.MEMORY
        return self._watchdog.breach

    @property
    def stderr(self) -> tuple[str, ...]:
        """The last lines that the program wrote to standard error."""
        return tuple(self._stderr)

    @property
    def peak_bytes(self) -> int:
        """The most memory seen in use."""
        charged = self._cgroup.peak_bytes() if self._cgroup else None
        return charged or self._watchdog.peak_bytes

    def members(self) -> set[int]:
        """Process ids of all that runs in the box."""
        if self._process is None:
            return set()
        found = self._cgroup.members() if self._cgroup else set()
        if self.kind is BoxKind.NAMESPACES:
            return found | descendants(self._process.pid)
        if self._uid is not None:
            return found | owned_by(self._uid)
        # Orphans come back to the grader, which made itself their next of kin.
        for child in _children_of_grader() - self._strangers:
            found |= descendants(child)
        return found | descendants(self._process.pid)

    def _usage(self) -> Usage:
        if self.kind is not BoxKind.USER:
            return self.scratch.usage()
        return self.scratch.usage(shared=SHARED_MEMORY, owner=self._uid)

    def _census(self) -> Census:
        return take_census(self.members())

    # ------------------------------------------------------------------ end

    def kill(self) -> bool:
        """End every process in the box; True if none is left."""
        gone = kill_all(self.members)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
        return gone

    def stop(self) -> None:
        """End every process, keep the files: for reading what was left behind.

        Raises
        ------
        BoxError
            If a process could not be ended.
        """
        if not self.kill():
            raise BoxError(f"Processes of the box {self.scratch.root} could not be ended.")
        if self._watchdog.is_started:
            self._watchdog.stop()

    def close(self) -> None:
        """End every process and delete every file; may be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self.stop()
        finally:
            if self._cgroup is not None:
                self._cgroup.remove()
            if self._uid is not None:
                _sweep(self._uid)
            _reap_orphans(self._strangers)
            self.scratch.remove()


def _is_root() -> bool:
    return os.geteuid() == 0


def _children_of_grader() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def _adopt_orphans() -> None:
    """Have the kernel hand orphaned descendants to this process, where they can be found."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _free_user_id() -> int:
    """A user id that no process has, and that no other grader takes at the same moment."""
    used = {process.uids().real for process in psutil.process_iter() if process.is_running()}
    for uid in random.sample(USER_IDS, k=len(USER_IDS)):
        if uid not in used and _claim(uid):
            return uid
    raise BoxError("No free user id is left for the box.")


_claims: dict[int, socket.socket] = {}


def _claim(uid: int) -> bool:
    """Hold a name that only one process can hold, for as long as this process lives."""
    if uid in _claims:
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0m5-uid-{uid}")
    except OSError:
        claim.close()
        return False
    _claims[uid] = claim
    return True


def _sweep(uid: int) -> None:
    """Remove what a box user left where everybody may write, should no layer have kept it out."""
    for folder in ("/tmp", "/var/tmp", SHARED_MEMORY):
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == uid:
                        subprocess.run(["rm", "-rf", "--", entry.path], capture_output=True)


def _reap_orphans(known: set[int]) -> None:
    """Take leave of dead processes that the box left to us, so that none stays a zombie."""
    for pid in _children_of_grader() - known:
        with contextlib.suppress(OSError, psutil.Error):
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                os.waitpid(pid, os.WNOHANG)
