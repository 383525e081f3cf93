"""From the paths on the command line to the files that might be submissions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.intake.naming import name_candidates, shown_name

NOTEBOOK_ENDINGS = (".ipynb", ".ipynb.json", ".ipynb.txt")
"""Browsers add ``.json`` or ``.txt`` to a download that they take for text."""

SKIPPED_FOLDERS = frozenset({"__MACOSX", "__pycache__", "node_modules"})
"""Hold copies or nobody's work; hidden folders (``.ipynb_checkpoints``) are skipped as well."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Find:
    """A candidate before it has a name."""

    path: Path
    refusal: str = ""


def find_submissions(paths: Sequence[Path]) -> list[Candidate]:
    """Find what there is to grade; whatever cannot be graded is listed too, with the reason.

    Parameters
    ----------
    paths
        Files, taken as they are, and folders, searched for notebooks at any depth. Hidden folders
        are skipped, and links inside a folder are not followed: an unpacked archive may hold
        links to a classmate's work or to the grader's own files.

    Returns
    -------
    list of Candidate
        In the order of `paths`, within a folder sorted by path; every file once. At least one
        for each path, unless it was named before.
    """
    finds: list[_Find] = []
    seen: set[str] = set()
    for path in paths:
        for find in _search(path):
            # Links among the folders above are resolved, a link at the end is not: it is
            # a find of its own, and refused.
            key = str(Path(os.path.realpath(find.path.parent), find.path.name))
            if key not in seen:
                seen.add(key)
                finds.append(find)
    names = name_candidates([_without_ending(find.path) for find in finds])
    return [
        Candidate(submission=name, path=find.path, refusal=find.refusal)
        for name, find in zip(names, finds, strict=True)
    ]


def hidden_notebooks(paths: Sequence[Path]) -> list[Path]:
    """Notebooks that `find_submissions` passes over since their names begin with a dot.

    Those that begin with ``._`` are not among them: macOS leaves such a file, which holds no
    notebook, beside every file that it copies to a foreign disk.
    """
    found: dict[Path, None] = {}
    for folder in paths:
        for parent, folders, files in os.walk(folder, followlinks=False):
            folders[:] = sorted(filter(_is_searched, folders))
            for name in sorted(files):
                if name.startswith(".") and not name.startswith("._") and _is_notebook_name(name):
                    found[Path(parent, name)] = None
    return list(found)


def _search(path: Path) -> Iterator[_Find]:
    shown = shown_name(path.name or str(path))
    try:
        if path.is_dir():
            yield from _search_folder(path)
        elif os.path.lexists(path):
            yield _Find(path=path)
        else:
            yield _Find(path=path, refusal=f"There is no file “{shown}”. Check its name.")
    except (OSError, ValueError):  # ValueError: a NUL character in the path
        yield _Find(path=path, refusal=f"“{shown}” cannot be opened. Upload the notebook again.")


def _search_folder(folder: Path) -> Iterator[_Find]:
    finds = sorted(_walk(folder), key=lambda find: find.path.parts)
    if finds:
        yield from finds
        return
    shown = shown_name(folder.name or str(folder))
    yield _Find(
        path=folder,
        refusal=f"The folder “{shown}” holds no notebook. Upload your notebook, "
        "a file whose name ends in .ipynb.",
    )


def _walk(folder: Path) -> Iterator[_Find]:
    for parent, folders, files in os.walk(folder, followlinks=False):
        here = Path(parent)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(name for name in folders if _is_searched(name) and name not in links)
        yield from _empty_notebook_folders(here, folders)
        for name in [*files, *links]:
            if name.startswith(".") or not _is_notebook_name(name):
                continue
            if (here / name).is_symlink():
                refusal = f"“{shown_name(name)}” is a link. Upload the notebook itself."
                yield _Find(path=here / name, refusal=refusal)
            else:
                yield _Find(path=here / name)


def _empty_notebook_folders(parent: Path, folders: Sequence[str]) -> Iterator[_Find]:
    """Folders that are called like a notebook and hold none."""
    for name in folders:
        if _is_notebook_name(name) and next(_walk(parent / name), None) is None:
            refusal = f"“{shown_name(name)}” is a folder. Upload the notebook file itself."
            yield _Find(path=parent / name, refusal=refusal)


def _is_searched(folder: str) -> bool:
    return not folder.startswith(".") and folder not in SKIPPED_FOLDERS


def _is_notebook_name(name: str) -> bool:
    return name.lower().endswith(NOTEBOOK_ENDINGS)


def _without_ending(path: Path) -> Path:
    """`path` with one ending to lose, so that ``m5.ipynb.txt`` has the stem ``m5``."""
    for ending in NOTEBOOK_ENDINGS[1:]:
        if path.name.lower().endswith(ending):
            return path.with_name(path.name[: -len(ending)] + ".ipynb")
    if path.is_dir() and not _is_notebook_name(path.name):
        return path.with_name(path.name + ".ipynb") if path.name else path.absolute()
    return path
