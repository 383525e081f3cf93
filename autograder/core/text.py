"""Text by strangers, made safe to show: on a terminal, in a log, in a table."""

from __future__ import annotations

import re

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

_KEPT = {
    **dict.fromkeys(
        [*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}"
    ),
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
