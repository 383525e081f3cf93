"""Notebooks in folders: finding them at any depth, and a name for each that no other has."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from autograder.core.text import safe_name, shown_name
from autograder.intake import Handin

NOTEBOOK_ENDINGS = (".ipynb", ".ipynb.json", ".ipynb.txt")
"""Browsers add ``.json`` or ``.txt`` to a download that they take for text."""

SKIPPED_FOLDERS = frozenset({"__MACOSX", "__pycache__", "node_modules"})
"""Hold copies or nobody's work; hidden folders (``.ipynb_checkpoints``) are skipped as well."""

_GRADES = ({"grades.csv", "submissions"}, {"results.json", "report.json", "grading.log"})
"""What lies in a folder that `m5 grade` wrote, and in each submission's folder there."""


@dataclass(slots=True, kw_only=True)
class Search:
    """What was found in a folder, at any depth; each list sorted by path."""

    notebooks: list[Handin] = field(default_factory=list)
    archives: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    """Notebooks that are passed over since their names begin with a dot. Those that begin with
    ``._`` are not among them: macOS leaves such a file, which holds no notebook, beside every
    file that it copies to a foreign disk."""
    grades: list[Path] = field(default_factory=list)
    """Folders that `m5 grade` wrote, passed over since their notebooks are copies."""


def handin_at(path: Path, refusal: str = "") -> Handin:
    """A file or folder of which no more than its place is known."""
    return Handin(submission=path.stem, path=path, refusal=refusal)


def name_by_place(handins: Sequence[Handin]) -> list[Handin]:
    """Each file once, with a name that says as much of its place as tells it from the others."""
    # Links among the folders above are resolved, a link at the end is not: it is a submission of
    # its own, and refused.
    by_place: dict[str, Handin] = {}
    for handin in handins:
        by_place.setdefault(place_of(handin.path), handin)
    names = names_of([_without_ending(handin.path) for handin in by_place.values()])
    return [
        replace(handin, submission=name)
        for name, handin in zip(names, by_place.values(), strict=True)
    ]


def names_of(paths: Sequence[PurePath]) -> list[str]:
    """A folder name for each path: its stem; where two agree, with the folders above in front.

    Names that differ only in case count as alike, since macOS and Windows treat them so. What
    folders cannot tell apart gets a number.

    Parameters
    ----------
    paths
        In the order in which numbers are to be given.

    Returns
    -------
    list of str
        Safe and unique, in the order of `paths`.

    Examples
    --------
    >>> names_of([PurePath("ann/m5.ipynb"), PurePath("bob/m5.ipynb"), PurePath("x.ipynb")])
    ['ann_m5', 'bob_m5', 'x']
    """
    parts = [
        [*(part for part in path.parent.parts if part not in (path.anchor, ".", "..")), path.stem]
        for path in paths
    ]
    depths = [1] * len(parts)
    names = [_join(own, depth) for own, depth in zip(parts, depths, strict=True)]
    for _ in range(max(map(len, parts), default=0)):
        seen = Counter(name.casefold() for name in names)
        clashing = [i for i, name in enumerate(names) if seen[name.casefold()] > 1]
        if not clashing:
            break
        for i in clashing:
            depths[i] = min(depths[i] + 1, len(parts[i]))
            names[i] = _join(parts[i], depths[i])
    return number_repeats(names)


def number_repeats(names: Sequence[str]) -> list[str]:
    """`names`, which are safe, with ``-2``, ``-3`` ... behind what occurs again."""
    seen = Counter(name.casefold() for name in names)
    untouched = {name for name, count in seen.items() if count == 1}
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    result = []
    for name in names:
        key, unique = name.casefold(), name
        while unique.casefold() in taken or (unique != name and unique.casefold() in untouched):
            # Goes on where the last of that name left off, or thousands of them take an hour.
            numbers[key] += 1
            unique = safe_name(name, ending=f"-{numbers[key] + 1}")
        taken.add(unique.casefold())
        result.append(unique)
    return result


def _join(parts: Sequence[str], depth: int) -> str:
    return safe_name("_".join(parts[-depth:]))


def place_of(path: Path) -> str:
    """The same text for every way of naming this file or folder."""
    try:
        return str(Path(os.path.realpath(path.parent), path.name))
    except (OSError, ValueError):  # ValueError: a NUL character in the path
        return str(path)


def search_folder(folder: Path, leaving: Collection[Path] = ()) -> Search:
    """Look for notebooks and zip archives in `folder`, at any depth.

    Hidden folders are skipped, and links are not followed: an unpacked archive may hold links to a
    classmate's work or to the grader's own files.

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
    found.notebooks.sort(key=lambda handin: handin.path.parts)
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
        found.notebooks.append(handin_at(path, refusal))
    else:
        found.notebooks.append(handin_at(path))


def _is_archive(path: Path) -> bool:
    if path.name.startswith(".") or not path.name.lower().endswith(".zip"):
        return False
    return path.is_file() and not path.is_symlink()


def _empty_folders(folders: Sequence[Path], found: Search) -> Iterator[Handin]:
    """Those of `folders`, each called like a notebook, that hold none."""
    holders = {parent for handin in found.notebooks for parent in handin.path.parents}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        if folder not in holders:
            holders.update(folder.parents)
            refusal = f"“{shown_name(folder.name)}” is a folder. Upload the notebook file itself."
            yield handin_at(folder, refusal)


def _is_searched(folder: str) -> bool:
    return not folder.startswith(".") and folder not in SKIPPED_FOLDERS


def _without_ending(path: Path) -> Path:
    """`path` with one ending to lose, so that ``m5.ipynb.txt`` has the stem ``m5``."""
    for ending in NOTEBOOK_ENDINGS[1:]:
        if path.name.lower().endswith(ending):
            return path.with_name(path.name[: -len(ending)] + ".ipynb")
    return path
