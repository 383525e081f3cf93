"""A control group around one measured program: what it used, and what it may use."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from autograder.sandbox.box.limits import ROOT, ControlGroup

UNLIMITED_BYTES = 1 << 40
MAX_PROCESSES = 4096
ANONYMOUS = {1: "total_rss", 2: "anon"}
"""What memory.stat calls pages that are no copy of a file, by version of control groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The group, and where its processor time is counted.

    Attributes
    ----------
    cpu_file
        None where there is no such count.
    """

    group: ControlGroup
    cpu_file: Path | None

    @classmethod
    @contextlib.contextmanager
    def opened(cls, limit_bytes: int | None) -> Iterator[Meter | None]:
        """A new group, taken away with all that is left in it; None where none can be made."""
        group = ControlGroup.create(
            memory_bytes=limit_bytes or UNLIMITED_BYTES, processes=MAX_PROCESSES
        )
        if group is None:
            yield None
            return
        if group.version == 2:
            meter = cls(group=group, cpu_file=group.folders[0] / "cpu.stat")
        elif (accounts := _accounting_folder()) is not None:
            # With the others in one record, so that a program joins and leaves all of them.
            group = replace(group, folders=(*group.folders, accounts))
            meter = cls(group=group, cpu_file=accounts / "cpuacct.usage")
        else:
            meter = cls(group=group, cpu_file=None)
        try:
            yield meter
        finally:
            _empty(group)

    def cpu_seconds(self) -> float | None:
        """Of all processes that were ever in it, those that were killed included."""
        if self.cpu_file is None:
            return None
        try:
            text = self.cpu_file.read_text()
        except OSError:
            return None
        if self.group.version == 1:
            return int(text) / 1e9
        return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6

    def resident_bytes(self) -> int:
        """Held at this moment beside page cache."""
        if self.group.memory is None:
            return 0
        lines = (self.group.memory / "memory.stat").read_text().splitlines()
        return int(dict(line.split() for line in lines)[ANONYMOUS[self.group.version]])


def _accounting_folder() -> Path | None:
    """A new folder of the controller that counts processor time, in version 1."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpuacct" in controllers.split(","):
            folder = ROOT / controllers / path.lstrip("/") / f"m5-{uuid.uuid4().hex[:12]}"
            try:
                folder.mkdir()
            except OSError:
                return None
            return folder
    return None


def _empty(group: ControlGroup) -> None:
    """Kill what is left in a group and in those that boxes made below it, and remove them."""
    inner = sorted((path for top in group.folders for path in top.rglob("m5-*")), reverse=True)
    for folder in (*inner, *group.folders):
        with contextlib.suppress(OSError):
            for line in (folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(psutil.Error):
                    psutil.Process(int(line)).kill()
    for folder in inner:
        with contextlib.suppress(OSError):
            folder.rmdir()
    group.remove()
