"""Text by strangers, made safe to show, to write and to name a folder; and shares as text.

What a cell prints is kept as a terminal leaves it: a carriage return overtypes what stands there.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import msgspec

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands for what cannot be shown or written."""

MAX_SHOWN_CHARACTERS = 80
"""A name in a sentence; a longer one is cut, so that the sentence stays readable."""

MAX_NAME_CHARACTERS = 100
"""Leaves room for parent folders within the 260 characters of a path on Windows."""

MAX_NAME_BYTES = 200
"""In UTF-8. Linux allows 255 for one name; the rest is for endings such as ``.tmp``."""

FALLBACK_NAME = "submission"

FORMULAS = ("=", "+", "-", "@")
"""What a spreadsheet takes for the start of a formula, and a shell for an option."""

_FORBIDDEN = frozenset('<>:"/\\|?*')
"""Windows refuses these in a name; ``/`` separates folders everywhere."""

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
"""Devices on Windows, whatever their ending."""

_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colours and movements of the cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # titles, links
    r"|\x1b[ -/]*[0-~]?"
)
"""Escape sequences of terminals (ECMA-48), also cut off ones. No two parts of a pattern can match
the same character, and each match begins at a character that no other can hold, so that the time
grows with the length of the text."""

_ORDER = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Embeddings, overrides and isolates, which can show text in another order than it has. The marks
U+200E, U+200F and U+061C stay: Arabic and Hebrew need them, and they move nothing else."""

_PATH = re.compile(r"(?<![\w.~/-])~?(?:/[\w.+@%=~-]+)+/(?=[\w.+@%=~<-])")
"""The folders of an absolute path, up to the last name in it."""
_BARE = re.compile(r"/(?:autograder|tmp|root|opt/activity-m5)\b/?")
"""What is left of our own folders where nothing follows them."""

_KEPT = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)], REPLACEMENT),
    **dict.fromkeys([*_ORDER, 0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)], None),
    0x09: "\t",
    0x0A: "\n",
    0x2028: "\n",
    0x2029: "\n",
    0x85: "\n",
}


def plain_text(text: str) -> str:
    """`text` without anything that a terminal would obey; lines and tabs stay.

    Escape sequences and what changes the order of letters are taken out; other control
    characters, and half characters, become U+FFFD. A lone carriage return ends a line.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x1b" in text or any("\x80" <= char <= "\x9f" for char in set(text)):
        text = _ESCAPE.sub("", text)
    return text.translate(_KEPT)


def one_line(text: str, limit: int | None = None) -> str:
    """The same on one line, with single blanks, at most `limit` characters."""
    # More than is shown, but not a megabyte of it.
    head = text if limit is None else text[: 16 * limit]
    line = " ".join(plain_text(head).split())
    if limit is None or (len(line) <= limit and len(head) == len(text)):
        return line
    return line[: limit - 1] + "…"


def without_folders(text: str) -> str:
    """`text` without the folders of absolute paths, which may be this machine's.

    The last name of each stays, which is what tells a student's own file.
    """
    return _BARE.sub("…/", _PATH.sub("…/", text))


def excerpt(text: str, limit: int) -> str:
    """`text` as a page or Gradescope shows it: plain, without our folders, not too long."""
    text = without_folders(plain_text(text[: 4 * limit]))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shown_name(text: str) -> str:
    """A name that a stranger chose, of a file or a layer, as it may stand in a sentence."""
    return one_line(text, MAX_SHOWN_CHARACTERS) or "(no name)"


def writable(text: str) -> str:
    """`text` to the letter, but for NUL and lone surrogates, which no encoding and no parser takes.

    Two halves of one character, as from a list of lines cut in the wrong place, are joined.
    """
    if "\x00" not in text and text.isascii():
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", REPLACEMENT)


_encoder = msgspec.msgpack.Encoder()


def encode(record: Any) -> bytes:
    """A record as MessagePack, for another process; bytes as they are.

    Half characters in it, which MessagePack cannot hold, are made printable.
    """
    if isinstance(record, bytes):
        return record
    try:
        return _encoder.encode(record)
    except UnicodeEncodeError:
        return _encoder.encode(_printable(msgspec.to_builtins(record, builtin_types=(bytes,))))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    return value


def safe_name(text: str, ending: str = "") -> str:
    """Turn `text` into a name that any system accepts for a folder.

    Letters of every script are kept, in composed form (NFC). Separators, control characters and
    invisible ones become ``_``; dots and blanks at either end go.

    Returns
    -------
    str
        1 to 100 characters, at most 200 bytes in UTF-8, with `ending`, which is ASCII.
    """
    composed = unicodedata.normalize("NFC", text)
    kept = "".join("_" if _is_unsafe(char) else char for char in composed)
    name = _cut(" ".join(kept.split()).strip(". "), len(ending))
    if _RESERVED.fullmatch(name) or unicodedata.normalize("NFKC", name[:1]) in FORMULAS:
        name = _cut(f"_{name}", len(ending))
    return (name or FALLBACK_NAME) + ending


