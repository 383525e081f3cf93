"""From the paths on the command line to the files that might be submissions."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.intake.naming import name_candidates, shown_name

NOTEBOOK_ENDINGS = (".ipynb", ".ipynb.json", ".ipynb.txt")
"""Browsers add ``.json`` or ``.txt`` to a download that they take for text."""

SKIPPED_FOLDERS = frozenset({"__MACOSX", "__pycache__", "node_modules"})
"""Hold copies or nobody's work; hidden folders (``.ipynb_checkpoints``) are skipped as well."""


_GRADES = ({"grades.csv", "submissions"}, {"results.json", "report.json", "grading.log"})
"""What lies in a folder that `m5 grade` wrote, and in each submission's folder there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that might be a submission, or the place where one was expected."""

    submission: str
    """Name of its results folder: safe on any system, unlike every other of the batch."""
    path: Path
    name: str = ""
    """The student's name, where an export tells it."""
    email: str = ""
    refusal: str = ""
    """Why there is nothing to read, as a sentence for the student; empty for a file to try."""
    is_missing: bool = False
    """Nothing was handed in here, so that there is no score, not even a zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A file that is a submission by its place and name, before it has a label."""

    path: Path
    refusal: str = ""


@dataclass(slots=True, kw_only=True)
class Search:
    """What was found in a folder, at any depth; each list sorted by path."""

    notebooks: list[Spot] = field(default_factory=list)
    archives: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    """Notebooks that are passed over since their names begin with a dot. Those that begin with
    ``._`` are not among them: macOS leaves such a file, which holds no notebook, beside every
    file that it copies to a foreign disk."""
    grades: list[Path] = field(default_factory=list)
    """Folders that `m5 grade` wrote, passed over since their notebooks are copies."""


def find_submissions(paths: Sequence[Path]) -> list[Candidate]:
    """Find notebooks; what is called like one and cannot be read is listed too, with the reason.

    Parameters
    ----------
    paths
        Files, taken as they are, and folders, searched for notebooks at any depth. Hidden folders
        are skipped, and links inside a folder are not followed: an unpacked archive may hold
        links to a classmate's work or to the grader's own files.

    Returns
    -------
    list of Candidate
        In the order of `paths`, within a folder sorted by path; every file once.
    """
    spots: list[Spot] = []
    for path in paths:
        spots += search_folder(path).notebooks if path.is_dir() else [Spot(path=path)]
    return name_spots(spots)


def name_spots(spots: Sequence[Spot]) -> list[Candidate]:
    """Candidates with a name each, every file once."""
    # Links among the folders above are resolved, a link at the end is not: it is a submission of
    # its own, and refused.
    by_place: dict[str, Spot] = {}
    for spot in spots:
        by_place.setdefault(place_of(spot.path), spot)
    once = list(by_place.values())
    names = name_candidates([_without_ending(spot.path) for spot in once])
    return [
        Candidate(submission=name, path=spot.path, refusal=spot.refusal)
        for name, spot in zip(names, once, strict=True)
    ]


def place_of(path: Path) -> str:
    """The same text for every way of naming this file or folder."""
    try:
        return str(Path(os.path.realpath(path.parent), path.name))
    except (OSError, ValueError):  # ValueError: a NUL character in the path
        return str(path)


def search_folder(folder: Path, leaving: Collection[Path] = ()) -> Search:
    """Look for notebooks and zip archives in `folder`, at any depth.

    Parameters
    ----------
    leaving
        Files and folders below `folder` that are not looked at.
    """
    found = Search()
    left = set(leaving)
    called_notebook: list[Path] = []
    for parent, folders, files in os.walk(folder, followlinks=False):
        here = Path(parent)
        if is_grades_folder([*folders, *files]):
            found.grades.append(here)
            folders.clear()
            continue
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(
            name
            for name in folders
            if _is_searched(name) and name not in links and here / name not in left
        )
        called_notebook += [here / name for name in folders if is_notebook_name(name)]
        for name in [*files, *links]:
            path = here / name
            if path in left:
                continue
            if is_notebook_name(name):
                _take_notebook(path, found)
            elif _is_archive(path):
                found.archives.append(path)
    found.notebooks += _empty_folders(called_notebook, found)
    found.notebooks.sort(key=lambda spot: spot.path.parts)
    for paths in (found.archives, found.hidden, found.grades):
        paths.sort(key=lambda path: path.parts)
    return found


def is_grades_folder(names: Collection[str]) -> bool:
    """Whether a folder with these names in it was written by `m5 grade`."""
    return any(wanted <= set(names) for wanted in _GRADES)


def is_notebook_name(name: str) -> bool:
    """Whether a file is called as notebooks are."""
    return name.lower().endswith(NOTEBOOK_ENDINGS)


def _take_notebook(path: Path, found: Search) -> None:
    if path.name.startswith("."):
        if not path.name.startswith("._"):
            found.hidden.append(path)
    elif path.is_symlink():
        refusal = f"“{shown_name(path.name)}” is a link. Upload the notebook itself."
        found.notebooks.append(Spot(path=path, refusal=refusal))
    else:
        found.notebooks.append(Spot(path=path))


def _is_archive(path: Path) -> bool:
    if path.name.startswith(".") or not path.name.lower().endswith(".zip"):
        return False
    return path.is_file() and not path.is_symlink()


def _empty_folders(folders: Sequence[Path], found: Search) -> Iterator[Spot]:
    """Those of `folders`, each called like a notebook, that hold none."""
    holders = {parent for spot in found.notebooks for parent in spot.path.parents}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        if folder not in holders:
            holders.update(folder.parents)
            refusal = f"“{shown_name(folder.name)}” is a folder. Upload the notebook file itself."
            yield Spot(path=folder, refusal=refusal)


def _is_searched(folder: str) -> bool:
    return not folder.startswith(".") and folder not in SKIPPED_FOLDERS


def _without_ending(path: Path) -> Path:
    """`path` with one ending to lose, so that ``m5.ipynb.txt`` has the stem ``m5``."""
    for ending in NOTEBOOK_ENDINGS[1:]:
        if path.name.lower().endswith(ending):
            return path.with_name(path.name[: -len(ending)] + ".ipynb")
    return path
