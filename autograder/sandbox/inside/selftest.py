"""UNTRUSTED GROUND: tries, in a box of its own, what no submission may do.

``selftest.py PLAN`` with PLAN a JSON object; writes one JSON object to the path in PLAN["answer"]:
for each attempt either null (it failed, as it should) or a sentence saying what it could do. Then
it leaves a daemon behind, which holds the pipe at PLAN["pipe"] for as long as it lives. With
PLAN["eat"] it does nothing but take so many bytes of memory, and writes to PLAN["answer"] then.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from typing import Any

Plan = dict[str, Any]


def read_files(plan: Plan) -> str | None:
    for path in plan["secrets"]:
        try:
            with open(path, "rb") as file:
                file.read(1)
            return f"could read {path}"
        except OSError:
            pass
    return None


def write_outside(plan: Plan) -> str | None:
    for folder, device, inode in plan["folders"]:
        path = os.path.join(folder, f".m5-selftest-{os.getpid()}")
        try:
            with open(path, "w"):
                pass
            os.unlink(path)
            here = os.stat(folder)
        except OSError:
            continue
        # A folder of the same name that is the box's own is not outside.
        if (here.st_dev, here.st_ino) == (device, inode):
            return f"could write into {folder}"
    return None


def reach_network(plan: Plan) -> str | None:
    attempts = (
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", plan["tcp"])),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", plan["udp"])),
        (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + plan["abstract"]),
    )
    for family, kind, address in attempts:
        try:
            with socket.socket(family, kind) as link:
                link.settimeout(2)
                link.connect(address)
                if kind == socket.SOCK_DGRAM:
                    link.send(b"m5")
                    link.recv(2)
                return f"could talk to {address!r}"
        except OSError:
            pass
    return None


def see_grader(plan: Plan) -> str | None:
    grader = plan["grader"]
    for name in ("environ", "mem", "maps"):
        try:
            with open(f"/proc/{grader}/{name}", "rb") as file:
                if name == "mem" or plan["token"].encode() in file.read():
                    return f"could open /proc/{grader}/{name}"
        except OSError:
            pass
    if plan["token"] in os.environ.values():
        return "has the grader's environment"
    return None


def signal_grader(plan: Plan) -> str | None:
    try:
        os.kill(plan["grader"], 0)
    except OSError:
        return None
    try:
        with open(f"/proc/{plan['grader']}/stat", "rb") as file:
            seen = file.read().split()[21].decode()
    except OSError:
        seen = plan["started"]
    # In a process namespace of its own the same number is another process, or none.
    return "could signal the grader" if seen == plan["started"] else None


def gain_privileges(plan: Plan) -> str | None:
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x10000000) == 0:
            return "could make a user namespace"
    except (OSError, AttributeError):
        pass
    if os.geteuid() == 0:
        with open("/proc/self/status") as status:
            held = [line.split()[1] for line in status if line.startswith("CapEff")]
        if held and int(held[0], 16):
            return "holds root's capabilities"
    return None


ATTEMPTS = (read_files, write_outside, reach_network, see_grader, signal_grader, gain_privileges)


def leave_daemon(path: str) -> None:
    """A process that nobody waits for, in a session of its own, deaf to what can be ignored."""
    ready, started = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            os.write(os.open(path, os.O_WRONLY), b"alive")
            os.close(started)
            time.sleep(60)
        os._exit(0)
    os.close(started)
    os.read(ready, 1)


def eat(plan: Plan) -> None:
    """Touch memory, 4 MB at a time, slowly enough to be stopped near the limit."""
    held: list[bytearray] = []
    while len(held) * (4 << 20) < plan["eat"]:
        held.append(bytearray(b"m") * (4 << 20))
        time.sleep(0.01)
    with open(plan["answer"], "w") as file:
        file.write("null")


def main() -> None:
    plan = json.loads(sys.argv[1])
    if "eat" in plan:
        eat(plan)
        return
    signal.alarm(30)
    answer = {attempt.__name__: attempt(plan) for attempt in ATTEMPTS}
    with open(plan["answer"], "w") as file:
        json.dump(answer, file)
    leave_daemon(plan["pipe"])
    # At once: where TensorFlow is imported, Python takes a second to take its leave.
    os._exit(0)


main()
