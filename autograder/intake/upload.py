"""What one student handed in, a folder with anything in it: which notebook is to be graded?"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.core.errors import MalformedSubmission
from autograder.core.text import safe_name, shown_name
from autograder.intake import MAX_FILE_BYTES, Handin, Submission, read_submission
from autograder.intake.archives import (
    BLOCK_BYTES,
    MAX_DIRECTORY_BYTES,
    MAX_UNPACKED_BYTES,
    is_oversized,
    notebooks_in,
)
from autograder.intake.folders import NOTEBOOK_ENDINGS, SKIPPED_FOLDERS, search_folder
from autograder.intake.notebook import GET_NOTEBOOK, SNIFFED_BYTES

MAX_FILES = 10_000
"""Files of one upload that are looked at."""
MAX_NAMED = 8
"""Notebooks that are named in a refusal."""
MAX_ARCHIVE_BYTES = 256 << 20
"""Gradescope itself takes uploads of 100 MB."""
MAX_NOTEBOOKS = 50
MAX_DEPTH = 2
"""An archive within an archive is opened, one within that is not."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
"""Not LZMA, whose archives say themselves how many gigabytes their decoder needs."""

_EXPORTS = (
    ((".html", ".htm"), "a web page (HTML)"),
    ((".pdf",), "a PDF"),
    ((".py",), "a Python script"),
    ((".md", ".txt", ".rst"), "text"),
    ((".docx", ".doc", ".odt", ".rtf"), "a document"),
    ((".png", ".jpg", ".jpeg", ".heic"), "a picture"),
    ((".keras", ".h5", ".hdf5", ".weights"), "a saved network"),
    ((".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz"), "an archive"),
)
"""What students upload in place of the notebook, the likeliest first."""


@dataclass(slots=True)
class Budget:
    """What may still be unpacked."""

    bytes: int = MAX_UNPACKED_BYTES
    notebooks: int = MAX_NOTEBOOKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A notebook in what a student handed in."""

    path: Path
    """Where it lies now."""
    name: str
    """What it was called, for sentences."""


def find_notebook(handin: Handin, *, scratch: Path, assignment_id: str) -> Handin:
    """Find the one notebook in the folder that a student handed in.

    Of several, the one that carries the assignment's mark is taken; if that does not tell, the
    upload is refused, since to grade the wrong one would be worse.

    Parameters
    ----------
    handin
        Its path is the folder. Links in it are not followed.
    scratch
        An empty folder for what is taken out of zip archives; must outlive the result.
    assignment_id
        What the mark in the released notebook says.

    Returns
    -------
    Handin
        The notebook, or the refusal of the whole upload.
    """
    folder = handin.path
    files = sorted(_files(folder))
    try:
        found = _notebooks(files, folder, scratch)
    except MalformedSubmission as error:
        return replace(handin, refusal=str(error))
    if not found:
        # With nothing else there, a name that begins with a dot is as good as any.
        hidden = [path for path in search_folder(folder).hidden if _is_plain_file(path)]
        found = [_found(path, folder) for path in hidden[:MAX_FILES]]
    if not found:
        return replace(handin, refusal=_no_notebook(files), is_missing=not files)
    if len(found) == 1:
        return replace(handin, path=found[0].path)
    return _choose(handin, found, assignment_id)


def unpack_notebooks(archive: Path, folder: Path, budget: Budget, depth: int = 1) -> list[Found]:
    """Take the notebooks out of one student's zip archive.

    Parameters
    ----------
    folder
        Where to put them, each in a folder of its own; must exist.

    Raises
    ------
    MalformedSubmission
        If it is not a zip archive, is damaged, needs a password, or holds more than it may.
        Nothing else is raised, whatever the archive holds.
    """
    shown = shown_name(archive.name)
    try:
        if archive.stat().st_size > MAX_ARCHIVE_BYTES or is_oversized(archive, MAX_DIRECTORY_BYTES):
            raise _too_large(shown)
        with zipfile.ZipFile(archive) as opened:
            found: list[Found] = []
            for info, parts in notebooks_in(opened):
                target = _unpack(opened, info, parts[-1], folder, budget, shown)
                if target.suffix == ".zip":
                    if depth < MAX_DEPTH:
                        found += unpack_notebooks(target, folder, budget, depth + 1)
                    target.unlink()
                else:
                    found.append(Found(path=target, name=shown_name(info.filename)))
            return found
    except MalformedSubmission:
        raise
    except Exception:  # a hostile archive finds a new one in zipfile every year
        raise _refused(shown, "is damaged, or not a zip archive") from None


def _choose(handin: Handin, found: Sequence[Found], mark: str) -> Handin:
    marked: list[tuple[Found, Submission]] = []
    for each in found:
        try:
            submission = read_submission(replace(handin, path=each.path), assignment_id=mark)
        except MalformedSubmission:
            continue
        if submission.carries_mark:
            marked.append((each, submission))
    if marked and all(_code(each) == _code(marked[0][1]) for _, each in marked):
        chosen, _ = marked[0]
        others = len(found) - 1
        note = (
            f"You uploaded {len(found)} notebooks; graded is “{chosen.name}”, which belongs "
            f"to this assignment. The other {'one was' if others == 1 else f'{others} were'} not "
            "looked at."
        )
        return replace(handin, path=chosen.path, notes=(*handin.notes, note))
    which = [each for each, _ in marked] or found
    names = ", ".join(f"“{each.name}”" for each in which[:MAX_NAMED])
    more = f" and {len(which) - MAX_NAMED} more" if len(which) > MAX_NAMED else ""
    why = "all belong to this assignment" if marked else "none carries this assignment's mark"
    refusal = (
        f"You uploaded {len(which)} notebooks, {names}{more}, and {why}, so the grader cannot "
        "tell which is your answer. Upload only the one in which you fixed the network and wrote "
        "your reflections."
    )
    return replace(handin, path=found[0].path, refusal=refusal)


def _code(submission: Submission) -> str:
    """What makes two notebooks the same answer: their cells, whatever they printed."""
    cells = submission.notebook["cells"]
    return json.dumps([(cell["cell_type"], cell["source"]) for cell in cells])


def _notebooks(files: Sequence[Path], folder: Path, scratch: Path) -> list[Found]:
    named = [path for path in files if path.name.lower().endswith(NOTEBOOK_ENDINGS)]
    if not named:
        # Any name will do for a file that is a notebook, if no other is called one.
        named = [path for path in files if looks_like_notebook(path)]
    found = [_found(path, folder) for path in named]
    budget = Budget()
    for path in files:
        if path.name.lower().endswith(".zip"):
            found += unpack_notebooks(path, scratch, budget)
    return found


def _files(folder: Path) -> Iterator[Path]:
    """Regular files at any depth; hidden ones and links are passed over."""
    seen = 0
    for parent, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS
        )
        for name in files:
            seen += 1
            if seen > MAX_FILES:
                return
            path = Path(parent, name)
            if not name.startswith(".") and _is_plain_file(path):
                yield path


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def looks_like_notebook(path: Path) -> bool:
    """Whether a file is a notebook by its content, whatever it is called."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return False
        with path.open("rb") as file:
            head = file.read(SNIFFED_BYTES)
            if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
                return False
            return b'"cells"' in head + file.read()
    except OSError:
        return False


