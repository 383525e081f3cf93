"""Whole classes: what Gradescope, Canvas and nbgrader export, zips of it, and plain folders.

::

    assignment_7_export/submission_metadata.yml, submission_12/...      Gradescope
    doejane_LATE_345_678_m5.ipynb, ...                                  Canvas, one flat folder
    submitted/<student>/<assignment>/<notebook>.ipynb                   nbgrader

Whatever is none of these, also where it lies beside an export, is searched for notebooks, each of
them a submission.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from autograder.core.errors import MalformedSubmission, UsageError
from autograder.core.text import one_line
from autograder.intake.archives import may_hold_notebook
from autograder.intake.candidates import (
    Candidate,
    Search,
    Spot,
    is_grades_folder,
    is_notebook_name,
    name_spots,
    place_of,
    search_folder,
)
from autograder.intake.canvas import find_canvas, is_canvas_folder
from autograder.intake.class_archives import unpack_class
from autograder.intake.gradescope_export import find_gradescope, is_gradescope_folder
from autograder.intake.handins import Export, Find, Handin, Student, handin_of, latest_only
from autograder.intake.naming import name_candidates, safe_name, shown_name
from autograder.intake.nbgrader import find_nbgrader, submitted_folder
from autograder.intake.uploads import looks_like_notebook

__all__ = ["Handin", "Intake", "Student", "collect"]

MAX_LISTED = 5
"""Names in one sentence."""
EXPECTED = (
    "a notebook (.ipynb), a zip, a folder that holds some, or an export of Gradescope, Canvas or "
    "nbgrader"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """All that is to be graded, and what staff should know about it."""

    handins: tuple[Handin, ...]
    """No two have the same name of their results folder."""
    warnings: tuple[str, ...]
    passed_over: tuple[str, ...] = ()
    """Of the paths that were named, those that hold no submission, each with what it is."""


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
        Exports first, in the order of `paths`; at least one submission.

    Raises
    ------
    UsageError
        If a path does not exist, or none of them holds a submission.
    """
    _refuse_missing(paths)
    collector = _Collector(scratch)
    for path in paths:
        collector.add(path)
    if not (collector.finds or collector.refusals or collector.spots):
        why = " ".join([*collector.passed_over, *collector.warnings])
        raise UsageError(f"Nothing to grade: {why}")
    handins = [
        _handin(find, scratch=collector.place(), assignment_id=assignment_id)
        for find in latest_only(collector.finds)
    ]
    handins += collector.refusals
    handins += [Handin(candidate=each) for each in name_spots(collector.other_spots())]
    # Whatever a label looks like, it must be one name, and unlike all others.
    names = name_candidates([PurePath(safe_name(handin.submission) + ".x") for handin in handins])
    return Intake(
        handins=tuple(
            replace(handin, candidate=replace(handin.candidate, submission=name))
            for handin, name in zip(handins, names, strict=True)
        ),
        warnings=tuple(collector.warnings),
        passed_over=tuple(collector.passed_over),
    )


def _refuse_missing(paths: Sequence[Path]) -> None:
    missing = []
    for path in paths:
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL character
            why = "a link to nothing" if path.is_symlink() else "not there"
            missing.append(f"{_named(path)} is {why}.")
        except OSError as error:
            missing.append(f"{_named(path)} cannot be opened: {error.strerror}.")
    if missing:
        raise UsageError(f"{' '.join(missing)} Nothing was graded; expected is {EXPECTED}.")


