"""UNTRUSTED GROUND: namespaces for a forked process, inside those of its zygote.

Bubblewrap has shown the zygote the system, read-only, and one folder with the scratch folders of
all its submissions: the nest. Here a process leaves that view for one that has its own scratch
folder alone. Imports nothing of ours. WHERE is a dictionary:

    nest        folder that holds all scratch folders
    writable    the folders of this submission, where it will see them
    tmp, shm    those of them that are /tmp and /dev/shm
    below_tmp   readable paths that lie below /tmp
    user        the user id to be seen as, or null to leave that to enter.py
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from typing import Any

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
"""CLONE_* of linux/sched.h."""
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
"""MS_* of linux/mount.h."""
COVERED = ("sys", "sysrq-trigger", "irq", "bus")
"""Parts of /proc that change the machine, for those who may; bubblewrap covers the same."""

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """A C function that returns a negative number for failure."""
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(
    source: str | None,
    target: str,
    kind: str | None = None,
    flags: int = 0,
    options: str | None = None,
) -> None:
    """As mount(2), with texts."""
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    call("mount", *texts, ctypes.c_ulong(flags), options and options.encode())


def make_place(path: str, like: int) -> None:
    """Something to mount upon, of the same type as what the descriptor `like` stands for."""
    if os.path.isdir(f"/proc/self/fd/{like}"):
        os.makedirs(path, mode=0o755, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def hide(where: dict[str, Any]) -> None:
    """New namespaces for this process and its children, and their own view of the files."""
    call("unshare", NEWNS | NEWIPC | NEWUTS | NEWNET | NEWPID)
    with contextlib.suppress(OSError):
        call("unshare", NEWCGROUP)
    mount(None, "/", None, REC | PRIVATE)
    os.umask(0o022)
    shown = [*where["below_tmp"], *where["writable"]]
    handles = {path: os.open(path, os.O_PATH) for path in (*shown, where["tmp"], where["shm"])}

    def bind(path: str, target: str) -> None:
        mount(f"/proc/self/fd/{handles[path]}", target, None, BIND | REC)

    for target in ("/tmp", "/var/tmp"):
        bind(where["tmp"], target)
    bind(where["shm"], "/dev/shm")
    os.makedirs(where["nest"], mode=0o755, exist_ok=True)
    mount("tmpfs", where["nest"], "tmpfs", NOSUID | NODEV, "mode=0755,size=1m")
    for path in shown:
        make_place(path, handles[path])
        bind(path, path)
    mount(None, where["nest"], None, REMOUNT | RDONLY | NOSUID | NODEV)
    for handle in handles.values():
        os.close(handle)


def settle(where: dict[str, Any]) -> None:
    """What only the first process of the new namespaces can do."""
    mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
    for name in COVERED:
        path = "/proc/" + name
        if os.path.exists(path):
            mount(path, path, None, BIND | REC)
            mount(None, path, None, REMOUNT | BIND | RDONLY | NOSUID | NODEV | NOEXEC)
    options = "newinstance,ptmxmode=0666,mode=620"
    mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC, options)
    socket.sethostname("box")
    if where["user"] is not None:
        user, group = os.geteuid(), os.getegid()
        call("unshare", NEWUSER)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{where['user']} {user} 1"),
            ("gid_map", f"{where['user']} {group} 1"),
        ):
            with open("/proc/self/" + name, "w") as file:
                file.write(text)
