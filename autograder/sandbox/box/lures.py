"""What the self-test is to reach, and what it is to leave behind: without them nothing is tried."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
from collections.abc import Iterator
from pathlib import Path

DYING_SECONDS = 2.0
"""For a killed process to let go of its files: one that lost its parent cannot be waited for."""


@contextlib.contextmanager
def listeners() -> Iterator[dict[str, object]]:
    """Things to be reached, if the network is open: by TCP, UDP and an abstract Unix socket."""
    token = secrets.token_hex(16)
    os.environ["M5_SELFTEST_TOKEN"] = token
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.socket())
        tcp.bind(("127.0.0.1", 0))
        tcp.listen(1)
        udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0m5-selftest-{token}")
        abstract.listen(1)
        try:
            yield {
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "abstract": f"m5-selftest-{token}",
                "token": token,
            }
        finally:
            del os.environ["M5_SELFTEST_TOKEN"]


@contextlib.contextmanager
def daemon_pipe(path: Path) -> Iterator[int]:
    """A named pipe that the self-test's daemon holds; its end for reading."""
    os.mkfifo(path)
    path.chmod(0o666)
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield pipe
    finally:
        os.close(pipe)


def what_daemon_left(pipe: int) -> str:
    """What is wrong with the daemon once the box has ended; empty where it ran and is gone."""
    try:
        if os.read(pipe, 16) != b"alive":
            return "the daemon that was to be left behind did not start, so nothing was tried"
        select.select([pipe], [], [], DYING_SECONDS)
        return "" if os.read(pipe, 16) == b"" else "the daemon went on writing"
    except BlockingIOError:
        return "a daemon went on running"
