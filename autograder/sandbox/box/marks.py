"""What marks the processes of a box for the machine: a user id of its own, and a control group.

A user id where the grader is root, one that nobody else is; a control group, which also bounds
memory and processes, where the grader may make one.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.core.errors import BoxError

USER_IDS = range(50_000, 60_000)
"""Above what systems give to people and services, below what they give to containers."""
SHARED_MEMORY = "/dev/shm"
"""Where `multiprocessing` keeps its locks."""
ROOT = Path("/sys/fs/cgroup")
REMOVAL_SECONDS = 2.0
"""How long a group may take to empty after its last process was killed."""


def is_root() -> bool:
    """Whether the grader is root."""
    return os.geteuid() == 0


def free_user_id() -> int:
    """A user id that no process has, and that no other box has until it is given back."""
    # process_iter itself leaves out what ends while it looks: asking each process afterwards fails
    # as soon as one has ended in between, and on a busy machine one always does.
    used = {uid for process in psutil.process_iter(["uids"]) for uid in process.info["uids"] or ()}
    for uid in random.sample(USER_IDS, k=len(USER_IDS)):
        if uid not in used and _claim(uid):
            return uid
    raise BoxError("No free user id is left for the box.")


_claims: dict[int, socket.socket] = {}


def _claim(uid: int) -> bool:
    """Hold a name that only one process can hold, until it is given back or this process ends."""
    if uid in _claims:
        return False
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0m5-uid-{uid}")
    except OSError:
        claim.close()
        return False
    _claims[uid] = claim
    return True


def give_back(uid: int) -> None:
    """Let other boxes have the id; nothing of this box may run or lie about any more."""
    if (claim := _claims.pop(uid, None)) is not None:
        claim.close()


def sweep(uid: int) -> None:
    """Remove what a box user left where everybody may write, should no layer have kept it out."""
    for folder in ("/tmp", "/var/tmp", SHARED_MEMORY):
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == uid:
                        subprocess.run(["rm", "-rf", "--", entry.path], capture_output=True)


# ---------------------------------------------------------------------- control groups


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
