"""Matplotlib's list of this machine's fonts, so that not every box has to look for them anew.

A box has a home folder of its own, in which Matplotlib has never been: it would ask for all fonts
and read each of them, for a third of a second. Where the grader's own Matplotlib has done so
before, its list is put into the toolbox, but for fonts that a box cannot see; `inside/fonts.py`
brings it to where Matplotlib looks.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

CACHE = Path(".cache/matplotlib")
"""In a home folder."""
LISTS = "fontlist-v*.json"
"""Both names are Matplotlib's."""
MAX_BYTES = 4 << 20
VISIBLE = ("/usr/share/",)
"""Fonts elsewhere may be the grader's own, and their names nobody's business."""


def known_fonts() -> dict[str, str]:
    """By file name, what this user's Matplotlib knows; what is not as expected is left out."""
    lists: dict[str, str] = {}
    with contextlib.suppress(OSError, RuntimeError):
        for path in _cache_folder().glob(LISTS):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                if path.stat().st_size <= MAX_BYTES:
                    lists[path.name] = _only_visible(path.read_text(encoding="utf-8"))
    return lists


def _cache_folder() -> Path:
    if folder := os.environ.get("MPLCONFIGDIR"):
        return Path(folder)
    if folder := os.environ.get("XDG_CACHE_HOME"):
        return Path(folder) / CACHE.name
    return Path.home() / CACHE


def _only_visible(content: str) -> str:
    """The same list without fonts that a box cannot see; a relative path is Matplotlib's own."""
    known = json.loads(content)
    for kind in ("ttflist", "afmlist"):
        known[kind] = [
            font
            for font in known[kind]
            if not Path(font["fname"]).is_absolute() or font["fname"].startswith(VISIBLE)
        ]
    return json.dumps(known)
