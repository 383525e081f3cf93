"""Strangers' HTML and pictures, made harmless, in time that grows with their size.

And soft limits of time within a task, so that one odd cell does not cost the whole page.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import re
import signal
import time
from collections.abc import Iterator, Mapping
from types import FrameType

import nh3
from markupsafe import Markup
from PIL import Image

from autograder.core.text import without_folders

MAX_HTML_CHARACTERS = 50_000
"""Of one piece; a table of 100 rows."""
MAX_TAGS = 10_000
"""Of one piece. A table of 60 rows and 20 columns has 2,700."""
MAX_OPEN = 40
"""Elements that are open at once. A parser of HTML opens elements such as ``b`` again in every
paragraph that follows until they are closed: 6 kB of them and 6 kB of paragraphs make 8 MB."""
MAX_GROWTH = 4
"""The cleaned text may be so many times as long, and 1,000 characters more."""
MAX_PICTURE_CHARACTERS = 6_000_000
"""In base64."""
MAX_PIXELS = 25_000_000
"""A browser needs four bytes for each, however well the file is packed: 6 MB may unpack to 4 GB. A
figure of 10 by 10 inches at 300 dots an inch has 9 million."""

TAGS = frozenset(
    {"b", "blockquote", "br", "caption", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s", "span", "strong", "sub"}
    | {"sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"}
)
_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags={"script", "style"},
    attributes={"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
    strip_comments=True,
    link_rel=None,
)
_SEAL = nh3.Cleaner(
    tags=set(TAGS) | {"details", "img", "summary"},
    attributes={
        "*": {"class", "id", "tabindex", "title"},
        "img": {"src", "alt"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan"},
    },
    url_schemes={"data"},
    clean_content_tags={"script", "style"},
    strip_comments=True,
    link_rel=None,
)
_NEVER_OPEN = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track"}
    | {"wbr", "!doctype"}
)
_CLOSED_BY_NEXT = frozenset({"dd", "dt", "li", "option", "p", "tbody", "td", "tfoot", "th"}) | {
    "thead",
    "tr",
}
"""Many people leave their end tags out, and the next one of their kind ends them."""
SIGNATURES: Mapping[str, tuple[bytes, ...]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
"""The pictures that a page shows, and how their files begin."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def clean_html(html: str) -> Markup:
    """What is harmless of a piece of HTML; empty where nothing is left, or it is too much."""
    html = _CONTROL.sub("", html)
    if len(html) > MAX_HTML_CHARACTERS or not _is_modest(html):
        return Markup()
    cleaned = _CLEANER.clean(html)
    if len(cleaned) > MAX_GROWTH * len(html) + 1_000 or not cleaned.strip():
        return Markup()
    return Markup(without_folders(cleaned))


def sealed(html: str) -> str:
    """What is harmless of a part of a page that has been put together of cleaned pieces.

    The second lock: all of it, where the first has held. Pictures in it are ours by their
    addresses, and scripts, frames, forms, links and styles are gone whoever wrote them.
    """
    return _SEAL.clean(html)


def _is_modest(html: str) -> bool:
    """Whether a parser will make as many elements of it as it has tags, more or less."""
    pieces = html.split("<")[1:]
    if len(pieces) > MAX_TAGS:
        return False
    depth = 0
    for piece in pieces:
        is_end = piece.startswith("/")
        name = _tag_name(piece[1:] if is_end else piece)
        if not name or name in _NEVER_OPEN or name in _CLOSED_BY_NEXT:
            continue
        depth = max(0, depth - 1) if is_end else depth + 1
        if depth > MAX_OPEN:
            return False
    return True


def _tag_name(piece: str) -> str:
    """The name with which a tag begins; empty for text, comments and declarations."""
    name = piece[:16].lower()
    if not name[:1].isascii() or not name[:1].isalpha():
        return ""
    for place, char in enumerate(name):
        if char in " \t\n\r\f/>":
            return name[:place]
    return name


def checked_picture(kind: str, content: str) -> str:
    """A picture's base64 without blanks; empty where it is none of that kind, or too large."""
    text = "".join(content.split())
    if not text or len(text) > MAX_PICTURE_CHARACTERS:
        return ""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return text if data.startswith(SIGNATURES[kind]) and _is_of_modest_size(data) else ""


def _is_of_modest_size(data: bytes) -> bool:
    """By what the file's head says; nothing is unpacked here."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return int(image.width) * int(image.height) <= MAX_PIXELS
    except Exception:  # whatever a broken file does to the library: it is no picture to show
        return False


class OutOfTime(BaseException):
    """Not an `Exception`, which a library might take for one of its own."""


class Budget:
    """Processor time that several pieces of work may use together. For the main thread alone.

    Parameters
    ----------
    seconds
        In all.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @contextlib.contextmanager
    def spend(self, most: float) -> Iterator[None]:
        """Do a piece of work, in at most so many seconds.

        Python's own regular expressions are interrupted as well; other libraries in C are when
        they return.

        Raises
        ------
        OutOfTime
            If it takes longer, or the budget is used up.
        """
        seconds = min(most, self._left)
        if seconds <= 0:
            raise OutOfTime
        before = signal.signal(signal.SIGVTALRM, _interrupt)
        started = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
            self._left -= time.process_time() - started


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise OutOfTime
