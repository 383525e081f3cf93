"""What `m5 grade` wrote, as text in which only what matters can differ."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

ASSETS = re.compile(r"(<|&lt;)(style|script)(>|&gt;).*?\1/\2\3", re.DOTALL)
"""Style sheets and scripts of a page: they are files of their own, tried in a browser."""
HASHES = re.compile(r"('|&#39;)sha256-[^ ]*?\1")
DRAWN_FROM = re.compile(r"(?<=<!-- )(notebook|learning curve) [0-9a-f]{64}")
PICTURE = re.compile(r"(?:[A-Za-z0-9+/]|\\n){600,}=*")
"""A picture in base64: what is kept of it is its hash."""
DRAWING = re.compile(r"<svg.*?</svg>", re.DOTALL)
PLACE = re.compile(r'(?<=[ "(])\d+\.\d{3,}(?=[ "),])')
"""In pixels, of something in a drawing."""
PASSING = re.compile(r"(?<= in )\d+(?= s\b)")
HASHED = "configuration_hash"
"""Says which grader it was."""
SAID = "said.txt"
EVIDENCE = ("evidence.json", "scores.npz")
"""That they hold all that the other files say is tried in `tests/regrade`."""


def read(folder: Path, said: str) -> dict[str, str]:
    """All files of a results folder by their path in it, and what the command printed."""
    found = {SAID: PASSING.sub("0", said)}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.name in EVIDENCE:
            found[path.relative_to(folder).as_posix()] = "kept\n"
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            text = HASHES.sub("'sha256'", ASSETS.sub(r"\1\2\3\1/\2\3", text))
            text = DRAWN_FROM.sub(r"\1", text)
        elif path.name in ("run.json", "graded.json"):
            told = json.loads(text)
            told[HASHED] = ""
            text = json.dumps(told, indent=1) + "\n"
        text = PICTURE.sub(_hashed, text)
        found[path.relative_to(folder).as_posix()] = text
    return found


def placed_as(then: str, now: str) -> str:
    """The page `now`, with what is drawn less than a pixel beside its place in `then` put there.

    Matplotlib for Python 3.10 sets words a third of a pixel lower.
    """
    places = iter(PLACE.findall(" ".join(DRAWING.findall(then))))

    def place(found: re.Match[str]) -> str:
        other = next(places, found[0])
        return other if abs(float(other) - float(found[0])) < 1 else found[0]

    return DRAWING.sub(lambda drawing: PLACE.sub(place, drawing[0]), now)


def _hashed(picture: re.Match[str]) -> str:
    return f"[{len(picture[0])} characters, {hashlib.sha256(picture[0].encode()).hexdigest()[:16]}]"
