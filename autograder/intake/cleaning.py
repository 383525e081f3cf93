"""JSON data as any writer of JSON takes it: whole characters, finite numbers, few levels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autograder.intake.parsing import too_deep

MAX_DEPTH = 32
"""Levels of metadata; Jupyter's own has at most six."""

REPLACEMENT = "\ufffd"
"""Stands for what is no character."""


def clean_mapping(value: Mapping[str, Any], shown: str, depth: int = MAX_DEPTH) -> dict[str, Any]:
    """A copy of `value` with clean keys and values.

    Raises
    ------
    MalformedSubmission
        If it has more than `depth` levels; `shown` names the file.
    """
    return {clean_text(key): _clean_value(item, shown, depth) for key, item in value.items()}


def _clean_value(value: Any, shown: str, depth: int) -> Any:
    if depth == 0:
        raise too_deep(shown)
    if isinstance(value, dict):
        return clean_mapping(value, shown, depth - 1)
    if isinstance(value, list):
        return [_clean_value(item, shown, depth - 1) for item in value]
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def clean_text(text: str) -> str:
    """`text` without NUL and lone surrogates, which no encoding and no parser takes.

    Two halves of one character, as from a list of lines cut in the wrong place, are joined.
    """
    if "\x00" not in text and text.isascii():
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", REPLACEMENT)
