"""Exports of learning platforms: whose is what, by the layout of a folder.

::

    assignment_7_export/submission_metadata.yml, submission_12/...      Gradescope
    doejane_LATE_345_678_m5.ipynb, ...                                  Canvas, one flat folder
    submitted/<student>/<assignment>/<notebook>.ipynb                   nbgrader
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core.files import NotPlain, TooLarge, opened_folder, read_plain_file
from autograder.core.report import Student
from autograder.core.text import one_line, safe_name
from autograder.intake import MAX_FILE_BYTES, Handin
from autograder.intake.archives import METADATA_NAME, read_metadata
from autograder.intake.folders import is_notebook_name

MAX_STUDENTS = 100
MAX_TEXT_CHARACTERS = 200

_GRADESCOPE_FOLDER = re.compile(r"submission_(\d+)")
_CANVAS_NAME = re.compile(
    r"(?P<who>[^_]+)_(?:(?P<late>LATE)_)?(?P<user>\d{1,20})_(?P<id>\d{1,20})_(?P<file>.+)"
)
"""The second number is the file's own, so that each file of one upload has another."""
_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)(?:\.\d+)? ?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d|[A-Za-z_]+(?:/[A-Za-z_]+)*|)"
)
"""As Gradescope (``2026-11-02 10:00:00.000000000 Z``) and nbgrader write it."""
_AGAIN = re.compile(r"(?P<stem>.+?)-(?P<number>\d{1,3})(?P<ending>\.[^.]+)")
"""Canvas adds ``-1``, ``-2`` ... to what a student uploads again under the same name."""

SUBMITTED_NAME = "submitted"
TIMESTAMP_NAME = "timestamp.txt"
OWN_FOLDERS = ("source", "release", "autograded", "feedback", "downloaded", "exchange")
"""Beside `submitted` in a course's folder: what was handed out, and what nbgrader itself made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What a folder holds that has the layout of an export."""

    system: str
    """Gradescope, Canvas or nbgrader."""
    handins: tuple[Handin, ...]
    """Each a folder, which may hold anything."""
    covered: tuple[Path, ...]
    """Files and folders of which the export makes use; whatever else lies there is not its own."""
    warnings: tuple[str, ...] = ()


def export_in(folder: Path, *, scratch: Path) -> Export | None:
    """The export that `folder` is, if it has the layout of one.

    Parameters
    ----------
    scratch
        An empty folder for what is laid out anew; must outlive the result.
    """
    if (folder / METADATA_NAME).is_file() or any(
        _GRADESCOPE_FOLDER.fullmatch(path.name) for path in _folders(folder)
    ):
        return _find_gradescope(folder)
    if submitted := _submitted_folder(folder):
        return _find_nbgrader(submitted)
    # Most of the files are called as Canvas calls them.
    names = [e.name for e in os.scandir(folder) if e.is_file() and not e.name.startswith(".")]
    if 2 * sum(_CANVAS_NAME.fullmatch(name) is not None for name in names) > len(names):
        return _find_canvas(folder, scratch)
    return None


def _folders(folder: Path) -> list[Path]:
    """What may be submissions: no links, and nothing hidden."""
    return [
        entry
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith((".", "__"))
    ]


def _find_gradescope(folder: Path) -> Export:
    """All submissions of an export, and sentences about what is wrong with it.

    A submission is listed if it has a folder that is called as Gradescope calls them, or if the
    YAML file names it.
    """
    metadata, warnings = read_metadata(folder / METADATA_NAME)
    folders = {path.name: path for path in _folders(folder)}
    own = {name: path for name, path in folders.items() if _GRADESCOPE_FOLDER.fullmatch(name)}
    if metadata is None:
        note = "Nobody knows whose it is, since the export's list could not be read."
        own = own or folders
        found = [_handin(name, path, {}, (note,)) for name, path in own.items()]
    else:
        found = [_handin(name, folders.get(name), entry, ()) for name, entry in metadata.items()]
        note = f"{METADATA_NAME} does not list it, so nobody knows whose it is."
        found += [
            _handin(name, path, {}, (note,)) for name, path in own.items() if name not in metadata
        ]
    return Export(
        system="Gradescope",
        handins=tuple(found),
        covered=tuple(handin.path for handin in found if not handin.is_missing),
        warnings=tuple(warnings),
    )


def _handin(name: str, path: Path | None, entry: Any, notes: tuple[str, ...]) -> Handin:
    students = tuple(_students(entry))
    if not students and not notes:
        notes = (f"{METADATA_NAME} does not say whose it is.",)
    match = _GRADESCOPE_FOLDER.fullmatch(name)
    refusal = "The export lists this submission, but its folder is not there."
    created = _text(_get(entry, "created_at"))
    return Handin(
        submission=name,
        path=path or Path(name),
        refusal="" if path else refusal,
        is_missing=path is None,
        students=students,
        submission_id=match[1] if match else "",
        handed_in=_time(created),
        when=created,
        staff_notes=notes,
    )


def _students(entry: Any) -> Iterator[Student]:
    submitters = _get(entry, "submitters")
    for submitter in (submitters if isinstance(submitters, list) else [])[:MAX_STUDENTS]:
        student = Student(
            name=_text(_get(submitter, "name")),
            email=_text(_get(submitter, "email")),
            sid=_text(_get(submitter, "sid")),
        )
        if student != Student():
            yield student


