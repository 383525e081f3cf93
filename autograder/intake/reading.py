"""One submission, from its file to a clean notebook."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import MalformedSubmission
from autograder.intake.candidates import Candidate
from autograder.intake.naming import shown_name
from autograder.intake.parsing import parse_object
from autograder.intake.repairing import repair_notebook

MAX_FILE_BYTES = 64 << 20
"""Colab itself saves no notebook over 20 MB; three times that, and bounded in memory."""

MARK_KEY = "activity_m5"
"""Key of the released notebook's metadata under which the assignment's id stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A notebook that could be read, clean and ready to be run."""

    submission: str
    """Name of its results folder, from the candidate."""
    path: Path
    name: str
    """The student's name; empty where it is not known."""
    email: str
    notebook: dict[str, Any]
    """JSON data, valid in format 4.5, without outputs. Copy it before changing it."""
    repairs: tuple[str, ...]
    """What was mended, a sentence each."""
    content_hash: str
    """SHA-256 of the file's bytes, in hexadecimal."""
    carries_mark: bool
    """Whether the metadata say that it was made from the notebook that was handed out."""


def read_submission(candidate: Candidate, *, assignment_id: str) -> Submission:
    """Read a candidate's file as data, mend what is harmless, refuse the rest.

    Parameters
    ----------
    candidate
        As `find_submissions` or an importer made it.
    assignment_id
        What the mark in the released notebook says.

    Raises
    ------
    MalformedSubmission
        If there is no Python notebook in it. Nothing else is raised, whatever the file holds.
    """
    if candidate.refusal:
        raise MalformedSubmission(candidate.refusal)
    shown = shown_name(candidate.path.name or str(candidate.path))
    data = _read_bytes(candidate.path, shown)
    notebook, repairs = repair_notebook(parse_object(data, shown), shown)
    return Submission(
        submission=candidate.submission,
        path=candidate.path,
        name=candidate.name,
        email=candidate.email,
        notebook=notebook,
        repairs=tuple(repairs),
        content_hash=hashlib.sha256(data).hexdigest(),
        carries_mark=_carries_mark(notebook["metadata"], assignment_id),
    )


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
        raise MalformedSubmission(
            f"“{shown}” is larger than {MAX_FILE_BYTES >> 20} MiB. Clear the outputs "
            "(Edit > Clear all outputs), save, and upload it again."
        )
    return data


def _refuse_irregular(mode: int, shown: str) -> None:
    if stat.S_ISREG(mode):
        return
    kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
    raise MalformedSubmission(f"“{shown}” is {kind}. Upload the notebook file itself.")
