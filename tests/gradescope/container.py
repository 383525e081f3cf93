"""Runs a command as in Gradescope's container: ``container.py OPTIONS -- COMMAND...``.

A mount namespace of the test's own. Its root is the machine's own file system under a layer that is
thrown away, without the repository; or, by ``--system``, a system in a folder, which keeps what is
changed. In it ``/autograder`` is the folder given, ``/opt/activity-m5`` the environment given, and
``/tmp`` is empty. Needs root; apart from ``--system`` it leaves nothing behind.

``--closed`` takes away what a container engine takes away: the right to make namespaces and to
mount, the writable control groups, and Landlock.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import os
import platform
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
CLONE_NEWNS = 0x00020000
PR_CAPBSET_DROP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 24, 22, 38
ENGINE_CAPABILITIES = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}
"""What Docker leaves to root: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap,
net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap."""
CALLS: dict[str, Any] = {
    "x86_64": {"arch": 0xC000003E, "clone": 56, "refused": (272, 308, 165, 166, 155, 310, 311)},
    "aarch64": {"arch": 0xC00000B7, "clone": 220, "refused": (97, 268, 40, 39, 41, 270, 271)},
}
"""unshare, setns, mount, umount2, pivot_root, process_vm_readv, process_vm_writev."""
CLONE3, LANDLOCK = 435, (444, 445, 446)
NEW_NAMESPACES = 0x7E020080

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def make_root(folder: Path, options: argparse.Namespace) -> Path:
    """Mount the container's file system; returns its root."""
    checked(libc.unshare(CLONE_NEWNS), "unshare")
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(folder))
    upper, work, root = (folder / name for name in ("upper", "work", "root"))
    for path in (upper, work, root):
        path.mkdir()
    if options.system:
        mount("--bind", str(options.system), str(root))
    else:
        layers = f"lowerdir=/,upperdir={upper},workdir={work}"
        mount("-t", "overlay", "overlay", "-o", layers, str(root))
    for name in ("proc", "sys", "dev"):
        mount("--rbind", f"/{name}", str(root / name))
    if options.closed:
        for line in Path("/proc/self/mounts").read_text().splitlines():
            target = line.split()[1]
            if target.startswith(str(root / "sys/fs/cgroup")):
                mount("-o", "remount,bind,ro", target)
    for name in ("tmp", "var/tmp"):
        mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(root / name))
    bound = {Path("/autograder"): options.autograder}
    if options.environment:
        bound[Path("/opt/activity-m5")] = options.environment
    bound |= {path: path for path in options.bind}
    for place, source in bound.items():
        inside = root / str(place).lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.mkdir(exist_ok=True) if source.is_dir() else inside.touch()
        mount("--bind", str(source), str(inside))
        if place in options.bind:
            mount("-o", "remount,bind,ro", str(inside))
    if options.environment:
        open_the_way(root, (options.environment / "bin/python").resolve())
    repository = root / str(REPOSITORY).lstrip("/")
    # If it lies in /tmp, it is gone from there already.
    if not options.system and repository.is_dir():
        mount("-t", "tmpfs", "tmpfs", str(repository))
    return root


def open_the_way(root: Path, path: Path) -> None:
    """The interpreter may lie in somebody's closed home; in a container it lies in /usr."""
    for folder in path.parents:
        if folder != Path("/") and not folder.stat().st_mode & 0o001:
            inside = root / str(folder).lstrip("/")
            inside.chmod(inside.stat().st_mode | 0o711)


def refuse_calls() -> None:
    """Answer EPERM to all that makes namespaces or mounts, and ENOSYS to Landlock."""
    machine = CALLS[platform.machine()]
    load, equal, any_set, ret = 0x20, 0x15, 0x45, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | errno.EPERM
    missing = 0x00050000 | errno.ENOSYS
    steps = [(load, 0, 0, 4), (equal, 1, 0, machine["arch"]), (ret, 0, 0, refuse), (load, 0, 0, 0)]
    for number in machine["refused"]:
        steps += [(equal, 0, 1, number), (ret, 0, 0, refuse)]
    for number in (CLONE3, *LANDLOCK):
        steps += [(equal, 0, 1, number), (ret, 0, 0, missing)]
    steps += [(equal, 0, 3, machine["clone"]), (load, 0, 0, 16), (any_set, 0, 1, NEW_NAMESPACES)]
    steps += [(ret, 0, 0, refuse), (ret, 0, 0, allow)]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    memory = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(steps), ctypes.addressof(memory))
    checked(libc.prctl(PR_SET_SECCOMP, 2, program, 0, 0), "seccomp")


def drop_capabilities() -> None:
    for number in set(range(64)) - ENGINE_CAPABILITIES:
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)


class Group:
    """Control groups with limits, beside our own; none where we may not make one."""

    def __init__(self, memory_bytes: int, cpus: float) -> None:
        self.folders: list[Path] = []
        wanted: dict[str, dict[str, str]] = {"memory": {}, "cpu": {}, "": {}}
        if memory_bytes:
            wanted["memory"]["memory.limit_in_bytes"] = str(memory_bytes)
            wanted[""]["memory.max"] = str(memory_bytes)
        if cpus:
            wanted["cpu"]["cpu.cfs_quota_us"] = str(int(100_000 * cpus))
            wanted[""]["cpu.max"] = f"{int(100_000 * cpus)} 100000"
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        version_1 = any(line.split(":")[1] == "memory" for line in lines)
        for line in lines:
            _, controllers, path = line.split(":", 2)
            settings = {} if version_1 and not controllers else wanted.get(controllers, {})
            if not settings:
                continue
            folder = Path("/sys/fs/cgroup") / controllers / path.lstrip("/") / f"m5-{os.getpid()}"
            with contextlib.suppress(OSError):
                folder.mkdir()
                self.folders.append(folder)
                for name, value in settings.items():
                    (folder / name).write_text(value)
        self.is_complete = len(self.folders) >= version_1 * (bool(memory_bytes) + bool(cpus))

    def join(self) -> None:
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def close(self) -> None:
        for folder in self.folders:
            for name in ("memory.max_usage_in_bytes", "memory.peak"):
                with contextlib.suppress(OSError):
                    print(f"container.py: {name} {(folder / name).read_text().strip()}")
            with contextlib.suppress(OSError):
                folder.rmdir()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--autograder", type=Path, required=True)
    parser.add_argument("--environment", type=Path)
    parser.add_argument("--system", type=Path, metavar="FOLDER")
    parser.add_argument("--bind", type=Path, action="append", default=[], metavar="PATH")
    parser.add_argument("--setenv", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--closed", action="store_true")
    parser.add_argument("--memory", type=int, default=0, metavar="BYTES")
    parser.add_argument("--cpus", type=float, default=0)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    group = Group(options.memory, options.cpus)
    if not group.is_complete:
        group.close()
        print("container.py: no control group can be made here", file=sys.stderr)
        return 125
    folder = Path(tempfile.mkdtemp(prefix="m5-container-"))
    try:
        child = os.fork()
        if child == 0:
            try:
                enter(folder, options, group)
            except BaseException as error:
                print(f"container.py: {error}", file=sys.stderr, flush=True)
            os._exit(125)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        group.close()
        folder.rmdir()


def enter(folder: Path, options: argparse.Namespace, group: Group) -> None:
    root = make_root(folder, options)
    group.join()
    os.chroot(root)
    os.chdir("/autograder")
    if options.closed:
        drop_capabilities()
        refuse_calls()
    command = options.command
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    environment |= dict(setting.split("=", 1) for setting in options.setenv)
    os.environ["PATH"] = environment["PATH"]
    os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    sys.exit(main())
