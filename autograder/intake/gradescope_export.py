"""Gradescope's export: a folder a submission, and a YAML file that says whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from autograder.intake.handins import Find, Student
from autograder.intake.naming import shown_name

METADATA_NAME = "submission_metadata.yml"
MAX_METADATA_BYTES = 64 << 20
"""A thousand submissions with their autograder's outputs take some ten megabytes."""
MAX_DEPTH = 40
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
    return any(_FOLDER.fullmatch(entry.name) and entry.is_dir() for entry in folder.iterdir())


def find_gradescope(folder: Path) -> tuple[list[Find], list[str]]:
    """All submissions of an export, and sentences about what is wrong with it.

    A submission is listed if it has a folder, or if the YAML file names it.
    """
    metadata, warnings = _read_metadata(folder / METADATA_NAME)
    folders = {
        entry.name: entry
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith((".", "__"))
    }
    if metadata is None:
        note = "Nobody knows whose it is, since the export's list could not be read."
        names = [name for name in folders if _FOLDER.fullmatch(name)] or list(folders)
        return [_find(name, folders[name], {}, (note,)) for name in names], warnings
    finds = [_find(name, folders.get(name), entry, ()) for name, entry in metadata.items()]
    for name, path in folders.items():
        if name not in metadata:
            note = f"{METADATA_NAME} does not list it, so nobody knows whose it is."
            finds.append(_find(name, path, {}, (note,)))
    return finds, warnings


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
        _refuse_depth(text)
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


def _refuse_depth(text: bytes) -> None:
    """Look at the nesting, before a parser written in C recurses into it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _is_name(name: Any) -> bool:
    """Whether it is the name of a folder beside the file, and nothing that leads elsewhere."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")
