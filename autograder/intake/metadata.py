"""Reads submission_metadata.yml, Gradescope's list of whose submission is whose, within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from autograder.core.text import shown_name
from autograder.intake.archives import MAX_METADATA_BYTES, METADATA_NAME

MAX_DEPTH = 40
MAX_EVENTS = 3_000_000
"""Keys and values; a thousand submissions have under one million. One takes up to 600 bytes."""
# The C parser is ten times as fast. Neither makes anything but text, lists and dicts, so that
# Ruby's symbols, times and tags are nothing special.
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_metadata(path: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """The YAML file's content by folder, or None and why it cannot be used."""
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
