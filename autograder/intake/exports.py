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

import yaml

from autograder.core.text import one_line, shown_name
from autograder.intake.archives import MAX_METADATA_BYTES, METADATA_NAME
from autograder.intake.submission import MAX_FILE_BYTES, Handin, Student

MAX_DEPTH = 40
MAX_EVENTS = 3_000_000
"""Keys and values; a thousand submissions have under one million. One takes up to 600 bytes."""
MAX_STUDENTS = 100
MAX_TEXT_CHARACTERS = 200

_GRADESCOPE_FOLDER = re.compile(r"submission_(\d+)")
# The C parser is ten times as fast. Neither makes anything but text, lists and dicts, so that
# Ruby's symbols, times and tags are nothing special.
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_CANVAS_NAME = re.compile(
    r"(?P<who>[^_]+)_(?:(?P<late>LATE)_)?(?P<user>\d+)_(?P<id>\d+)_(?P<file>.+)"
)
_AGAIN = re.compile(r"(?P<stem>.+?)-(?P<number>\d{1,3})(?P<ending>\.[^.]+)")
"""Canvas adds ``-1``, ``-2`` ... to what a student uploads again under the same name."""

SUBMITTED_NAME = "submitted"
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
    metadata, warnings = _read_metadata(folder / METADATA_NAME)
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
    return Handin(
        submission=name,
        path=path or Path(name),
        refusal="" if path else refusal,
        is_missing=path is None,
        students=students,
        gradescope_id=match[1] if match else "",
        when=_text(_get(entry, "created_at")),
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


def _read_metadata(path: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """The YAML file's content, or None and why it cannot be used."""
    shown = f"{shown_name(path.parent.name)}/{METADATA_NAME}"
    without = "names and e-mail addresses will be missing."
    try:
        if path.is_symlink() or path.stat().st_size > MAX_METADATA_BYTES:
            return None, [f"{shown} is not the file that Gradescope writes; {without}"]
        text = path.read_bytes()
    except FileNotFoundError:
        return None, [f"{shown} is missing; {without}"]
    except OSError as error:
        return None, [f"{shown} cannot be read ({error.strerror}); {without}"]
    try:
        _refuse_bombs(text)
        content = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        return None, [f"{shown} is damaged{place}; {without}"]
    if not isinstance(content, dict):
        return None, [f"{shown} does not list submissions; {without}"]
    entries = {name: entry for name, entry in content.items() if _is_name(name)}
    if len(entries) < len(content):
        passed = len(content) - len(entries)
        return entries, [f"{shown} names {passed} folders as Gradescope never does: passed over."]
    return entries, []


def _refuse_bombs(text: bytes) -> None:
    """Look at size and nesting, before all of it is held and a parser in C recurses into it."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if number > MAX_EVENTS:
            raise ValueError("too many values")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _is_name(name: Any) -> bool:
    """Whether it is the name of a folder beside the file, and nothing that leads elsewhere."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")


def _find_canvas(folder: Path, scratch: Path) -> Export:
    """All submissions of the folder, each with its files in a folder of its own."""
    groups: dict[tuple[str, str, str], dict[str, tuple[int, Path]]] = {}
    late: set[tuple[str, str, str]] = set()
    covered: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink() or not path.is_file():
            continue
        match = _CANVAS_NAME.fullmatch(path.name)
        if match is None:
            continue
        covered.append(path)
        key = (match["who"], match["user"], match["id"])
        if match["late"]:
            late.add(key)
        again = _AGAIN.fullmatch(match["file"])
        name = again["stem"] + again["ending"] if again else match["file"]
        number = int(again["number"]) if again else 0
        files = groups.setdefault(key, {})
        if name not in files or number > files[name][0]:
            files[name] = (number, path)
    found = []
    for count, (key, files) in enumerate(groups.items()):
        who, user, submission = key
        place = _lay_out(scratch / str(count), {name: path for name, (_, path) in files.items()})
        found.append(
            Handin(
                submission=f"{who}_{user}_{submission}",
                path=place,
                students=(Student(name=who, canvas_id=user),),
                # Canvas numbers submissions in order.
                when=submission.rjust(20, "0"),
                staff_notes=("Canvas marked it as late.",) if key in late else (),
            )
        )
    return Export(system="Canvas", handins=tuple(found), covered=tuple(covered))


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
            )
            for student in _folders(submitted)
        ),
        covered=(*_folders(submitted), *(path for path in own if path.is_dir())),
    )
