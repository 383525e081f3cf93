"""A zip of a whole class's submissions, unpacked so that its folders can be told apart.

Only what can be graded, or says whose it is, is unpacked; of other files the name alone is kept,
so that a student who handed in a PDF is told so.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from autograder.errors import MalformedSubmission
from autograder.intake.candidates import NOTEBOOK_ENDINGS, SKIPPED_FOLDERS
from autograder.intake.gradescope_export import MAX_METADATA_BYTES, METADATA_NAME
from autograder.intake.naming import safe_name, shown_name
from autograder.intake.reading import MAX_FILE_BYTES

MAX_MEMBERS = 100_000
MAX_UNPACKED_BYTES = 8 << 30
"""A thousand notebooks with all their pictures; a larger class comes in parts."""
BLOCK_BYTES = 1 << 20


def unpack_class(archive: Path, folder: Path) -> None:
    """Unpack what matters of `archive` into `folder`, and nothing anywhere else.

    Raises
    ------
    MalformedSubmission
        If it is no zip archive, is damaged, or holds more than it may.
    """
    shown = shown_name(archive.name)
    left = MAX_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > MAX_MEMBERS:
                raise _too_large(shown)
            for info in members:
                target = _target(info, folder)
                if target is None:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _unpack(opened, info, target, left, shown)
    except MalformedSubmission:
        raise
    # As in `archives`: a broken archive finds a new exception every year.
    except Exception as error:
        raise MalformedSubmission(
            f"“{shown}” is damaged, or no zip archive ({type(error).__name__}). Download the "
            "export again."
        ) from None


def _target(info: zipfile.ZipInfo, folder: Path) -> Path | None:
    """Where a member goes: each part of its name made safe, so that none leads elsewhere."""
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    parts = tuple(part for part in parts if part not in ("/", ".", ".."))
    hidden = any(part.startswith(".") or part in SKIPPED_FOLDERS for part in parts)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not parts or hidden or info.is_dir() or kind not in (0, stat.S_IFREG):
        return None
    *folders, name = parts
    stem, dot, ending = name.rpartition(".")
    name = f"{safe_name(stem)}.{safe_name(ending)}" if dot and stem else safe_name(name)
    return _unlike_others(folder.joinpath(*map(safe_name, folders), name))


def _unlike_others(target: Path) -> Path:
    """`target`, with a number where two names have become one by being made safe."""
    number, unique = 1, target
    while unique.exists():
        number += 1
        unique = target.with_name(f"{target.stem}-{number}{target.suffix}")
    return unique


def _unpack(
    opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int, shown: str
) -> int:
    wanted = target.name.lower().endswith((*NOTEBOOK_ENDINGS, ".zip"))
    if target.name == METADATA_NAME:
        limit = MAX_METADATA_BYTES
    else:
        limit = MAX_FILE_BYTES if wanted or "." not in target.name else 0
    written = 0
    with target.open("xb") as file:
        if not limit:
            return 0
        with opened.open(info) as source:
            # One byte more than may be read: enough for the reader of notebooks to refuse it.
            while written <= limit and (
                block := source.read(min(BLOCK_BYTES, limit + 1 - written))
            ):
                written += len(block)
                if written > left:
                    raise _too_large(shown)
                file.write(block)
    return written


def _too_large(shown: str) -> MalformedSubmission:
    return MalformedSubmission(
        f"“{shown}” holds more than a class's submissions do. Unpack it by hand, and grade the "
        "folder."
    )
