"""Canvas's export: one flat folder, in whose file names everything is said."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from autograder.intake.handins import Export, Find, Student
from autograder.intake.reading import MAX_FILE_BYTES

_NAME = re.compile(r"(?P<who>[^_]+)_(?:(?P<late>LATE)_)?(?P<user>\d+)_(?P<id>\d+)_(?P<file>.+)")
_AGAIN = re.compile(r"(?P<stem>.+?)-(?P<number>\d{1,3})(?P<ending>\.[^.]+)")
"""Canvas adds ``-1``, ``-2`` ... to what a student uploads again under the same name."""


def is_canvas_folder(folder: Path) -> bool:
    """Whether its files, or most of them, are called as Canvas calls them."""
    names = [e.name for e in os.scandir(folder) if e.is_file() and not e.name.startswith(".")]
    return 2 * sum(_NAME.fullmatch(name) is not None for name in names) > len(names)


def find_canvas(folder: Path, *, scratch: Path) -> Export:
    """All submissions of the folder, each with its files in a folder of its own."""
    groups: dict[tuple[str, str, str], dict[str, tuple[int, Path]]] = {}
    late: set[tuple[str, str, str]] = set()
    covered: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink() or not path.is_file():
            continue
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        covered.append(path)
        key = (match["who"], match["user"], match["id"])
        if match["late"]:
            late.add(key)
        again = _AGAIN.fullmatch(match["file"])
        name = again["stem"] + again["ending"] if again else match["file"]
        number = int(again["number"]) if again else 0
        files = groups.setdefault(key, {})
        if name not in files or number > files[name][0]:
            files[name] = (number, path)
    finds = []
    for count, (key, files) in enumerate(groups.items()):
        who, user, submission = key
        place = _lay_out(scratch / str(count), {name: path for name, (_, path) in files.items()})
        finds.append(
            Find(
                label=f"{who}_{user}_{submission}",
                folder=place,
                students=(Student(name=who, canvas_id=user),),
                # Canvas numbers submissions in order.
                when=submission.rjust(20, "0"),
                staff_notes=("Canvas marked it as late.",) if key in late else (),
            )
        )
    return Export(system="Canvas", finds=tuple(finds), covered=tuple(covered))


def _lay_out(place: Path, files: dict[str, Path]) -> Path:
    """The files in a folder of their own, under the names that students gave them."""
    place.mkdir()
    for name, path in files.items():
        if path.stat().st_size > MAX_FILE_BYTES:
            # So that it is refused for its size, and not copied for nothing.
            with (place / name).open("wb") as file:
                file.truncate(MAX_FILE_BYTES + 1)
        else:
            shutil.copyfile(path, place / name)
    return place
