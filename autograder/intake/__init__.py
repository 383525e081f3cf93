"""From files to submissions: files that may be broken, or made to break the grader.

Nothing here runs a student's code. A file is bytes until `read_submission` has made a clean
notebook of it, and the only exception on the way is `MalformedSubmission`, whose text tells the
student what to do.

`collecting.collect` finds all that staff name, a `Handin` each, and `upload.find_notebook` the one
notebook in what a student handed in. A `Handin` becomes a `Submission` here.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from autograder.core.clerk import Bounds, Task, Trouble, Unfinished, ask
from autograder.core.config import Record
from autograder.core.errors import MalformedSubmission
from autograder.core.report import Student
from autograder.core.text import shown_name
from autograder.intake.notebook import parse_object
from autograder.intake.repairing import repair_notebook

MAX_FILE_BYTES = 64 << 20
"""Colab itself saves no notebook over 20 MB; three times that, and bounded in memory."""

MARK_KEY = "activity_m5"
"""Key of the released notebook's metadata under which the assignment's id stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handin:
    """What somebody handed in: first all of it, a file or a folder, then the one notebook of it."""

    submission: str
    """Name of its results folder: in the end safe on any system, and unlike all others."""
    path: Path
    """Where it lies, or where it was expected."""
    students: tuple[Student, ...] = ()
    """Whose it is, where anybody tells."""
    submission_id: str = ""
    """The platform's number for it."""
    handed_in: str = ""
    """Date and time, as the platform writes it."""
    late: bool | None = None
    """None where nobody tells."""
    feedback_name: str = ""
    """Name under which Canvas takes a page of feedback for its student; else empty."""
    when: str = ""
    """Sorts by time; empty where it is not known."""
    refusal: str = ""
    """Why there is nothing to read, as a sentence for the student; empty for a file to try."""
    is_missing: bool = False
    """Nothing was handed in here, so that there is no score, not even a zero."""
    notes: tuple[str, ...] = ()
    """Sentences for the student, such as which of several notebooks it is."""
    staff_notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The students' names; empty where they are not known."""
        return ", ".join(student.name for student in self.students if student.name)

    @property
    def email(self) -> str:
        """The students' e-mail addresses."""
        return ", ".join(student.email for student in self.students if student.email)

    @property
    def owner(self) -> str:
        """Whose it is; two of the same owner are one student's attempts."""
        ids = sorted(s.sid or s.email or s.canvas_id for s in self.students)
        # Two students may well have the same name: by that alone nobody is recognised.
        return "\n".join(ids) if ids and all(ids) else ""


class Contents(Record, frozen=True):
    """A file on its way to the clerk."""

    data: bytes
    shown: str
    """What to call it in a sentence."""
    assignment_id: str


class Submission(Record, frozen=True):
    """A notebook that could be read, clean and ready to be run."""

    data: bytes
    """The clean notebook, as JSON: see `notebook`."""
    repairs: tuple[str, ...] = ()
    """What was repaired, a sentence each."""
    content_hash: str = ""
    """SHA-256 of the file's bytes, in hexadecimal."""
    answer_hash: str = ""
    """SHA-256 of its code and text; what it printed and who wrote it is left out."""
    carries_mark: bool = False
    """Whether the metadata say that it was made from the notebook that was handed out."""
    refusal: str = ""
    """Of a file that could not be read: why, for the student, and nothing else is known then."""

    @property
    def notebook(self) -> dict[str, Any]:
        """JSON data, valid in format 4.5, without outputs; a new copy each time."""
        notebook: dict[str, Any] = msgspec.json.decode(self.data)
        return notebook


READ: Task[Contents, Submission] = Task(
    "autograder.intake:read_contents",
    Submission,
    # The notebooks of the course took 0.02 s of processor time; a file may be a thousand times as
    # large.
    Bounds(cpu_seconds=8, wall_seconds=24, memory_bytes=3 << 29, answer_bytes=5 << 26),
)


