"""Zip archives and Gradescope's list, which may be made to hurt: a whole class is read from them.

A member's name is never used as a path, so that ``../`` and ``/etc`` in it mean nothing; links
are never made; and what is unpacked is counted while it is unpacked, whatever the archive says.
In a class's archive, what one student packed costs no other anything: a folder that would grow too
large is cut short, and a damaged file is left out.
"""

from __future__ import annotations

import contextlib
import errno
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from autograder.core.errors import MalformedSubmission
from autograder.core.text import safe_name, shown_name
from autograder.intake import MAX_FILE_BYTES
from autograder.intake.folders import NOTEBOOK_ENDINGS, SKIPPED_FOLDERS

MAX_DIRECTORY_BYTES = 4 << 20
"""The archive's table of contents, some 60 bytes a file; Python reads it whole, and needs ten
times as much memory for it."""
MAX_UNPACKED_BYTES = 256 << 20
"""All notebooks of one archive together, archives within it included; in a class's archive all of
one submission."""
MAX_CLASS_MEMBERS = 100_000
MAX_CLASS_DIRECTORY_BYTES = 64 << 20
MAX_CLASS_BYTES = 8 << 30
"""A thousand notebooks with all their pictures; a larger class comes in parts."""
METADATA_NAME = "submission_metadata.yml"
"""In which Gradescope says whose each submission is."""
MAX_METADATA_BYTES = 64 << 20
"""A thousand submissions with their autograder's outputs take some ten megabytes."""
MAX_LISTED = 5
CUT_SHORT = b"{"
"""In place of a damaged notebook, which the reader then takes for a broken download."""

BLOCK_BYTES = 1 << 20
_END, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _COMMENT_BYTES, _LOCATOR_BYTES, _END_64_BYTES = 22, 65_535, 20, 56
_OUR_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)

Member = tuple[zipfile.ZipInfo, tuple[str, ...]]
"""With the parts of its name, as far as these lead somewhere."""


def may_hold_notebook(archive: Path) -> bool:
    """Whether there is one by its names, or nobody can tell."""
    try:
        if is_oversized(archive, MAX_DIRECTORY_BYTES):
            return True
        with zipfile.ZipFile(archive) as opened:
            return bool(notebooks_in(opened))
    # A hostile archive finds a new exception in zipfile every year: struct.error, zlib.error,
    # NotImplementedError, UnicodeDecodeError, EOFError, OverflowError ...
    except Exception:
        return True


def unpack_class(archive: Path, folder: Path) -> list[str]:
    """Unpack a whole class's submissions into `folder`, so that they can be told apart.

    Only what can be graded, or says whose it is, is unpacked; of other files the name alone is
    kept, so that a student who handed in a PDF is told so.

    Returns
    -------
    list of str
        Sentences about files in it that are damaged.

    Raises
    ------
    MalformedSubmission
        If it is not a zip archive, is damaged, or holds more than it may.
    """
    shown = shown_name(archive.name)
    try:
        if is_oversized(archive, MAX_CLASS_DIRECTORY_BYTES):
            raise _too_large(shown)
        with zipfile.ZipFile(archive) as opened:
            members = _members(opened)
            if len(members) > MAX_CLASS_MEMBERS:
                raise _too_large(shown)
            if any(info.flag_bits & 1 for info, _ in members):
                raise MalformedSubmission(
                    f"“{shown}” is protected by a password. Unpack it, and grade the folder."
                )
            damaged = _Unpacking(opened, folder, shown).unpack(members)
    except MalformedSubmission:
        raise
    except OSError as error:  # our own disk
        raise MalformedSubmission(
            f"“{shown}” cannot be unpacked: {error.strerror or error}."
        ) from None
    except Exception as error:  # as above
        raise MalformedSubmission(
            f"“{shown}” is damaged, or not a zip archive ({type(error).__name__}). Download the "
            "export again."
        ) from None
    if not damaged:
        return []
    more = f" and {len(damaged) - MAX_LISTED} more" if len(damaged) > MAX_LISTED else ""
    names = ", ".join(damaged[:MAX_LISTED])
    return [f"Damaged in “{shown}”: {names}{more}. Download it again, or these are not graded."]


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


def _members(opened: zipfile.ZipFile) -> list[Member]:
    """Regular files that are not hidden."""
    members = []
    for info in opened.infolist():
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        parts = tuple(part for part in parts if part not in ("/", ".", ".."))
        hidden = any(part.startswith(".") or part in SKIPPED_FOLDERS for part in parts)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if parts and not hidden and not info.is_dir() and kind in (0, stat.S_IFREG):
            members.append((info, parts))
    return members


def notebooks_in(opened: zipfile.ZipFile) -> list[Member]:
    """The members that may be notebooks, or archives with notebooks in them."""
    return [each for each in _members(opened) if _is_wanted(each[1][-1])]


