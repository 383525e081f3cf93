"""Limits that no single system call enforces: kept by a control group and a watchdog.

The group bounds memory and processes where the grader may make one. The watchdog is a process that
nothing here can delay.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.core.errors import BoxError
from autograder.core.processes import HELPERS
from autograder.sandbox import Ending
from autograder.sandbox.guard import Finding, Watched, command

ROOT = Path("/sys/fs/cgroup")
REMOVAL_SECONDS = 2.0
"""How long a control group may take to empty after its last process was killed."""
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


def _own_groups() -> dict[str, Path]:
    """Controller name to the folder of the grader's own group; version 2 is named ``unified``."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            for mount in (ROOT, ROOT / "unified"):
                if (mount / "cgroup.controllers").exists():
                    found["unified"] = mount / path.lstrip("/")
        else:
            for controller in controllers.split(","):
                found[controller] = ROOT / controllers / path.lstrip("/")
    return found


def _remove_orphans(groups: Iterable[Path]) -> None:
    """Remove what graders left that were killed; a group that holds a process cannot be removed."""
    for folder in set(groups):
        for orphan in folder.glob("m5-*-*"):
            owner = orphan.name.split("-")[1]
            if owner.isdigit() and not psutil.pid_exists(int(owner)):
                with contextlib.suppress(OSError):
                    orphan.rmdir()


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlGroup:
    """One group for one box, in every hierarchy that matters.

    Attributes
    ----------
    folders
        Where its processes are listed, one folder for each hierarchy.
    memory
        Folder of the memory controller, or None.
    version
        1 or 2, as the kernel names them.
    """

    folders: tuple[Path, ...]
    memory: Path | None
    version: int

    @classmethod
    def create(cls, *, memory_bytes: int, processes: int) -> ControlGroup | None:
        """Make a group with these limits; None where the machine does not let us."""
        name = f"m5-{os.getpid()}-{uuid.uuid4().hex[:12]}"
        made: list[Path] = []
        try:
            own = _own_groups()
            _remove_orphans(own.values())
            if "memory" in own:
                limits = {
                    "memory": (("memory.limit_in_bytes", memory_bytes),),
                    "pids": (("pids.max", processes),),
                }
                for controller, settings in limits.items():
                    if controller not in own:
                        continue
                    folder = own[controller] / name
                    folder.mkdir()
                    made.append(folder)
                    for setting, value in settings:
                        (folder / setting).write_text(str(value))
                return cls(folders=tuple(made), memory=made[0], version=1)
            folder = own["unified"] / name
            folder.mkdir()
            made.append(folder)
            (folder / "memory.max").write_text(str(memory_bytes))
            (folder / "pids.max").write_text(str(processes))
            with contextlib.suppress(OSError):
                (folder / "memory.swap.max").write_text("0")
            return cls(folders=(folder,), memory=folder, version=2)
        except (OSError, KeyError, ValueError):
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
            return None

    def prefix(self) -> list[str]:
        """The beginning of a command line that joins the group before it becomes the command."""
        join = " && ".join(f'echo $$ > "{folder}/cgroup.procs"' for folder in self.folders)
        return ["/bin/sh", "-c", f'{join} && exec "$@"', "sh"]

    def add(self, pid: int) -> None:
        """Put a process into the group, and with it all that it will start.

        Raises
        ------
        OSError
            If the kernel refuses.
        """
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed a process of this group for its memory."""
        if self.memory is None:
            return False
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        try:
            lines = (self.memory / name).read_text().splitlines()
        except OSError:
            return False
        counts = dict(line.split() for line in lines)
        return int(counts.get("oom_kill", "0")) > 0

    def peak_bytes(self) -> int | None:
        """The most memory that the group was charged for, page cache included."""
        if self.memory is None:
            return None
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        try:
            return int((self.memory / name).read_text())
        except (OSError, ValueError):
            return None

    def remove(self) -> None:
        """Delete the group; its processes must have been killed."""
        deadline = time.monotonic() + REMOVAL_SECONDS
        for folder in self.folders:
            while True:
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.02)
