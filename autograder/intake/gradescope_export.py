"""Gradescope's export: one folder per submission, and a YAML file that says whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from autograder.intake.handins import Export, Find, Student
from autograder.intake.naming import shown_name

METADATA_NAME = "submission_metadata.yml"
MAX_METADATA_BYTES = 64 << 20
"""A thousand submissions with their autograder's outputs take some ten megabytes."""
MAX_DEPTH = 40
MAX_EVENTS = 3_000_000
"""Keys and values; a thousand submissions have under one million. One takes up to 600 bytes."""
MAX_STUDENTS = 100
MAX_TEXT_CHARACTERS = 200

_FOLDER = re.compile(r"submission_(\d+)")
# The C parser is ten times as fast. Neither makes anything but text, lists and dicts, so that
# Ruby's symbols, times and tags are nothing special.
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def is_gradescope_folder(folder: Path) -> bool:
    """Whether it looks like an export: by its YAML file, or by its folders."""
    if (folder / METADATA_NAME).is_file():
        return True
    return any(_FOLDER.fullmatch(path.name) for path in _folders(folder))


def find_gradescope(folder: Path) -> Export:
    """All submissions of an export, and sentences about what is wrong with it.

    A submission is listed if it has a folder that is called as Gradescope calls them, or if the
    YAML file names it.
    """
    metadata, warnings = _read_metadata(folder / METADATA_NAME)
    folders = {path.name: path for path in _folders(folder)}
    own = {name: path for name, path in folders.items() if _FOLDER.fullmatch(name)}
    if metadata is None:
        note = "Nobody knows whose it is, since the export's list could not be read."
        own = own or folders
        finds = [_find(name, path, {}, (note,)) for name, path in own.items()]
    else:
        finds = [_find(name, folders.get(name), entry, ()) for name, entry in metadata.items()]
        note = f"{METADATA_NAME} does not list it, so nobody knows whose it is."
        finds += [
            _find(name, path, {}, (note,)) for name, path in own.items() if name not in metadata
        ]
    return Export(
        system="Gradescope",
        finds=tuple(finds),
        covered=tuple(find.folder for find in finds if find.folder is not None),
        warnings=tuple(warnings),
    )


def _folders(folder: Path) -> list[Path]:
    """What may be submissions: no links, and nothing hidden."""
    return [
        entry
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith((".", "__"))
    ]


def _find(name: str, path: Path | None, entry: Any, notes: tuple[str, ...]) -> Find:
    students = tuple(_students(entry))
    if not students and not notes:
        notes = (f"{METADATA_NAME} does not say whose it is.",)
    match = _FOLDER.fullmatch(name)
    return Find(
        label=name,
        folder=path,
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
    clean = "".join(char if char.isprintable() else " " for char in value)
    return " ".join(clean.split())[:MAX_TEXT_CHARACTERS]


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
