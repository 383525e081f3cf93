"""nbgrader's tree: ``submitted/<student>/<assignment>/<notebook>.ipynb``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autograder.intake.handins import Find, Student

SUBMITTED_NAME = "submitted"


def submitted_folder(folder: Path) -> Path | None:
    """The folder `submitted` that `folder` is or holds, if it has nbgrader's three levels."""
    for place in (folder, folder / SUBMITTED_NAME):
        if place.name == SUBMITTED_NAME and place.is_dir() and not place.is_symlink():
            for student in _folders(place):
                for assignment in _folders(student):
                    if any(assignment.glob("*.ipynb")):
                        return place
    return None


def find_nbgrader(submitted: Path) -> list[Find]:
    """One submission a student, whatever assignments and notebooks lie in the folder."""
    return [
        Find(
            label=student.name,
            folder=student,
            students=(Student(name=student.name, sid=student.name),),
        )
        for student in _folders(submitted)
    ]


def _folders(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield entry
