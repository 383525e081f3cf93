"""Runs a command as another kind of grader would: ``stage.py ordinary|container COMMAND...``.

``ordinary``
    an ordinary user, as on a TA's own machine;
``container``
    root without the right to make namespaces, as in Gradescope's container.

Both need root to set up. What they change is theirs alone: they work in a mount namespace of their
own, in which the interpreter, its packages and the repository can be reached by every user, even
if they lie in somebody's closed home folder.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOBODY = 65534
IDS = 65536
TEMPORARY = Path("/tmp")
ASIDE = Path("/mnt")
"""Where folders are kept while others come over them; every Linux has it, mostly empty."""
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000


def replaced_ancestor(path: Path) -> Path | None:
    """The folder on the way to `path` over which another comes: it is /tmp, or closed to users."""
    if path.is_relative_to(TEMPORARY):
        return TEMPORARY
    for folder in (*reversed(path.parents), path):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def opening_commands() -> list[str]:
    """Shell commands that put an open folder over each closed one, with what is needed in it."""
    needed = {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), ROOT}
    ancestors = {path: replaced_ancestor(path) for path in sorted(needed)}
    moved = [path for path, ancestor in ancestors.items() if ancestor is not None]
    commands = ["mount --make-rprivate /", f"mount -t tmpfs tmpfs {ASIDE}"]
    for number, path in enumerate(moved):
        commands.append(f"mkdir {ASIDE}/{number}")
        commands.append(f"mount --bind {shlex.quote(str(path))} {ASIDE}/{number}")
    # A /tmp of its own: what the stage leaves there goes with it.
    commands.append(f"mount -t tmpfs -o mode=1777 tmpfs {TEMPORARY}")
    above = {each for each in ancestors.values() if each not in (None, TEMPORARY)}
    for ancestor in sorted(above, key=str):
        commands.append(f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(str(ancestor))}")
    for number, path in enumerate(moved):
        commands.append(f"mkdir -p {shlex.quote(str(path))}")
        commands.append(f"mount --move {ASIDE}/{number} {shlex.quote(str(path))}")
    # Where we were may lie under what has come over it.
    return [*commands, f"umount {ASIDE}", f"cd {shlex.quote(str(ROOT))}"]


def stage_command(kind: str, command: list[str]) -> list[str]:
    """The command line that does it all."""
    return [sys.executable, __file__, kind, *command]


def script(kind: str, command: list[str]) -> str:
    """What the shell does once the namespaces are there."""
    steps = opening_commands()
    if kind == "ordinary":
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    else:
        steps.append("echo 0 > /proc/sys/user/max_user_namespaces")
        drop = ["setpriv", "--bounding-set=-sys_admin"]
    return " && ".join([*steps, shlex.join(["exec", *drop, "--inh-caps=-all", *command])])


def make_namespaces(kind: str) -> None:
    """A mount namespace; for a container also one in which root is root over all users."""
    libc = ctypes.CDLL(None, use_errno=True)
    flags = CLONE_NEWNS | (CLONE_NEWUSER if kind == "container" else 0)
    ready, go = os.pipe(), os.pipe()
    if os.fork() == 0:
        # Only a process outside may say which users the namespace has.
        os.read(go[0], 1)
        if kind == "container":
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{os.getppid()}/{name}").write_text(f"0 0 {IDS}")
        os.write(ready[1], b"1")
        os._exit(0)
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    os.write(go[1], b"1")
    os.read(ready[0], 1)
    os.wait()


def is_possible(kind: str) -> str:
    """Empty if the stage can be set up here, else the reason why not."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux can set the stage"
    done = subprocess.run(stage_command(kind, ["true"]), capture_output=True, text=True)
    return "" if done.returncode == 0 else f"the stage cannot be set: {done.stderr.strip()}"


def run(kind: str, command: list[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run a command on the stage."""
    return subprocess.run(
        stage_command(kind, command),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
    )


if __name__ == "__main__":
    os.environ |= {"HOME": "/tmp", "TMPDIR": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    shell_script = script(sys.argv[1], sys.argv[2:])
    make_namespaces(sys.argv[1])
    os.execvp("sh", ["sh", "-c", shell_script])
