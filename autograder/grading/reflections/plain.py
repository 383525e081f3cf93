"""Markdown and HTML as plain text, and text as words, in any script.

The texts are students', so the time for each step grows with the text and not with its square:
plain string methods, and RE2 where a pattern is needed.
"""

from __future__ import annotations

import html
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import re2

MAX_CHARACTERS = 10_000
"""Read of one cell or answer, about 1,500 words, after pictures are taken out. What is longer is an
answer by then."""

MAX_PICTURES = 1_000
"""Of one cell; their bytes are taken out before the text is cut."""

MAX_MARKS = 30
"""Accents on one letter, as in the stream-safe format of Unicode's annex 15. To put more of them in
order takes time that grows with the square."""

_HEAPED_MARKS = re2.compile(rf"(\p{{M}}{{{MAX_MARKS}}})\p{{M}}+")
_URL = re2.compile(r"""(?i)(?:https?://|www\.|attachment:)[^\s\p{Z}<>"')\]]*""")
# Only names of HTML: in “lr<threshold and acc>0.9” nothing may vanish.
_TAG = re2.compile(
    r"(?i)</?(?:(br|p|div|li|ul|ol|h[1-6]|tr|table|hr|td|th)|a|abbr|b|big|blockquote|center|cite|"
    r"code|del|details|em|figure|figcaption|font|i|img|ins|kbd|mark|pre|q|s|samp|small|span|strike|"
    r"strong|sub|summary|sup|svg|tbody|thead|u|var)(?:[\s/][^<>]*)?>"
)
_OTTER_COMMENTS = ("BEGIN ", "END ")
_PICTURE_SIGNS = ("![", "<img", "<svg", "data:image/", "attachment:", "http://", "https://", "www.")

_JOINERS = "'’\u200c\u200d"
_ALONE = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF),  # Thai, Lao, Myanmar, Khmer
    (0x3005, 0x3006), (0x3041, 0x30FF), (0x31F0, 0x31FF),  # Kana
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),  # Han
)  # fmt: skip
"""Scripts that put no space between words: each letter is taken for a word."""
_WIDE = (*_ALONE[3:], (0xAC00, 0xD7A3))
"""Han, Kana and Hangul."""
_HEBREW_AND_ARABIC = ((0x0590, 0x06FF), (0x0750, 0x077F), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFC))
_VOWEL_SIGNS = ((0x0900, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
"""Marks within these belong to scripts from Devanagari to Khmer."""
_HANGUL_PARTS = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))
"""Letters by category, but by themselves nobody's words; some of them show as blanks."""


def readable(source: object) -> tuple[str, bool]:
    """As much of a cell's source as is read, without bytes of pictures and lone surrogates.

    Returns
    -------
    The text, and whether there is more of it.
    """
    if not isinstance(source, str):
        return "", False
    first, *others = source.split("data:", MAX_PICTURES)
    pieces = [first]
    for piece in others:
        kind, comma, content = piece[:200].partition(",")
        if comma and "/" in kind and not any(char.isspace() for char in kind):
            content = piece[len(kind) + 1 :]
            ends = [content.find(stop) for stop in " \t\n)\"'>"]
            pieces.append(content[min((e for e in ends if e >= 0), default=len(content)) :])
        else:
            pieces.append("data:" + piece)
    text = "".join(pieces).strip()
    is_cut, text = len(text) > MAX_CHARACTERS, text[:MAX_CHARACTERS]
    return text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n"), is_cut


def plain_text(source: str) -> str:
    """What a reader of the rendered text would see, about; the lines stay lines.

    Comments are kept, since some students write between the arrows of one; pictures leave their
    description, links their text, addresses nothing.
    """
    text = source[:MAX_CHARACTERS].replace("<!--", " ").replace("-->", " ")
    first, *others = text.split("](")
    text = "".join([first, *(piece[piece.find(")", 0, 500) + 1 :] for piece in others)])
    if points_elsewhere(text):
        text = _URL.sub("", text)
    if "<" in text:
        text = _TAG.sub(lambda tag: "\n" if tag[1] else "", text)
    if "&" in text:
        text = html.unescape(text)
    return _normalised(text)


def without_our_comments(source: str) -> str:
    """`source` without Otter's comments; markers of ours stand on lines of their own."""
    pieces: list[str] = []
    at = 0
    while (start := source.find("<!--", at)) >= 0 and (end := source.find("-->", start + 4)) >= 0:
        said = source[start + 4 : end].strip()
        pieces.append(source[at:start])
        if said.startswith("m5:"):
            pieces.append(f"\n<!-- {said} -->\n")
        elif not said.upper().startswith(_OTTER_COMMENTS):
            pieces.append(source[start : end + 3])
        at = end + 3
    return "".join([*pieces, source[at:]])


def points_elsewhere(source: str) -> bool:
    """Whether a text shows a picture, or names a page on the web."""
    folded = source[:MAX_CHARACTERS].lower()
    return any(sign in folded for sign in _PICTURE_SIGNS)


def split_words(text: str) -> list[str]:
    """The words of `text`, folded in case, without digits and signs.

    In scripts that put no space between words each letter stands alone.
    """
    return _normalised(text).casefold().translate(_WORD_CHARACTERS).split()


def likeness(some: Sequence[str], others: Sequence[str]) -> float:
    """Share of words that two texts have in common, in any order, from 0 to 1."""
    shared = (Counter(some) & Counter(others)).total() if some and others else 0
    return 2 * shared / max(len(some) + len(others), 1)


def weigh(words: Sequence[str]) -> int:
    """Letters in `words`, so that the same thought weighs about the same in every script.

    A Han, Kana or Hangul character counts as two; a letter of Arabic or Hebrew, which write few
    vowels, as one and a half; vowel signs of Indic scripts and Thai as letters, as long as there
    are no more of them than letters; accents not at all. Measured on the answers in the test
    tables.
    """
    letters = signs = 0
    for char in "".join(words):
        weight = _halves(char)
        if weight > 0:
            letters += weight
        else:
            signs -= weight
    return (letters + min(signs, letters)) // 2


def is_wide(char: str) -> bool:
    """Whether `char` is a Han, Kana or Hangul character."""
    return _is_in(char, _WIDE)


class _WordCharacters(dict[int, str]):
    """What `split_words` makes of each character, found out when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kind = unicodedata.category(char)[0]
        if char in _JOINERS:
            kept = ""  # “didn’t” is one word
        elif kind not in "LM" or _is_in(char, _HANGUL_PARTS):
            kept = " "
        else:
            kept = f" {char} " if kind == "L" and _is_in(char, _ALONE) else char
        if len(self) < MAX_CHARACTERS:
            self[code] = kept
        return kept


_WORD_CHARACTERS = _WordCharacters()


@lru_cache(maxsize=MAX_CHARACTERS)
def _halves(char: str) -> int:
    """Twice the letters that `char` counts as, below zero for a vowel sign."""
    kind = unicodedata.category(char)[0]
    if kind == "M":
        return -2 if _is_in(char, _VOWEL_SIGNS) else 0
    return 4 if is_wide(char) else 3 if _is_in(char, _HEBREW_AND_ARABIC) else 2


def _normalised(text: str) -> str:
    if text.isascii():
        return text
    # Cut again: a single ligature may become 18 letters.
    return unicodedata.normalize("NFKC", _HEAPED_MARKS.sub(r"\1", text))[:MAX_CHARACTERS]


def _is_in(char: str, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= ord(char) <= last for first, last in ranges)
