"""Folder names for submissions: safe on every system, no two alike."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

MAX_NAME_CHARACTERS = 100
"""Leaves room for parent folders within the 260 characters of a path on Windows."""

MAX_NAME_BYTES = 200
"""In UTF-8. Linux allows 255 for one name; the rest is for endings such as ``.tmp``."""

MAX_SHOWN_CHARACTERS = 80
"""A file name in a sentence; a longer one is cut, so that the sentence stays readable."""

FALLBACK_NAME = "submission"

_FORBIDDEN = frozenset('<>:"/\\|?*')
"""Windows refuses these in a name; ``/`` separates folders everywhere."""

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
"""Devices on Windows, whatever their ending."""


_FORMULAS = ("=", "+", "-", "@")
"""What a spreadsheet takes for the start of a formula, and a shell for an option."""


def safe_name(text: str) -> str:
    """Turn `text` into a name that any system accepts for a folder.

    Letters of every script are kept, in composed form (NFC). Separators, control characters and
    invisible ones become ``_``; dots and blanks at either end go.

    Returns
    -------
    str
        1 to 100 characters, at most 200 bytes in UTF-8.
    """
    composed = unicodedata.normalize("NFC", text)
    kept = "".join("_" if _is_unsafe(char) else char for char in composed)
    name = _cut(" ".join(kept.split()).strip(". "))
    if _RESERVED.fullmatch(name) or unicodedata.normalize("NFKC", name[:1]) in _FORMULAS:
        name = _cut(f"_{name}")
    return name or FALLBACK_NAME


def shown_name(text: str) -> str:
    """`text`, usually a file name, as it may stand in a sentence: no control characters, short."""
    clean = "".join("\N{REPLACEMENT CHARACTER}" if _is_invisible(char) else char for char in text)
    if len(clean) > MAX_SHOWN_CHARACTERS:
        return clean[: MAX_SHOWN_CHARACTERS - 1] + "…"
    return clean or "(no name)"


def name_candidates(paths: Sequence[PurePath]) -> list[str]:
    """A folder name for each path: its stem; where two agree, with the folders above in front.

    Names that differ only in case count as alike, since macOS and Windows treat them so. What
    folders cannot tell apart gets a number.

    Parameters
    ----------
    paths
        In the order in which numbers are to be given.

    Returns
    -------
    list of str
        Safe and unique, in the order of `paths`.

    Examples
    --------
    >>> name_candidates([PurePath("ann/m5.ipynb"), PurePath("bob/m5.ipynb"), PurePath("x.ipynb")])
    ['ann_m5', 'bob_m5', 'x']
    """
    parts = [_name_parts(path) for path in paths]
    depths = [1] * len(parts)
    names = [_join(own, depth) for own, depth in zip(parts, depths, strict=True)]
    for _ in range(max(map(len, parts), default=0)):
        seen = Counter(name.casefold() for name in names)
        clashing = [i for i, name in enumerate(names) if seen[name.casefold()] > 1]
        if not clashing:
            break
        for i in clashing:
            depths[i] = min(depths[i] + 1, len(parts[i]))
            names[i] = _join(parts[i], depths[i])
    return _number_repeats(names)


def _number_repeats(names: Sequence[str]) -> list[str]:
    """`names` with ``-2``, ``-3`` ... behind what occurs again."""
    seen = Counter(name.casefold() for name in names)
    untouched = {name for name, count in seen.items() if count == 1}
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    result = []
    for name in names:
        key, unique = name.casefold(), name
        while unique.casefold() in taken or (unique != name and unique.casefold() in untouched):
            # Goes on where the last of that name left off, or thousands of them take an hour.
            numbers[key] += 1
            ending = f"-{numbers[key] + 1}"
            unique = _cut(name, len(ending)) + ending
        taken.add(unique.casefold())
        result.append(unique)
    return result


def _name_parts(path: PurePath) -> list[str]:
    """The folders of `path` and its stem, without ``/``, ``.`` and ``..``."""
    folders = [part for part in path.parent.parts if part not in (path.anchor, ".", "..")]
    return [*folders, path.stem]


def _join(parts: Sequence[str], depth: int) -> str:
    return safe_name("_".join(parts[-depth:]))


def _cut(name: str, reserve: int = 0) -> str:
    """`name`, short enough, with room for `reserve` more ASCII characters."""
    name = name[: MAX_NAME_CHARACTERS - reserve]
    while len(name.encode("utf-8", "replace")) > MAX_NAME_BYTES - reserve:
        name = name[:-1]
    return name.rstrip(". ")


def _is_unsafe(char: str) -> bool:
    return char in _FORBIDDEN or _is_invisible(char)


def _is_invisible(char: str) -> bool:
    """Control, format, surrogate, private and unassigned characters; line separators too.

    Undecodable bytes of a file name reach Python as lone surrogates, which no report can hold.
    """
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
