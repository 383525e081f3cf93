"""How much memory there is: of the machine, or of the container that this runs in."""

from __future__ import annotations

from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")


def container_bytes(groups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Memory that this container may use: the least of all limits above us, and of the machine's.

    In a container the path in ``/proc/self/cgroup`` often is the host's, while the tree that is
    mounted begins at the container itself; so folders that are not there are passed over.
    """
    found: list[int] = [psutil.virtual_memory().total]
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = ["0::/"]
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            found += _limits_above(groups, path, "memory.max")
        elif "memory" in controllers.split(","):
            found += _limits_above(groups / "memory", path, "memory.limit_in_bytes")
    return min(found)


def _limits_above(mount: Path, path: str, name: str) -> list[int]:
    folder = Path("/" + path.strip("/"))
    found = []
    for part in (folder, *folder.parents):
        try:
            found.append(int((mount / str(part).lstrip("/") / name).read_text()))
        except (OSError, ValueError):  # ValueError: "max"
            continue
    return found
