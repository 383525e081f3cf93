"""The clerk: forks a child for every task, and tells whoever asked what came of it.

It has one thread and keeps nothing of what it was asked, so that each task begins in the same
state. A child can do nothing but compute: it is ended by the kernel when it has used up its
processor time, its wall time or its memory, and nobody needs to watch it.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import resource
import signal
import traceback
import typing
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from autograder.core.clerk import Answer, Bounds, Request, Trouble
from autograder.core.processes import end_with_parent

DONE, LARGE, FAULT = 0, 3, 4
"""Exit statuses of a child."""
CHUNK_BYTES = 1 << 20
MAX_FAULT_CHARACTERS = 4_000
REQUESTS = msgspec.msgpack.Decoder(Request)


def main(descriptor: int, ahead: Sequence[str]) -> None:
    """Serve whoever holds the other end of the connection `descriptor`, until it is closed."""
    os.set_inheritable(descriptor, False)
    end_with_parent(os.getppid())
    with Connection(descriptor) as link, contextlib.suppress(EOFError, OSError):
        waiting = list(ahead)
        while True:
            while waiting and not link.poll():
                _prepare(waiting.pop(0))
            request = REQUESTS.decode(link.recv_bytes())
            link.send_bytes(msgspec.msgpack.encode(_run(request, link)))


def _prepare(what: str) -> None:
    """Do what would else be done in every child. It is ours alone, and costs no answer if it fails.

    Parameters
    ----------
    what
        A module to import, or a function without arguments to call, as ``module:function``.
    """
    module, _, name = what.partition(":")
    try:
        found = importlib.import_module(module)
        if name:
            getattr(found, name)()
        gc.collect()
        gc.freeze()
    except Exception:
        traceback.print_exc()


def _run(request: Request, link: Connection) -> Answer:
    """Fork a child that does the task, and wait for it."""
    try:
        function, decode = _function(request.function)
    except Exception:
        return Answer(b"", Trouble.FAULT, traceback.format_exc()[-MAX_FAULT_CHARACTERS:])
    read, write = os.pipe()
    us = os.getpid()
    child = os.fork()
    if child == 0:
        status = FAULT
        try:
            end_with_parent(us)
            link.close()
            os.close(read)
            _limit(request.bounds)
            status = _work(function, decode, request.arguments, write)
        finally:
            os._exit(status)
    os.close(write)
    content, is_whole = _read(read, request.bounds.answer_bytes)
    os.close(read)
    if not is_whole:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    if not is_whole:
        return Answer(b"", Trouble.TOO_LARGE, "Its answer was too large.")
    return _answer(content, status, usage.ru_utime + usage.ru_stime)


@functools.cache
def _function(path: str) -> tuple[Any, Any]:
    """The function, and what makes its record of bytes: here, once, and not in every child."""
    module, _, name = path.partition(":")
    found = getattr(importlib.import_module(module), name)
    hints = typing.get_type_hints(found)
    hints.pop("return", None)
    (wanted,) = hints.values()
    decode = bytes if wanted is bytes else msgspec.msgpack.Decoder(wanted).decode
    gc.collect()
    gc.freeze()  # so that the children's collectors leave these pages shared
    return found, decode


def _limit(bounds: Bounds) -> None:
    """Have the kernel end this process in time; by default actions, which cannot be forgotten."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (bounds.cpu_seconds, bounds.cpu_seconds + 1))
    signal.setitimer(signal.ITIMER_REAL, bounds.wall_seconds)
    size = _address_space()
    if size:
        most = size + bounds.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _address_space() -> int:
    """Bytes that this process has mapped; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def _work(function: Any, decode: Any, arguments: Sequence[bytes], write: int) -> int:
    status, content = DONE, b""
    try:
        answers = [function(decode(argument)) for argument in arguments]
        content = msgspec.msgpack.encode(
            [each if isinstance(each, bytes) else msgspec.msgpack.encode(each) for each in answers]
        )
    except (MemoryError, RecursionError) as error:
        status, content = LARGE, type(error).__name__.encode()
    except BaseException:
        text = traceback.format_exc()[-MAX_FAULT_CHARACTERS:]
        status, content = FAULT, text.encode("utf-8", "replace")
    with os.fdopen(write, "wb") as pipe, contextlib.suppress(OSError):
        pipe.write(content)
    return status


def _read(descriptor: int, limit: int) -> tuple[bytes, bool]:
    """All that the child says; (bytes, whether that is within the limit)."""
    parts = bytearray()
    while part := os.read(descriptor, CHUNK_BYTES):
        parts += part
        if len(parts) > limit:
            return b"", False
    return bytes(parts), True


def _answer(content: bytes, status: int, seconds: float) -> Answer:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in (signal.SIGXCPU, signal.SIGALRM):
            return Answer(b"", Trouble.LATE, f"It was stopped after {seconds:.0f} s of computing.")
        name = signal.Signals(number).name
        if number in (signal.SIGKILL, signal.SIGABRT):
            # By Linux for want of memory, or by a library that gives up without it.
            return Answer(b"", Trouble.TOO_LARGE, f"It was ended by {name}.")
        return Answer(b"", Trouble.BROKEN, f"It was ended by {name}.")
    code = os.WEXITSTATUS(status)
    if code == DONE:
        return Answer(content)
    text = content.decode("utf-8", "replace")
    if code == LARGE:
        return Answer(b"", Trouble.TOO_LARGE, f"It needed too much memory ({text}).")
    return Answer(b"", Trouble.FAULT, text)
