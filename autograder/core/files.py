"""Files: written whole or not at all, and read with a limit. The standard library alone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

RESERVED_BYTES = 1 << 20
"""Of a file for which space is reserved; a result for Gradescope has some kilobytes, one with ten
long tracebacks a tenth of this."""


class NotPlain(Exception):
    """The name is there, but is not a plain file that can be read; the text says why."""


class TooLarge(Exception):
    """The file has more bytes than allowed; its size is the argument."""


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a crash leaves the old one or the new one.

    Where two processes do so at once, as `m5 report` and `m5 grade` may, one waits for the other.

    Raises
    ------
    OSError
        If it cannot be written; the old file is then as it was.
    """
    temporary = _part_of(path)
    with _alone_with(temporary) as file:
        try:
            file.write(content)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


@contextlib.contextmanager
def _alone_with(path: Path) -> Iterator[BinaryIO]:
    """The file at `path`, made if it is not there, which no other process has from here."""
    while True:
        # Not truncated on opening: that would give reserved space away.
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:  # noqa: PTH123
            with contextlib.suppress(OSError):  # not every network file system has locks
                fcntl.flock(file, fcntl.LOCK_EX)
            try:
                is_there = os.path.samestat(os.fstat(file.fileno()), path.stat())
            except FileNotFoundError:
                is_there = False
            if is_there:  # and not what another one has put in place meanwhile
                yield file
                return


def reserve_space(path: Path) -> None:
    """Take disk space for the next `replace_file` of `path`, while there is some."""
    with contextlib.suppress(OSError), _part_of(path).open("wb") as file:
        file.write(bytes(RESERVED_BYTES))
        file.flush()
        os.fsync(file.fileno())


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


@contextlib.contextmanager
def opened_folder(path: os.PathLike[str]) -> Iterator[int]:
    """A descriptor of the folder at `path`, which must not be a link.

    Raises
    ------
    OSError
        If there is no such folder.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_plain_file(folder: int, name: str, *, max_bytes: int) -> bytes:
    """The whole of a file directly in `folder`, which is never followed nor waited for.

    Parameters
    ----------
    folder
        A descriptor, so that the folder cannot be exchanged between two files.
    max_bytes
        Checked before anything is read.

    Raises
    ------
    FileNotFoundError
        If there is nothing of that name.
    NotPlain, TooLarge
        If it is something else than a plain file of at most that size.
    """
    # A pipe must not block the grader, and a link must not lead it anywhere.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotPlain(f"{name} cannot be opened") from error
    try:
        status = os.fstat(descriptor)
        # A second name of the same file could be one of ours, or one that is still written to.
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise NotPlain(f"{name} is not a plain file")
        if status.st_size > max_bytes:
            raise TooLarge(status.st_size)
        content = bytearray()
        # One byte more than the size, so that a file that grows meanwhile is noticed.
        while len(content) <= status.st_size:
            part = os.read(descriptor, min(1 << 20, status.st_size + 1 - len(content)))
            if not part:
                break
            content += part
    except OSError as error:
        raise NotPlain(f"{name} cannot be read") from error
    finally:
        os.close(descriptor)
    if len(content) != status.st_size:
        raise NotPlain(f"{name} changed while it was read")
    return bytes(content)