def _cut(name: str, reserve: int) -> str:
    name = name[: MAX_NAME_CHARACTERS - reserve]
    while len(name.encode("utf-8", "replace")) > MAX_NAME_BYTES - reserve:
        name = name[:-1]
    return name.rstrip(". ")


def _is_unsafe(char: str) -> bool:
    """Also control, format, surrogate, private and unassigned characters, and line separators.

    Undecodable bytes of a file name reach Python as lone surrogates, which no report can hold.
    """
    invisible = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return char in _FORBIDDEN or unicodedata.category(char) in invisible


def percent(fraction: float) -> str:
    """As the lesson writes it, exact for 10,000 images: 0.9512 is 95.12 %."""
    return f"{100 * fraction:.2f} %"


def whole_percent(fraction: float) -> str:
    """Where nothing hangs on hundredths: 0.0912 is 9 %."""
    return f"{100 * fraction:.0f} %"


BACKSPACE = "\b"
TOKEN = re.compile(r"[^\b\x1b]+|[\b]|\x1b(?:\[[0-9;?]*[ -/]*[@-~])?")
"""A run of characters, a step back, or an escape sequence; each matches in linear time."""
ERASES_REST = re.compile(r"\x1b\[[02]?K")
"""Escape sequences after which nothing is left of what stood to the right."""


class StreamText:
    """Text that arrives in pieces; time and memory grow with the text, not with its square.

    A line without overtyping is kept as it came, escape sequences and backspaces too. What covers
    all that stood on its line is kept as it came as well, but for backspaces at its end: a bar of
    Keras keeps its colours. A line that was overtyped in part keeps its characters alone.
    """

    def __init__(self) -> None:
        self._done: list[str] = []
        self._done_bytes = 0
        self._line = _Line()

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([*self._done, self._line.text])

    @property
    def size_bytes(self) -> int:
        """About as many bytes as are kept, rather more than less."""
        return self._done_bytes + self._line.size_bytes

    def add(self, text: str) -> None:
        """Take in the next piece."""
        for number, part in enumerate(text.split("\n")):
            if number:
                self._done.append(self._line.text)
                self._done_bytes += size_of(self._done[-1]) + 1
                self._line = _Line()
            for place, run in enumerate(part.split("\r")):
                if place:
                    self._line.go_back()
                if run:
                    self._line.add(run)


class _Line:
    """One line, to which more may come."""

    def __init__(self) -> None:
        self._shown = ""
        """What stands there, unless it is in `_characters`."""
        self._characters: list[str] | None = None
        self._runs: list[str] = []
        """What came since the last carriage return."""
        self._bytes = self._run_bytes = 0

    @property
    def text(self) -> str:
        self.go_back()
        return self._shown if self._characters is None else "".join(self._characters)

    @property
    def size_bytes(self) -> int:
        return self._bytes + self._run_bytes

    def add(self, run: str) -> None:
        self._runs.append(run)
        self._run_bytes += size_of(run)

    def go_back(self) -> None:
        """Write what has come over what stands there, and go on at the start of the line."""
        run, size = "".join(self._runs), self._run_bytes
        self._runs, self._run_bytes = [], 0
        if not run:
            return
        if self._characters is None and not self._shown:
            self._shown, self._bytes = run, size
            return
        written = characters(run)
        # Taken apart once for each run that was written, so that time grows with the text.
        stands = characters(self._shown) if self._characters is None else self._characters
        if len(written) >= len(stands) or ERASES_REST.search(run):
            self._characters, self._shown, self._bytes = None, run.rstrip(BACKSPACE), size
            return
        stands[: len(written)] = written
        self._characters, self._bytes = stands, min(self._bytes + size, 4 * len(stands))


def characters(text: str) -> list[str]:
    """What a terminal shows of a text without line ends, written from the start of a line."""
    shown: list[str] = []
    column = 0
    for token in TOKEN.findall(text):
        if token == BACKSPACE:
            column = max(0, column - 1)
        elif not token.startswith("\x1b"):
            shown[column : column + len(token)] = token
            column += len(token)
    return shown


def size_of(text: str) -> int:
    """Bytes in UTF-8; half characters, which JSON can hold, count as well."""
    return len(text.encode("utf-8", "surrogatepass"))
