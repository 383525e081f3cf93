"""Markdown and HTML as plain text, and text as words, in any script."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

MAX_ANSWER_CHARACTERS = 20_000
"""About 3,000 words, read of one cell or answer after pictures are taken out. Bounds the time that
a hostile one takes; a longer answer is there, whatever comes after."""

WIDE_WEIGHT = 2
"""A Han, Kana or Hangul character says as much as two letters or more."""

MAX_SOURCE_CHARACTERS = 32_000_000
"""Looked through for pictures; intake reads at most twice as many bytes."""

_DATA_URI = re.compile(r"data:[\w.+-]{1,40}/[\w.+-]{1,80}(?:;[\w=.-]{1,80})*,[\w+/=%.~-]*")
_MARKER = re.compile(r"<!--\s{0,9}m5:[\w-]{1,40}\s{0,9}-->")
_IMAGE = re.compile(r"!\[([^\[\]]{0,300})\](?:\([^()]{0,500}\)|\[[^\[\]]{0,100}\])")
_LINK = re.compile(r"\[([^\[\]]{0,300})\]\([^()]{0,500}\)")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]+")
_ATTACHMENT = re.compile(r"attachment:\S{0,200}")
_BREAKING_TAG = re.compile(r"</?(?:br|p|div|li|ul|ol|h[1-6]|tr|table|hr)\b[^<>]*>", re.IGNORECASE)
# Only names of HTML: in “lr<threshold and acc>0.9” nothing may vanish.
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|center|cite|code|del|details|em|figure|figcaption|font|i|img|"
    r"ins|kbd|mark|pre|q|s|samp|small|span|strike|strong|sub|summary|sup|svg|tbody|td|th|thead|"
    r"u|var)\b[^<>]*>",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"!\[|<img\b|<svg\b|data:image/|attachment:", re.IGNORECASE)

_THAI_TO_KHMER = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
"""Thai, Lao, Myanmar and Khmer put no space between words."""

_HAN_AND_KANA = (
    (0x3005, 0x3006),
    (0x3041, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_JOINERS = "'’\u200c\u200d"
_HANGUL = ((0xAC00, 0xD7A3),)
_HEBREW_AND_ARABIC = ((0x0590, 0x06FF), (0x0750, 0x077F), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFC))
_VOWEL_SIGNS = ((0x0900, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
"""Marks within these belong to scripts from Devanagari to Khmer."""

_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Fillers of Hangul and the empty pattern of Braille."""

_HANGUL_PARTS = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))
"""Letters by category, but by themselves nobody's words; the fillers among them show as blanks."""


def plain_text(source: str) -> str:
    """What a reader of the rendered cell would see, about; the lines stay lines.

    Comments are kept, since some students write between the arrows of one; pictures leave their
    description, links their text, addresses nothing.
    """
    text = _MARKER.sub("", shorten(source)).replace("<!--", " ").replace("-->", " ")
    text = _IMAGE.sub(r"\1", text)
    text = _LINK.sub(r"\1", text)
    text = _URL.sub("", _ATTACHMENT.sub("", text))
    text = _TAG.sub("", _BREAKING_TAG.sub("\n", text))
    text = html.unescape(text)
    # Cut again: a single ligature may become 18 letters.
    return unicodedata.normalize("NFKC", text)[:MAX_ANSWER_CHARACTERS]


def shorten(source: str) -> str:
    """As much of `source` as is read, without the bytes of pictures."""
    if len(source) > MAX_SOURCE_CHARACTERS or "data:" in source:
        source = _DATA_URI.sub("", source[:MAX_SOURCE_CHARACTERS])
    return source[:MAX_ANSWER_CHARACTERS]


def points_elsewhere(source: str) -> bool:
    """Whether a cell's source shows a picture, or names a page on the web."""
    return _PICTURE.search(source) is not None or _URL.search(source) is not None


def split_words(text: str) -> list[str]:
    """The words of `text`, folded in case, without digits and signs.

    In scripts that put no space between words each letter stands alone.
    """
    words: list[str] = []
    is_open = False  # whether what comes next may belong to the last word
    for char in unicodedata.normalize("NFKC", text).casefold():
        kind = unicodedata.category(char)[0]
        if kind == "L" and not _is_in(char, _HANGUL_PARTS):
            if is_open and not _stands_alone(char) and not _stands_alone(words[-1][0]):
                words[-1] += char
            else:
                words.append(char)
            is_open = True
        elif kind == "M" and is_open:
            words[-1] += char
        elif char not in _JOINERS:  # “didn’t” is one word
            is_open = False
    return words


def weigh(words: Iterable[str]) -> int:
    """Letters in `words`, so that the same thought weighs about the same in every script.

    A Han, Kana or Hangul character counts as two; a letter of Arabic or Hebrew, which write few
    vowels, as one and a half; vowel signs of Indic scripts and Thai as letters; accents not at
    all. Measured on the answers in the test tables.
    """
    return sum(_halves(word) for word in words) // 2


def is_visible(text: str) -> bool:
    """Whether `text` shows anything at all; several characters pass for letters and are blank."""
    return any(
        unicodedata.category(char)[0] not in "ZC" and char not in _BLANKS and char not in "\n\t"
        for char in text
    )


def _halves(word: str) -> int:
    """Twice the letters of `word`."""
    halves = 0
    may_be_marked = False
    for char in word:
        is_letter = unicodedata.category(char)[0] == "L"
        if is_letter:
            is_abjad = _is_in(char, _HEBREW_AND_ARABIC)
            halves += 2 * WIDE_WEIGHT if is_wide(char) else 3 if is_abjad else 2
        elif may_be_marked and _is_in(char, _VOWEL_SIGNS):
            halves += 2
        # One sign for each letter, or a heap of signs would weigh like a word.
        may_be_marked = is_letter
    return halves


def _stands_alone(char: str) -> bool:
    return _is_in(char, _THAI_TO_KHMER) or _is_in(char, _HAN_AND_KANA)


def is_wide(char: str) -> bool:
    """Whether `char` is a Han, Kana or Hangul character."""
    return _is_in(char, _HAN_AND_KANA) or _is_in(char, _HANGUL)


def _is_in(char: str, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= ord(char) <= last for first, last in ranges)
