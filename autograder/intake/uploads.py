"""An upload as Gradescope keeps it: a folder with whatever the student dropped there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import MalformedSubmission
from autograder.intake.archives import Budget, unpack_notebooks
from autograder.intake.candidates import (
    NOTEBOOK_ENDINGS,
    SKIPPED_FOLDERS,
    Candidate,
    search_folder,
)
from autograder.intake.naming import shown_name
from autograder.intake.parsing import GET_NOTEBOOK, SNIFFED_BYTES
from autograder.intake.reading import MAX_FILE_BYTES, Submission, read_submission

MAX_FILES = 10_000
"""Files of one upload that are looked at."""
MAX_NAMED = 8
"""Notebooks that are named in a refusal."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What of an upload is to be graded."""

    candidate: Candidate
    """The notebook, or the refusal of the whole upload."""
    notes: tuple[str, ...] = ()
    """Sentences for the student, such as which of several notebooks it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Find:
    path: Path
    name: str


def find_upload(
    folder: Path,
    *,
    scratch: Path,
    assignment_id: str,
    submission: str = "submission",
    name: str = "",
    email: str = "",
) -> Upload:
    """Find the one notebook in what a student uploaded.

    Of several, the one that carries the assignment's mark is taken; if that does not tell, the
    upload is refused, since to grade the wrong one would be worse.

    Parameters
    ----------
    folder
        The upload. Links in it are not followed.
    scratch
        An empty folder for what is taken out of zip archives; must outlive the candidate.
    assignment_id
        What the mark in the released notebook says.
    submission, name, email
        For the candidate.
    """

    def candidate(path: Path, refusal: str = "", *, is_missing: bool = False) -> Candidate:
        return Candidate(
            submission=submission,
            path=path,
            name=name,
            email=email,
            refusal=refusal,
            is_missing=is_missing,
        )

    files = _files(folder)
    try:
        finds = _notebooks(files, folder, scratch)
    except MalformedSubmission as error:
        return Upload(candidate=candidate(folder, str(error)))
    if not finds:
        # With nothing else there, a name that begins with a dot is as good as any.
        hidden = [path for path in search_folder(folder).hidden if _is_plain_file(path)]
        finds = [_Find(path=path, name=_shown(path, folder)) for path in hidden[:MAX_FILES]]
    if not finds:
        return Upload(candidate=candidate(folder, _no_notebook(files), is_missing=not files))
    if len(finds) == 1:
        return Upload(candidate=candidate(finds[0].path))
    return _choose(finds, [candidate(find.path) for find in finds], assignment_id)


def _choose(finds: Sequence[_Find], candidates: Sequence[Candidate], mark: str) -> Upload:
    marked: list[tuple[int, Submission]] = []
    for number, candidate in enumerate(candidates):
        try:
            submission = read_submission(candidate, assignment_id=mark)
        except MalformedSubmission:
            continue
        if submission.carries_mark:
            marked.append((number, submission))
    if marked and all(_code(each) == _code(marked[0][1]) for _, each in marked):
        number = marked[0][0]
        others = len(finds) - 1
        note = (
            f"You uploaded {len(finds)} notebooks; graded is “{finds[number].name}”, which belongs "
            f"to this assignment. The other {'one was' if others == 1 else f'{others} were'} not "
            "looked at."
        )
        return Upload(candidate=candidates[number], notes=(note,))
    which = [finds[number] for number, _ in marked] or finds
    names = ", ".join(f"“{find.name}”" for find in which[:MAX_NAMED])
    more = f" and {len(which) - MAX_NAMED} more" if len(which) > MAX_NAMED else ""
    why = "all belong to this assignment" if marked else "none carries this assignment's mark"
    refusal = (
        f"You uploaded {len(which)} notebooks, {names}{more}, and {why}, so the grader cannot "
        "tell which is your answer. Upload only the one in which you mended the network and wrote "
        "your reflections."
    )
    return Upload(
        candidate=Candidate(
            submission=candidates[0].submission,
            path=candidates[0].path,
            name=candidates[0].name,
            email=candidates[0].email,
            refusal=refusal,
        )
    )


def _code(submission: Submission) -> str:
    """What makes two notebooks the same answer: their cells, whatever they printed."""
    cells = submission.notebook["cells"]
    return json.dumps([(cell["cell_type"], cell["source"]) for cell in cells])


def _notebooks(files: Sequence[Path], folder: Path, scratch: Path) -> list[_Find]:
    named = [path for path in files if path.name.lower().endswith(NOTEBOOK_ENDINGS)]
    if not named:
        # Any name will do for a file that is a notebook, if no other is called one.
        named = [path for path in files if looks_like_notebook(path)]
    finds = [_Find(path=path, name=_shown(path, folder)) for path in named]
    budget = Budget()
    for path in files:
        if path.name.lower().endswith(".zip"):
            for found in unpack_notebooks(path, scratch, budget):
                finds.append(_Find(path=found.path, name=found.name))
    return finds


def _files(folder: Path) -> list[Path]:
    """Regular files at any depth, in order; hidden ones and links are passed over."""
    return sorted(_walk(folder))[:MAX_FILES]


def _walk(folder: Path) -> Iterator[Path]:
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


def _shown(path: Path, folder: Path) -> str:
    return shown_name(path.relative_to(folder).as_posix())


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
