"""Zip archives as students make them, and as nobody should: only notebooks are taken out.

A member's name is never used as a path, so that ``../`` and ``/etc`` in it mean nothing; links
are never made; and what is unpacked is counted while it is unpacked, whatever the archive says.
"""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.core.errors import MalformedSubmission
from autograder.intake.candidates import NOTEBOOK_ENDINGS, SKIPPED_FOLDERS
from autograder.intake.naming import safe_name, shown_name
from autograder.intake.reading import MAX_FILE_BYTES

MAX_ARCHIVE_BYTES = 256 << 20
"""Gradescope itself takes uploads of 100 MB."""
MAX_DIRECTORY_BYTES = 4 << 20
"""The archive's table of contents, some 60 bytes a file; Python reads it whole, and needs ten
times as much memory for it."""
MAX_UNPACKED_BYTES = 256 << 20
"""All notebooks of one archive together, archives within it included."""
MAX_NOTEBOOKS = 50
MAX_DEPTH = 2
"""An archive within an archive is opened, one within that is not."""
BLOCK_BYTES = 1 << 20

_END, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _COMMENT_BYTES, _LOCATOR_BYTES, _END_64_BYTES = 22, 65_535, 20, 56
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
"""Not LZMA, whose archives say themselves how many gigabytes their decoder needs."""


@dataclass(slots=True)
class Budget:
    """What may still be unpacked."""

    bytes: int = MAX_UNPACKED_BYTES
    notebooks: int = MAX_NOTEBOOKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """A notebook that was in an archive."""

    path: Path
    """Where it lies now."""
    name: str
    """What it was called, for sentences."""


def unpack_notebooks(archive: Path, folder: Path, budget: Budget, depth: int = 1) -> list[Unpacked]:
    """Take the notebooks out of a zip archive.

    Parameters
    ----------
    folder
        Where to put them, each in a folder of its own; must exist.

    Raises
    ------
    MalformedSubmission
        If it is no zip archive, is damaged, needs a password, or holds more than it may. Nothing
        else is raised, whatever the archive holds.
    """
    shown = shown_name(archive.name)
    try:
        if archive.stat().st_size > MAX_ARCHIVE_BYTES or is_oversized(archive, MAX_DIRECTORY_BYTES):
            raise _too_large(shown)
        with zipfile.ZipFile(archive) as opened:
            found: list[Unpacked] = []
            for info in _wanted(opened):
                target = _unpack(opened, info, folder, budget, shown)
                if target.suffix == ".zip":
                    if depth < MAX_DEPTH:
                        inner = unpack_notebooks(target, folder, budget, depth + 1)
                        found += inner
                    target.unlink()
                else:
                    found.append(Unpacked(path=target, name=shown_name(info.filename)))
            return found
    except MalformedSubmission:
        raise
    # A hostile archive finds a new exception in zipfile every year: struct.error, zlib.error,
    # NotImplementedError, UnicodeDecodeError, EOFError, OverflowError ...
    except Exception:
        raise MalformedSubmission(
            f"“{shown}” is damaged, or no zip archive. Upload your notebook itself, a file whose "
            "name ends in .ipynb."
        ) from None


def is_oversized(archive: Path, max_bytes: int) -> bool:
    """Whether the table of contents is larger than that; looked up before `zipfile` reads it.

    Raises
    ------
    ValueError, struct.error
        If this is not a zip archive.
    """
    size = archive.stat().st_size
    with archive.open("rb") as file:
        file.seek(max(0, size - _END_BYTES - _COMMENT_BYTES - _LOCATOR_BYTES))
        tail = file.read()
        end = tail.rfind(_END)
        if end < 0 or len(tail) - end < _END_BYTES:
            raise ValueError("no end of central directory")
        (directory,) = struct.unpack_from("<I", tail, end + 12)
        locator = tail[max(0, end - _LOCATOR_BYTES) : end]
        if locator.startswith(_LOCATOR_64):
            # An archive of more than 4 GiB says elsewhere how large its table is.
            (place,) = struct.unpack_from("<Q", locator, 8)
            file.seek(place)
            record = file.read(_END_64_BYTES)
            (directory,) = struct.unpack_from("<Q", record, 40)
    return bool(directory > max_bytes)


def may_hold_notebook(archive: Path) -> bool:
    """Whether there is one by its names, or nobody can tell."""
    try:
        if is_oversized(archive, MAX_DIRECTORY_BYTES):
            return True
        with zipfile.ZipFile(archive) as opened:
            return any(True for _ in _wanted(opened))
    except Exception:  # as below
        return True


def _wanted(opened: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """The members that may be notebooks, or archives with notebooks in them."""
    for info in opened.infolist():
        path = PurePosixPath(info.filename.replace("\\", "/"))
        parts = [part for part in path.parts if part not in (".", "..")]
        hidden = any(part.startswith(".") or part in SKIPPED_FOLDERS for part in parts)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if hidden or info.is_dir() or kind not in (0, stat.S_IFREG):
            continue
        if path.name.lower().endswith((*NOTEBOOK_ENDINGS, ".zip")):
            yield info


def _unpack(
    opened: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path, budget: Budget, shown: str
) -> Path:
    if info.flag_bits & 1:
        raise MalformedSubmission(
            f"“{shown}” is protected by a password. Upload your notebook itself, a file whose "
            "name ends in .ipynb."
        )
    if info.compress_type not in _METHODS:
        raise MalformedSubmission(
            f"“{shown}” is packed in a way that cannot be read here. Upload your notebook itself, "
            "a file whose name ends in .ipynb."
        )
    budget.notebooks -= 1
    if budget.notebooks < 0:
        raise _too_large(shown)
    place = folder / str(sum(1 for _ in folder.iterdir()))
    place.mkdir()
    name = PurePosixPath(info.filename.replace("\\", "/")).name
    ending = ".zip" if name.lower().endswith(".zip") else ".ipynb"
    target = place / (safe_name(name[: name.rfind(".")]) + ending)
    left = min(MAX_FILE_BYTES + 1, budget.bytes)
    with opened.open(info) as source, target.open("xb") as file:
        while block := source.read(min(BLOCK_BYTES, left + 1)):
            left -= len(block)
            budget.bytes -= len(block)
            if left < 0 or budget.bytes < 0:
                raise _too_large(shown)
            file.write(block)
    return target


def _too_large(shown: str) -> MalformedSubmission:
    return MalformedSubmission(
        f"“{shown}” holds too much. Upload your notebook alone, a file whose name ends in .ipynb; "
        "if it is large, clear its outputs first (Edit > Clear all outputs)."
    )
