"""nbgrader's tree: ``submitted/<student>/<assignment>/<notebook>.ipynb``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autograder.intake.handins import Export, Find, Student

SUBMITTED_NAME = "submitted"
OWN_FOLDERS = ("source", "release", "autograded", "feedback", "downloaded", "exchange")
"""Beside `submitted` in a course's folder: what was handed out, and what nbgrader itself made."""


def submitted_folder(folder: Path) -> Path | None:
    """The folder `submitted` that `folder` is or holds, if it has nbgrader's three levels."""
    for place in (folder, folder / SUBMITTED_NAME):
        if place.name == SUBMITTED_NAME and place.is_dir() and not place.is_symlink():
            for student in _folders(place):
                for assignment in _folders(student):
                    if any(assignment.glob("*.ipynb")):
                        return place
    return None


def find_nbgrader(submitted: Path) -> Export:
    """One submission a student, whatever assignments and notebooks lie in the folder."""
    own = [submitted.parent / name for name in OWN_FOLDERS]
    return Export(
        system="nbgrader",
        finds=tuple(
            Find(
                label=student.name,
                folder=student,
                students=(Student(name=student.name, sid=student.name),),
            )
            for student in _folders(submitted)
        ),
        covered=(*_folders(submitted), *(path for path in own if path.is_dir())),
    )


def _folders(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield entry