class _Collector:
    def __init__(self, scratch: Path) -> None:
        self.finds: list[Find] = []
        self.refusals: list[Handin] = []
        self.spots: list[Spot] = []
        self.warnings: list[str] = []
        self.passed_over: list[str] = []
        self._scratch = scratch
        self._count = 0
        self._seen: set[str] = set()

    def place(self) -> Path:
        """A fresh folder."""
        self._count += 1
        folder = self._scratch / str(self._count)
        folder.mkdir()
        return folder

    def other_spots(self) -> list[Spot]:
        """The notebooks that are not in an export which was named as well."""
        folders = {place_of(find.folder) for find in self.finds if find.folder is not None}
        return [
            spot
            for spot in self.spots
            if folders.isdisjoint(map(str, Path(place_of(spot.path)).parents))
        ]

    def add(self, path: Path) -> None:
        """Take in what was named on the command line."""
        place = place_of(path)
        if place in self._seen:
            return
        self._seen.add(place)
        try:
            if path.is_dir():
                if not self._add_folder(path):
                    self.passed_over.append(_what_it_is(path))
            elif path.name.lower().endswith(".zip") and path.is_file():
                self._add_archive(path)
            elif is_notebook_name(path.name) or (path.is_file() and looks_like_notebook(path)):
                self.spots.append(Spot(path=path))
            else:
                self.passed_over.append(
                    f"{_named(path)} is not a notebook; expected is {EXPECTED}."
                )
        except OSError as error:
            self._refuse(path, f"“{shown_name(path.name)}” cannot be read: {error.strerror}.")

    def _refuse(self, path: Path, why: str) -> None:
        candidate = Candidate(submission=path.stem, path=path, refusal=why)
        self.refusals.append(Handin(candidate=candidate))

    def _add_archive(self, path: Path) -> None:
        folder = self.place() / safe_name(path.name[:-4])
        folder.mkdir()
        try:
            self.warnings += unpack_class(path, folder)
        except MalformedSubmission as error:
            self._refuse(path, str(error))
            return
        if not self._add_folder(folder):
            shown = shown_name(path.name)
            self._refuse(path, f"“{shown}” holds no notebook. Upload a file that ends in .ipynb.")

    def _add_folder(self, folder: Path) -> bool:
        """Whether there is a submission in it."""
        before = len(self.finds) + len(self.spots)
        roots = _roots(folder)
        export = next(filter(None, map(self._export_in, roots)), None)
        if export is not None:
            self.finds += export.finds
            self.warnings += export.warnings
        rest = search_folder(folder, export.covered if export else ())
        archives = self._uploads_in(roots, rest)
        self.spots += rest.notebooks
        self.finds += archives
        self._warn_about(folder, rest, archives, export)
        return len(self.finds) + len(self.spots) > before

    def _export_in(self, folder: Path) -> Export | None:
        if is_grades_folder({entry.name for entry in folder.iterdir()}):
            return None
        if is_gradescope_folder(folder):
            return find_gradescope(folder)
        if submitted := submitted_folder(folder):
            return find_nbgrader(submitted)
        if is_canvas_folder(folder):
            return find_canvas(folder, scratch=self.place())
        return None

    def _uploads_in(self, roots: Sequence[Path], found: Search) -> list[Find]:
        """The archives that are students' uploads, each in a folder of its own."""
        # Below the first level an archive beside a notebook is mostly its data.
        homes = {spot.path.parent for spot in found.notebooks} - set(roots)
        finds = []
        for archive in found.archives:
            if archive.parent in homes and not may_hold_notebook(archive):
                continue
            place = self.place()
            _link(archive, place / archive.name)
            finds.append(Find(label=archive.stem, folder=place))
        return finds

    def _warn_about(
        self, folder: Path, rest: Search, archives: Sequence[Find], export: Export | None
    ) -> None:
        """Say what else there is in a folder, so that nobody is forgotten."""
        beside = len(rest.notebooks) + len(archives)
        if export is not None and beside:
            others = "1 other is" if beside == 1 else f"{beside} others are"
            own = "1 submission" if len(export.finds) == 1 else f"{len(export.finds)} submissions"
            self.warnings.append(
                f"{shown_name(folder.name or str(folder))} looks like an export of "
                f"{export.system}, with {own}. {others} beside it, and graded too, without the "
                "students' names."
            )
        for path in rest.grades:
            self.warnings.append(
                f"Passed over, since `m5 grade` wrote it: the folder {_named(path)}."
            )
        if rest.hidden:
            names = _listed([path.name for path in rest.hidden])
            self.warnings.append(
                f"Passed over, since their names begin with a dot: {names}. "
                "Rename those that are to be graded."
            )


def _handin(find: Find, *, scratch: Path, assignment_id: str) -> Handin:
    """`handin_of`, where a folder that cannot be read costs that submission alone."""
    try:
        return handin_of(find, scratch=scratch, assignment_id=assignment_id)
    except OSError as error:
        why = f"The upload cannot be read: {error.strerror}."
        candidate = Candidate(submission=find.label, path=Path(find.label), refusal=why)
        return Handin(candidate=candidate, students=find.students, staff_notes=find.staff_notes)


def _what_it_is(folder: Path) -> str:
    """The sentence about a folder without submissions."""
    names = {entry.name for entry in folder.iterdir()}
    if is_grades_folder(names):
        return f"{_named(folder)} holds grades that `m5 grade` wrote, no submissions."
    holds = "is empty" if not names else "holds no notebook"
    return f"The folder {_named(folder)} {holds}; expected is {EXPECTED}."


def _roots(folder: Path) -> list[Path]:
    """The folder itself, and where it holds one folder and nothing else, as zips do, that one."""
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__"))]
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        return [folder, entries[0]]
    return [folder]


def _named(path: Path) -> str:
    """A path as it was given, in a sentence."""
    return f"“{one_line(str(path))}”"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(map(shown_name, names[:MAX_LISTED])) + more


def _link(source: Path, target: Path) -> None:
    """The same file under another name, where the file system can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