def _found(path: Path, folder: Path) -> Found:
    return Found(path=path, name=shown_name(path.relative_to(folder).as_posix()))


def _no_notebook(files: Sequence[Path]) -> str:
    if not files:
        return f"Your upload is empty. {GET_NOTEBOOK}"
    for path in files:
        if path.name.lower().endswith(".zip"):
            shown = shown_name(path.name)
            return f"The archive “{shown}” holds no notebook. {GET_NOTEBOOK}"
    for endings, kind in _EXPORTS:
        for path in files:
            if path.name.lower().endswith(endings):
                return (
                    f"There is no notebook in your upload: “{shown_name(path.name)}” is {kind}. "
                    f"{GET_NOTEBOOK}"
                )
    names = ", ".join(f"“{shown_name(path.name)}”" for path in files[:MAX_NAMED])
    return f"There is no notebook in your upload, only {names}. {GET_NOTEBOOK}"


def _unpack(
    opened: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    name: str,
    folder: Path,
    budget: Budget,
    shown: str,
) -> Path:
    if info.flag_bits & 1:
        raise _refused(shown, "is protected by a password")
    if info.compress_type not in _METHODS:
        raise _refused(shown, "is packed in a way that cannot be read here")
    budget.notebooks -= 1
    if budget.notebooks < 0:
        raise _too_large(shown)
    place = folder / str(sum(1 for _ in folder.iterdir()))
    place.mkdir()
    ending = ".zip" if name.lower().endswith(".zip") else ".ipynb"
    target = place / (safe_name(name[: name.rfind(".")]) + ending)
    left = min(MAX_FILE_BYTES + 1, budget.bytes)
    with opened.open(info) as source, target.open("xb") as file:
        while block := source.read(min(BLOCK_BYTES, left + 1)):
            left -= len(block)
            budget.bytes -= len(block)
            if left < 0 or budget.bytes < 0:
                raise _too_large(shown)
            file.write(block)
    return target


def _refused(shown: str, why: str) -> MalformedSubmission:
    return MalformedSubmission(
        f"“{shown}” {why}. Upload your notebook itself, a file whose name ends in .ipynb."
    )


def _too_large(shown: str) -> MalformedSubmission:
    return MalformedSubmission(
        f"“{shown}” holds too much. Upload your notebook alone, a file whose name ends in .ipynb; "
        "if it is large, clear its outputs first (Edit > Clear all outputs)."
    )
