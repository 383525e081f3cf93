"""The box: a closed place for code that nobody has read.

One for each submission: opened, used, and taken away with all that was in it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from autograder.core.config import Limits
from autograder.core.errors import BoxError
from autograder.core.processes import HELPERS, adopt_orphans, children, kill_all, reap_orphans
from autograder.sandbox import BoxKind, Ending
from autograder.sandbox.box.command import environment, lock_specification, readable_paths
from autograder.sandbox.box.folders import (
    SHARED_MEMORY,
    Scratch,
    Toolbox,
    free_user_id,
    give_back,
    is_root,
    sweep,
)
from autograder.sandbox.box.limits import ControlGroup, Watchdog
from autograder.sandbox.box.process import BoxProcess, Launch
from autograder.sandbox.box.zygote import Zygote
from autograder.sandbox.guard import Disk, Members, Watched

END_SECONDS = 2.0
"""For the first process to end after it was killed."""


class Box(contextlib.AbstractContextManager["Box"]):
    """A closed place for one program and its children.

    Use it as a context manager: ``with Box(...) as box: box.run(...)``. Leaving it kills every
    process in it and deletes its files, whatever happened.

    Parameters
    ----------
    threads
        To compute with; None leaves it to the libraries.
    parent
        Where to make its folders; None for the system's place for temporary files.
    zygote
        Of the same kind, to fork the box's process from, as long as it lives; None to start it
        from nothing.

    Attributes
    ----------
    scratch
        The only folders that it can write to.
    layers
        What the program inside reported while it locked itself in, such as
        ``{"landlock": 7, "seccomp": 1}``; a text instead of a number says why there is none.

    Raises
    ------
    BoxError
        If its folders cannot be made.
    """

    def __init__(
        self,
        *,
        kind: BoxKind,
        limits: Limits,
        toolbox: Toolbox,
        threads: int | None = None,
        parent: Path | None = None,
        zygote: Zygote | None = None,
    ) -> None:
        if kind is BoxKind.USER and not is_root():
            raise BoxError("Only root can run a box as another user.")
        if zygote is not None:
            if zygote.kind is not kind:
                raise BoxError(f"A {zygote.kind.value} zygote cannot fork a {kind.value} box.")
            parent = zygote.nest
        self.kind = kind
        self.layers: dict[str, int | str] = {}
        self._limits = limits
        self._toolbox = toolbox
        self._zygote = zygote
        self._process: BoxProcess | None = None
        self._cgroup: ControlGroup | None = None
        self._watchdog: Watchdog | None = None
        self._strangers = children(os.getpid())
        self._closed = False
        self._uid = free_user_id() if is_root() and kind is not BoxKind.PLAIN else None
        try:
            self.scratch = Scratch.create(uid=self._uid, parent=parent)
        except BoxError:
            if self._uid is not None:
                give_back(self._uid)
            raise
        self._environment = environment(self.scratch, threads=threads)
        if kind is BoxKind.PLAIN:
            adopt_orphans()

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------ run

    def run(self, program: str, *arguments: str) -> None:
        """Start the one program of this box, by this Python in isolated mode.

        It ends with the thread that calls this, however that ends: call it from one that lasts.

        Parameters
        ----------
        program
            Name of a program of `inside/`.

        Raises
        ------
        BoxError
            If it did not get as far as to be locked in, or nothing could watch it.
        """
        # First, since it starts while the box does.
        self._watchdog = Watchdog(kill=self.kill)
        self._cgroup = ControlGroup.create(
            memory_bytes=self._limits.memory_bytes, processes=self._limits.processes
        )
        specification = lock_specification(
            kind=self.kind,
            uid=self._uid,
            limits=self._limits,
            scratch=self.scratch,
            readable=readable_paths(self._toolbox.root),
            program=[str(self._toolbox.program(program)), *arguments],
        )
        self._process = BoxProcess(
            Launch(
                kind=self.kind,
                scratch=self.scratch,
                toolbox=self._toolbox,
                cgroup=self._cgroup,
                specification=specification,
                environment=self._environment,
            ),
            fork=self._zygote.fork if self._zygote and self._zygote.is_alive else None,
        )
        layers = self._process.wait_until_locked()
        if layers is None:
            self.kill()
            self._process.words.wait()
            said = self._process.words.text
            raise BoxError(f"A box of kind {self.kind.value} did not start: {said}.")
        self.layers = layers
        self._watchdog.start(
            Watched(
                members=self._members,
                disk=Disk(
                    folders=tuple(map(str, self.scratch.writable)),
                    shared=SHARED_MEMORY if self.kind is BoxKind.USER else None,
                    owner=self._uid,
                ),
                memory_bytes=self._limits.memory_bytes,
                processes=self._limits.processes,
                disk_bytes=self._limits.scratch_bytes,
            )
        )

    # ------------------------------------------------------------------ look

    @property
    def is_alive(self) -> bool:
        """Whether the program of the box is still running."""
        return self._process is not None and self._process.is_alive

    @property
    def breach(self) -> Ending | None:
        """The limit for which the box was ended, if it was; known once it has stopped."""
        found = self._watchdog.breach if self._watchdog else None
        if found is None and self._cgroup and self._cgroup.ran_out_of_memory():
            return Ending.OUT_OF_MEMORY
        return found

    @property
    def is_forked(self) -> bool:
        """Whether its process was forked from a zygote."""
        return self._process is not None and self._process.is_forked

    @property
    def stderr(self) -> tuple[str, ...]:
        """The last lines that the program wrote to standard error."""
        return self._process.words.lines if self._process else ()

    @property
    def peak_bytes(self) -> int:
        """The most memory seen in use; known once it has stopped."""
        charged = self._cgroup.peak_bytes() if self._cgroup else None
        return charged or (self._watchdog.peak_bytes if self._watchdog else 0)

    @property
    def _members(self) -> Members:
        assert self._process is not None
        return Members(
            first=self._process.pid,
            # In a process namespace, all are descendants of the first.
            user=self._uid if self.kind is BoxKind.USER else None,
            # Orphans come back to the grader, which adopts them.
            adopter=os.getpid() if self.kind is BoxKind.PLAIN else None,
            strangers=tuple(sorted(self._strangers | HELPERS)),
            groups=tuple(map(str, self._cgroup.folders)) if self._cgroup else (),
        )

    def members(self) -> set[int]:
        """Process ids of all that runs in the box."""
        return self._members.find() if self._process is not None else set()

    # ------------------------------------------------------------------ end

    def kill(self) -> bool:
        """End every process in the box; True if none is left."""
        gone = kill_all(self.members)
        if self._process is not None:
            self._process.wait(END_SECONDS)
        return gone

    def stop(self) -> None:
        """End every process, keep the files: for reading what was left behind.

        Raises
        ------
        BoxError
            If a process could not be ended, or nothing watched them to the end.
        """
        ended = self.kill()
        if self._watchdog is not None:
            self._watchdog.stop()
        if not ended:
            raise BoxError(f"Processes of the box {self.scratch.root} could not be ended.")

    def close(self) -> None:
        """End every process and delete every file; may be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self.stop()
        finally:
            if self._process is not None:
                self._process.words.close()
            if self._cgroup is not None:
                self._cgroup.remove()
            if self._uid is not None:
                sweep(self._uid)
            reap_orphans(self._strangers)
            self.scratch.remove()
            if self._uid is not None:
                give_back(self._uid)