def read_submission(handin: Handin, *, assignment_id: str) -> Submission:
    """Read a notebook as data, repair what is harmless, refuse the rest.

    Parameters
    ----------
    handin
        The one notebook of what was handed in.
    assignment_id
        What the mark in the released notebook says.

    Raises
    ------
    MalformedSubmission
        If there is no Python notebook in it, or none that can be read within `READ`'s bounds.
    Unfinished
        If we made a mistake. Nothing else is raised, whatever the file holds.
    """
    shown, data = _bytes_of(handin)
    try:
        submission = ask(READ, Contents(data=data, shown=shown, assignment_id=assignment_id))
    except Unfinished as unfinished:
        if unfinished.trouble is Trouble.FAULT:
            raise
        raise MalformedSubmission(_too_much(shown, unfinished.trouble)) from unfinished
    if submission.refusal:
        raise MalformedSubmission(submission.refusal)
    return submission


def hash_submission(handin: Handin) -> str:
    """The `Submission.content_hash` of a file, which is not parsed for it.

    Raises
    ------
    MalformedSubmission
        If there is no file that could be read.
    """
    _, data = _bytes_of(handin)
    return _content_hash(data)


def _bytes_of(handin: Handin) -> tuple[str, bytes]:
    """(What to call the file in a sentence, what it holds)."""
    if handin.refusal:
        raise MalformedSubmission(handin.refusal)
    shown = shown_name(handin.path.name or str(handin.path))
    return shown, _read_bytes(handin.path, shown)


def _content_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _too_much(shown: str, trouble: Trouble) -> str:
    what = {
        Trouble.LATE: f"takes longer than {READ.bounds.cpu_seconds} s to read",
        Trouble.TOO_LARGE: "needs too much memory to be read",
    }.get(trouble, "cannot be read")
    return (
        f"“{shown}” {what}, which no notebook of this assignment does. Clear the outputs "
        "(Edit > Clear all outputs), take large data out of the cells, and upload it again."
    )


def read_contents(contents: Contents) -> Submission:
    """Parse a file and repair it: the part of reading that the clerk does."""
    try:
        document = parse_object(contents.data, contents.shown)
        notebook, repairs = repair_notebook(document, contents.shown)
    except MalformedSubmission as error:
        return Submission(data=b"", refusal=str(error))
    return Submission(
        data=msgspec.json.encode(notebook),
        repairs=tuple(repairs),
        content_hash=_content_hash(contents.data),
        answer_hash=_answer_hash(notebook),
        carries_mark=_carries_mark(notebook["metadata"], contents.assignment_id),
    )


def _answer_hash(notebook: dict[str, Any]) -> str:
    """Tags are part of it, since reflections are found by them."""
    cells = []
    for cell in notebook["cells"]:
        tags = sorted(cell["metadata"].get("tags", []))
        cells.append([cell["cell_type"], cell["source"], tags])
    return hashlib.sha256(json.dumps(cells).encode("ascii")).hexdigest()


def _carries_mark(metadata: Mapping[str, Any], assignment_id: str) -> bool:
    mark = metadata.get(MARK_KEY)
    return isinstance(mark, dict) and mark.get("assignment") == assignment_id


def _read_bytes(path: Path, shown: str) -> bytes:
    """The whole of a regular file; never waits, as a pipe or a device would make us."""
    try:
        # Asked before opening, since to open a device can be an action; asked again after it,
        # since the name may lead somewhere else by then.
        _refuse_irregular(path.stat().st_mode, shown)
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 (a descriptor)
            _refuse_irregular(os.fstat(file.fileno()).st_mode, shown)
            # What is too large already is not read; what grows meanwhile is cut off.
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise _too_large(shown)
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise MalformedSubmission(
            f"There is no file “{shown}”. Upload your notebook again."
        ) from None
    except PermissionError:
        raise MalformedSubmission(
            f"“{shown}” may not be read. Allow reading it, or upload a copy."
        ) from None
    except (OSError, ValueError):  # ValueError: a NUL character in the path
        raise MalformedSubmission(
            f"“{shown}” cannot be read. Save the notebook again and upload it."
        ) from None
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(shown)
    return data


def _too_large(shown: str) -> MalformedSubmission:
    return MalformedSubmission(
        f"“{shown}” is larger than {MAX_FILE_BYTES >> 20} MiB. Clear the outputs "
        "(Edit > Clear all outputs), save, and upload it again."
    )


def _refuse_irregular(mode: int, shown: str) -> None:
    if stat.S_ISREG(mode):
        return
    kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
    raise MalformedSubmission(f"“{shown}” is {kind}. Upload the notebook file itself.")
