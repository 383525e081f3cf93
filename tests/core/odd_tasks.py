"""Tasks for the clerk's tests: what contents may do to a function of ours."""

import os
import signal
import time
from pathlib import Path

import msgspec

_ready: list[bytes] = []


def make_ready() -> None:
    """Called in the clerk itself."""
    _ready.append(b"ready")


def what_is_ready(argument: bytes) -> bytes:
    return b"".join(_ready)


class Number(msgspec.Struct, frozen=True):
    """A record to be passed and given back."""

    value: int


def double(number: Number) -> Number:
    return Number(2 * number.value)


def process_ids(argument: bytes) -> bytes:
    return f"{os.getpid()} {os.getppid()}".encode()


def spin(argument: bytes) -> bytes:
    Path(argument.decode()).touch()
    while True:
        pass


def sleep(argument: bytes) -> bytes:
    time.sleep(600)
    return b""


def hoard(argument: bytes) -> bytes:
    kept = []
    while True:
        kept.append(bytearray(1 << 24))


def nest(argument: bytes) -> bytes:
    return nest(argument)


def say_much(argument: bytes) -> bytes:
    return bytes(1 << 24)


def crash(argument: bytes) -> bytes:
    os.kill(os.getpid(), signal.SIGSEGV)
    return b""


def fail(argument: bytes) -> bytes:
    raise ValueError("a mistake of ours")


def print_much(argument: bytes) -> bytes:
    print("to nobody" * 100_000)
    return b"done"


def obey(argument: bytes) -> bytes:
    """Do one of the others, so that a task has arguments of all kinds."""
    name, _, rest = argument.partition(b" ")
    return {**globals(), "echo": lambda said: said}[name.decode()](rest)
