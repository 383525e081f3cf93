"""From what staff name on the command line to everything that is to be graded.

That is exports of whole classes, zips of them, folders and files. Whatever is not an export, also
where it lies beside one, is searched for notebooks, each of them a submission.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.core.errors import MalformedSubmission, UsageError
from autograder.core.text import one_line, safe_name, shown_name
from autograder.intake import Handin
from autograder.intake.archives import may_hold_notebook, unpack_class
from autograder.intake.exports import Export, export_in
from autograder.intake.folders import (
    Search,
    handin_at,
    is_grades_folder,
    is_notebook_name,
    name_by_place,
    number_repeats,
    place_of,
    search_folder,
)
from autograder.intake.upload import find_notebook, looks_like_notebook

MAX_LISTED = 5
"""Names in one sentence, or note."""
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
    if not (collector.folders or collector.refusals or collector.files):
        why = " ".join([*collector.passed_over, *collector.warnings])
        raise UsageError(f"Nothing to grade: {why}")
    handins = [
        _notebook_of(handin, scratch=collector.place(), assignment_id=assignment_id)
        for handin in _latest_only(collector.folders)
    ]
    handins += [*collector.refusals, *name_by_place(collector.other_files())]
    # Whatever a platform calls it, it must be one name, and unlike all others.
    names = number_repeats([safe_name(handin.submission) for handin in handins])
    return Intake(
        handins=tuple(
            replace(handin, submission=name) for handin, name in zip(handins, names, strict=True)
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
        self.folders: list[Handin] = []
        self.refusals: list[Handin] = []
        self.files: list[Handin] = []
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

    def other_files(self) -> list[Handin]:
        """The notebooks that are not in an export which was named as well."""
        folders = {place_of(handin.path) for handin in self.folders if not handin.is_missing}
        return [
            handin
            for handin in self.files
            if folders.isdisjoint(map(str, Path(place_of(handin.path)).parents))
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
                self.files.append(handin_at(path))
            else:
                self.passed_over.append(
                    f"{_named(path)} is not a notebook; expected is {EXPECTED}."
                )
        except OSError as error:
            self._refuse(path, f"“{shown_name(path.name)}” cannot be read: {error.strerror}.")

    def _refuse(self, path: Path, why: str) -> None:
        self.refusals.append(handin_at(path, why))

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
        before = len(self.folders) + len(self.files)
        roots = _roots(folder)
        export = next(filter(None, map(self._export_in, roots)), None)
        if export is not None:
            self.folders += export.handins
            self.warnings += export.warnings
        rest = search_folder(folder, export.covered if export else ())
        archives = self._uploads_in(roots, rest)
        self.files += rest.notebooks
        self.folders += archives
        self._warn_about(folder, rest, archives, export)
        return len(self.folders) + len(self.files) > before

    def _export_in(self, folder: Path) -> Export | None:
        if is_grades_folder({entry.name for entry in folder.iterdir()}):
            return None
        return export_in(folder, scratch=self.place())

    def _uploads_in(self, roots: Sequence[Path], found: Search) -> list[Handin]:
        """The archives that are students' uploads, each in a folder of its own."""
        # Below the first level an archive beside a notebook is mostly its data.
        homes = {handin.path.parent for handin in found.notebooks} - set(roots)
        uploads = []
        for archive in found.archives:
            if archive.parent in homes and not may_hold_notebook(archive):
                continue
            place = self.place()
            _link(archive, place / archive.name)
            uploads.append(Handin(submission=archive.stem, path=place))
        return uploads

    def _warn_about(
        self, folder: Path, rest: Search, archives: Sequence[Handin], export: Export | None
    ) -> None:
        """Say what else there is in a folder, so that nobody is forgotten."""
        beside = len(rest.notebooks) + len(archives)
        if export is not None and beside:
            others = "1 other is" if beside == 1 else f"{beside} others are"
            count = len(export.handins)
            own = "1 submission" if count == 1 else f"{count} submissions"
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


def _latest_only(handins: Sequence[Handin]) -> list[Handin]:
    """Of several by the same student the latest, with a note for staff that lists the others."""
    by_owner: dict[str, list[int]] = {}
    for number, handin in enumerate(handins):
        by_owner.setdefault(handin.owner or f"\0{number}", []).append(number)
    kept: dict[int, Handin] = {}
    for group in by_owner.values():
        # As an export lists them, where it does not say when they were handed in.
        *earlier, number = sorted(group, key=lambda number: (handins[number].when, number))
        last = handins[number]
        if earlier:
            labels = [handins[number].submission for number in reversed(earlier[-MAX_LISTED:])]
            more = f" and {len(earlier) - MAX_LISTED} more" if len(earlier) > MAX_LISTED else ""
            note = (
                f"The latest of {len(earlier) + 1} submissions; not graded: "
                f"{', '.join(labels)}{more}."
            )
            last = replace(last, staff_notes=(*last.staff_notes, note))
        kept[number] = last
    return [kept[number] for number in sorted(kept)]


def _notebook_of(handin: Handin, *, scratch: Path, assignment_id: str) -> Handin:
    """`find_notebook`, where a folder that cannot be read costs that submission alone."""
    if handin.is_missing:
        return handin
    try:
        return find_notebook(handin, scratch=scratch, assignment_id=assignment_id)
    except OSError as error:
        return replace(handin, refusal=f"The upload cannot be read: {error.strerror}.")


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
