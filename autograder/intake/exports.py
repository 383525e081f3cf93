"""Whole classes: what Gradescope, Canvas and nbgrader export, zips of it, and plain folders.

::

    assignment_7_export/submission_metadata.yml, submission_12/...      Gradescope
    doejane_LATE_345_678_m5.ipynb, ...                                  Canvas, one flat folder
    submitted/<student>/<assignment>/<notebook>.ipynb                   nbgrader

Whatever is none of these is searched for notebooks, each of them a submission.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from autograder.errors import MalformedSubmission
from autograder.intake.candidates import Candidate, find_submissions, hidden_notebooks
from autograder.intake.canvas import find_canvas, is_canvas_folder
from autograder.intake.class_archives import unpack_class
from autograder.intake.gradescope_export import find_gradescope, is_gradescope_folder
from autograder.intake.handins import Find, Handin, Student, handin_of, latest_only
from autograder.intake.naming import name_candidates, safe_name, shown_name
from autograder.intake.nbgrader import find_nbgrader, submitted_folder

__all__ = ["Handin", "Intake", "Student", "collect"]

MAX_LISTED = 5
"""Hidden notebooks that are named in the sentence about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """All that is to be graded, and what staff should know about it."""

    handins: tuple[Handin, ...]
    """No two have the same name of their results folder."""
    warnings: tuple[str, ...]


def collect(paths: Sequence[Path], *, scratch: Path, assignment_id: str) -> Intake:
    """Find every submission in exports, archives, folders and files.

    Parameters
    ----------
    scratch
        An empty folder for what is unpacked; must outlive the result.
    assignment_id
        What the mark in the released notebook says, to tell it from other notebooks by.

    Returns
    -------
    Intake
        Exports first, in the order of `paths`; at least one submission for each path, if only to
        say why there is none.
    """
    collector = _Collector(scratch)
    for path in paths:
        collector.add(path)
    handins = [
        handin_of(find, scratch=collector.place(), assignment_id=assignment_id)
        for find in latest_only(collector.finds)
    ]
    handins += collector.refusals
    handins += [Handin(candidate=each) for each in _plain(collector, assignment_id)]
    # Whatever a label looks like, it must be one name, and unlike all others.
    names = name_candidates([PurePath(safe_name(handin.submission) + ".x") for handin in handins])
    return Intake(
        handins=tuple(
            replace(handin, candidate=replace(handin.candidate, submission=name))
            for handin, name in zip(handins, names, strict=True)
        ),
        warnings=(*collector.warnings, *_passed_over(hidden_notebooks(collector.plain))),
    )


class _Collector:
    def __init__(self, scratch: Path) -> None:
        self.finds: list[Find] = []
        self.refusals: list[Handin] = []
        self.plain: list[Path] = []
        self.warnings: list[str] = []
        self._scratch = scratch
        self._count = 0

    def place(self) -> Path:
        """A fresh folder."""
        self._count += 1
        folder = self._scratch / str(self._count)
        folder.mkdir()
        return folder

    def add(self, path: Path) -> None:
        """Take in what was named on the command line."""
        if path.name.lower().endswith(".zip") and path.is_file():
            folder = self.place() / safe_name(path.name[:-4])
            folder.mkdir()
            try:
                unpack_class(path, folder)
            except MalformedSubmission as error:
                candidate = Candidate(submission=path.stem, path=path, refusal=str(error))
                self.refusals.append(Handin(candidate=candidate))
                return
            path = folder
        try:
            if not path.is_dir() or not any(self._add_export(each) for each in _roots(path)):
                self.plain.append(path)
        except OSError as error:
            why = f"{shown_name(path.name)} cannot be read: {error.strerror}."
            self.refusals.append(
                Handin(candidate=Candidate(submission=path.stem, path=path, refusal=why))
            )

    def _add_export(self, folder: Path) -> bool:
        if is_gradescope_folder(folder):
            finds, warnings = find_gradescope(folder)
            self.warnings += warnings
        elif submitted := submitted_folder(folder):
            finds = find_nbgrader(submitted)
        elif is_canvas_folder(folder):
            finds = find_canvas(folder, scratch=self.place())
        else:
            return False
        self.finds += finds
        return True


def _roots(folder: Path) -> list[Path]:
    """The folder itself, and where it holds one folder and nothing else, as zips do, that one."""
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__"))]
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        return [folder, entries[0]]
    return [folder]


def _plain(collector: _Collector, assignment_id: str) -> list[Candidate]:
    """Notebooks in folders without a layout, and archives there: each a student's upload."""
    if not collector.plain:
        return []
    zips = [
        entry
        for folder in collector.plain
        if folder.is_dir()
        for entry in sorted(folder.iterdir())
        if entry.name.lower().endswith(".zip") and entry.is_file() and not entry.is_symlink()
    ]
    found = find_submissions(collector.plain)
    homes = {entry.parent for entry in zips}
    kept = [each for each in found if not (each.refusal and each.path in homes)]
    for archive in zips:
        place = collector.place()
        _link(archive, place / archive.name)
        find = Find(label=archive.stem, folder=place)
        kept.append(
            handin_of(find, scratch=collector.place(), assignment_id=assignment_id).candidate
        )
    return kept


def _passed_over(hidden: Sequence[Path]) -> Iterator[str]:
    """The sentence for staff about notebooks that nobody sees, if there are any."""
    if hidden:
        names = ", ".join(shown_name(path.name) for path in hidden[:MAX_LISTED])
        more = f" and {len(hidden) - MAX_LISTED} more" if len(hidden) > MAX_LISTED else ""
        yield (
            f"Passed over, since their names begin with a dot: {names}{more}. "
            "Rename those that are to be graded."
        )


def _link(source: Path, target: Path) -> None:
    """The same file under another name, where the file system can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