def _get(entry: Any, key: str) -> Any:
    """A value by its name, which is a Ruby symbol or, in what others wrote, a plain word."""
    if not isinstance(entry, dict):
        return None
    return entry.get(f":{key}", entry.get(key))


def _text(value: Any) -> str:
    if not isinstance(value, str) or value in ("~", "null"):
        return ""
    return one_line(value, MAX_TEXT_CHARACTERS)


def _time(text: str) -> str:
    """A time without fractions of seconds, so that a spreadsheet takes it for one."""
    match = _TIME.fullmatch(text)
    if match is None:
        return text
    zone = "UTC" if match["zone"] in ("Z", "UTC") else match["zone"]
    return " ".join(part for part in (match["date"], match["time"], zone) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Upload:
    """One file of a Canvas export."""

    who: str
    late: bool
    user: str
    number: int
    """Canvas's own of the file; a later one is greater."""
    again: int
    name: str
    """As the student called it."""
    path: Path


def _find_canvas(folder: Path, scratch: Path) -> Export:
    """All students of the folder, each with their files in a folder of its own."""
    by_user: dict[str, list[_Upload]] = {}
    covered: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink() or not path.is_file():
            continue
        if match := _CANVAS_NAME.fullmatch(path.name):
            covered.append(path)
            again = _AGAIN.fullmatch(match["file"])
            upload = _Upload(
                who=match["who"],
                late=match["late"] is not None,
                user=match["user"],
                number=int(match["id"]),
                again=int(again["number"]) if again else 0,
                name=again["stem"] + again["ending"] if again else match["file"],
                path=path,
            )
            by_user.setdefault(upload.user, []).append(upload)
    places = (scratch / str(count) for count in range(len(by_user)))
    found = [_canvas_handin(*each) for each in zip(by_user.values(), places, strict=False)]
    return Export(system="Canvas", handins=tuple(found), covered=tuple(covered))


def _canvas_handin(uploads: list[_Upload], place: Path) -> Handin:
    """What one student uploaded: of files of one name the last."""
    uploads = sorted(uploads, key=lambda upload: (upload.number, upload.again))
    files = {upload.name: upload for upload in uploads}
    earlier = [upload for upload in uploads if upload is not files[upload.name]]
    last = uploads[-1]
    notes = ["Canvas marked it as late."] if last.late else []
    if earlier:
        names = one_line(", ".join(each.path.name for each in earlier), MAX_TEXT_CHARACTERS)
        notes.append(f"Uploaded again since, and so not graded: {names}.")
    notebook = next((each for each in reversed(uploads) if is_notebook_name(each.name)), last)
    return Handin(
        submission=f"{last.who}_{last.user}",
        path=_lay_out(place, {name: upload.path for name, upload in files.items()}),
        students=(Student(name=last.who, canvas_id=last.user),),
        late=last.late,
        feedback_name=_feedback_name(notebook),
        when=str(last.number).rjust(20, "0"),
        staff_notes=tuple(notes),
    )


def _feedback_name(upload: _Upload) -> str:
    """What a page about this file is called for Canvas, which goes by the numbers in the name."""
    late = "LATE_" if upload.late else ""
    page = safe_name(Path(upload.name).stem, ".html")
    return f"{safe_name(upload.who)}_{late}{upload.user}_{upload.number}_{page}"


def _lay_out(place: Path, files: dict[str, Path]) -> Path:
    """The files in a folder of their own, under the names that students gave them."""
    place.mkdir()
    for name, path in files.items():
        if path.stat().st_size > MAX_FILE_BYTES:
            # So that it is refused for its size, and not copied for nothing.
            with (place / name).open("wb") as file:
                file.truncate(MAX_FILE_BYTES + 1)
        else:
            shutil.copyfile(path, place / name)
    return place


def _submitted_folder(folder: Path) -> Path | None:
    """The folder `submitted` that `folder` is or holds, if it has nbgrader's three levels."""
    for place in (folder, folder / SUBMITTED_NAME):
        if place.name == SUBMITTED_NAME and place.is_dir() and not place.is_symlink():
            for student in _folders(place):
                for assignment in _folders(student):
                    if any(assignment.glob("*.ipynb")):
                        return place
    return None


def _find_nbgrader(submitted: Path) -> Export:
    """One submission a student, whatever assignments and notebooks lie in the folder."""
    own = [submitted.parent / name for name in OWN_FOLDERS]
    return Export(
        system="nbgrader",
        handins=tuple(
            Handin(
                submission=student.name,
                path=student,
                students=(Student(name=student.name, sid=student.name),),
                handed_in=_collected(student),
            )
            for student in _folders(submitted)
        ),
        covered=(*_folders(submitted), *(path for path in own if path.is_dir())),
    )


def _collected(student: Path) -> str:
    """The time that nbgrader noted, if it is of one assignment, so that it is clear of which."""
    assignments = _folders(student)
    if len(assignments) != 1:
        return ""
    try:
        with opened_folder(assignments[0]) as folder:
            noted = read_plain_file(folder, TIMESTAMP_NAME, max_bytes=MAX_TEXT_CHARACTERS)
    except (OSError, NotPlain, TooLarge):
        return ""
    return _time(one_line(noted.decode("utf-8", "replace")))
