"""Files that appear whole or not at all. The standard library alone."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

RESERVED_BYTES = 1 << 20
"""Of a file for which space is reserved; a result for Gradescope has some kilobytes, one with ten
long tracebacks a tenth of this."""


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a crash leaves the old one or the new one.

    Raises
    ------
    OSError
        If it cannot be written; the old file is then as it was.
    """
    temporary = _part_of(path)
    try:
        # Not truncated on opening: that would give reserved space away.
        with open(os.open(temporary, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:  # noqa: PTH123
            file.write(content)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def reserve_space(path: Path) -> None:
    """Take disk space for the next `replace_file` of `path`, while there is some."""
    with contextlib.suppress(OSError), _part_of(path).open("wb") as file:
        file.write(bytes(RESERVED_BYTES))
        file.flush()
        os.fsync(file.fileno())


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