def _is_wanted(name: str) -> bool:
    return name.lower().endswith((*NOTEBOOK_ENDINGS, ".zip"))


class _Unpacking:
    def __init__(self, opened: zipfile.ZipFile, folder: Path, shown: str) -> None:
        self._opened = opened
        self._folder = folder
        self._shown = shown
        self._left = MAX_CLASS_BYTES
        self._of_owner: Counter[str] = Counter()
        self._names: Counter[Path] = Counter()

    def unpack(self, members: Sequence[tuple[zipfile.ZipInfo, tuple[str, ...]]]) -> list[str]:
        """Write each member to its place; returns the names of damaged ones."""
        damaged = []
        # Zips of a folder have that folder in front of every name.
        root = 1 if len({parts[0] for _, parts in members}) == 1 else 0
        for info, parts in members:
            owner = parts[root] if len(parts) > root + 1 else ""
            target = None
            try:
                target = self._target(parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                self._write(info, target, owner)
            except MalformedSubmission:
                raise
            except Exception as error:
                if isinstance(error, OSError) and error.errno in _OUR_DISK:
                    raise
                damaged.append(shown_name("/".join(parts)))
                with contextlib.suppress(OSError):  # too long a name, or a folder of that name
                    if target is not None:
                        target.write_bytes(CUT_SHORT)
        return damaged

    def _target(self, parts: tuple[str, ...]) -> Path:
        """Where a member goes: each part of its name made safe, so that none leads elsewhere.

        Where two names have become one by that, or differ only in case, the later has a number.
        """
        *folders, name = parts
        stem, dot, ending = name.rpartition(".")
        name = f"{safe_name(stem)}.{safe_name(ending)}" if dot and stem else safe_name(name)
        target = self._folder.joinpath(*map(safe_name, folders), name)
        while True:
            key = target.with_name(target.name.casefold())
            self._names[key] += 1
            if self._names[key] == 1 and not target.exists():
                return target
            target = target.with_name(f"{target.stem}-{self._names[key]}{target.suffix}")

    def _write(self, info: zipfile.ZipInfo, target: Path, owner: str) -> None:
        limit = _limit(target)
        if owner:
            limit = min(limit, MAX_UNPACKED_BYTES - self._of_owner[owner])
        with target.open("xb") as file:
            if not _limit(target):
                return
            written = 0
            with self._opened.open(info) as source:
                while written <= limit and (block := source.read(BLOCK_BYTES)):
                    written += len(block)
                    self._left -= len(block)
                    if self._left < 0:
                        raise _too_large(self._shown)
                    file.write(block)
            if written > limit:
                # Refused for its size when it is read, without taking up the disk.
                file.truncate(0)
                file.truncate(MAX_FILE_BYTES + 1)
            self._of_owner[owner] += written


def _limit(target: Path) -> int:
    """Bytes that are unpacked of a file at most; 0 where its name is enough."""
    if target.name == METADATA_NAME:
        return MAX_METADATA_BYTES
    return MAX_FILE_BYTES if _is_wanted(target.name) or "." not in target.name else 0


def _too_large(shown: str) -> MalformedSubmission:
    return MalformedSubmission(
        f"“{shown}” holds more than a class's submissions do. Unpack it by hand, and grade the "
        "folder."
    )


MAX_DEPTH = 40
MAX_EVENTS = 3_000_000
"""Keys and values; a thousand submissions have under one million. One takes up to 600 bytes."""
# The C parser is ten times as fast. Neither makes anything but text, lists and dicts, so that
# Ruby's symbols, times and tags are nothing special.
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_metadata(path: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """The YAML file's content by folder, or None and why it cannot be used."""
    shown = f"{shown_name(path.parent.name)}/{METADATA_NAME}"
    without = "names and e-mail addresses will be missing."
    try:
        if path.is_symlink() or path.stat().st_size > MAX_METADATA_BYTES:
            return None, [f"{shown} is not the file that Gradescope writes; {without}"]
        text = path.read_bytes()
    except FileNotFoundError:
        return None, [f"{shown} is missing; {without}"]
    except OSError as error:
        return None, [f"{shown} cannot be read ({error.strerror}); {without}"]
    try:
        _refuse_bombs(text)
        content = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        return None, [f"{shown} is damaged{place}; {without}"]
    if not isinstance(content, dict):
        return None, [f"{shown} does not list submissions; {without}"]
    entries = {name: entry for name, entry in content.items() if _is_name(name)}
    if len(entries) < len(content):
        passed = len(content) - len(entries)
        return entries, [f"{shown} names {passed} folders as Gradescope never does: passed over."]
    return entries, []


def _refuse_bombs(text: bytes) -> None:
    """Look at size and nesting, before all of it is held and a parser in C recurses into it."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if number > MAX_EVENTS:
            raise ValueError("too many values")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _is_name(name: Any) -> bool:
    """Whether it is the name of a folder beside the file, and nothing that leads elsewhere."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")
