"""Keys struck at random, told from words without a dictionary."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence

from autograder.reflections.plain import split_words, weigh

PAIR_BITS = (
    "456643546467684618786532359",  # a
    "500060005305014004215000304",  # b
    "602060076244037004255000225",  # c
    "711281037023147104327200217",  # d
    "646655545467680518874426159",  # e
    "500053007000006002125000104",  # f
    "500061325304244005326000306",  # g
    "500061006213125002154220206",  # h
    "656674623557687416773522258",  # i
    "500160004000013000324000003",  # j
    "603060005025026004555000306",  # k
    "722581317336236001455210407",  # l
    "740071105114427500214000206",  # m
    "715775637443247001674405518",  # n
    "356733534556684507666540158",  # o
    "603260055005026306245000415",  # p
    "000010000000000000005000000",  # q
    "825482427242547125655120548",  # r
    "605071057154235501576300348",  # s
    "804281067022437207556212438",  # t
    "554453315347673406563310136",  # u
    "700070105112015002222000304",  # v
    "400140014002023002200000303",  # w
    "102040003000100200040000005",  # x
    "423231222212233302340210016",  # y
    "510250105022344102233210205",  # z
    "877887668577877856886752560",  # start of a word
)
"""How usual it is that one letter (row) is followed by another (column; the last is the end of
a word): ``5 + log2`` of the pair's share over that of 27 x 27 equally usual ones, from 0 to 9.
Counted over Sphinx's own messages in 27 languages of Latin script (sphinx/locale, BSD licence),
each with the weight of the others, English with three times it, without accents.
"""

MIN_MEAN_BITS = -0.2
"""Mean over a text, minus the 5 of `PAIR_BITS`. Of the answers in the test tables the lowest has
0.2 (Polish) and most have over 1.2; letters drawn at random have -1.4 on average, keys struck at
random on one row -1.7."""

MIN_PAIRS = 10
"""Fewer pairs of letters say nothing."""

MAX_NEIGHBOUR_SHARE = 0.5
"""Of the pairs of letters, at most this share may be neighbours on a keyboard; in the answers of
the test tables it is below 0.35."""

KEYBOARD_ROWS = (
    "qwertyuiop", "asdfghjkl", "zxcvbnm",  # most of the world
    "qwertzuiopü", "asdfghjklöä", "yxcvbnm",  # German
    "azertyuiop", "qsdfghjklm", "wxcvbn",  # French
    "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю",
    "ςερτυθιοπ", "ασδφγηξκλ", "ζχψωβνμ",
    "ضصثقفغعهخحجد", "شسيبلاتنمكط", "ئءؤرلاىةوزظ",
    "קראטוןםפ", "שדגכעיחלךף", "זסבהנמצתץ",
    "ๆไำพะัีรนยบล", "ฟหกดเ้่าสวง", "ผปแอิืทมใฝ",
)  # fmt: skip

_LATIN = re.compile(r"[a-z]+")
_OTHER_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})
_NEIGHBOURS = frozenset(
    pair for row in KEYBOARD_ROWS for a, b in itertools.pairwise(row) for pair in (a + b, b + a)
)


def words_not_noise(lines: Iterable[str]) -> list[str]:
    """The words of those lines that do not look like keys struck at random.

    Lines are judged one by one, then all together, since a short one shows nothing by itself.
    """
    kept = [words for words in map(split_words, lines) if not is_noise(words)]
    together = [word for words in kept for word in words]
    return [] if is_noise(together) else together


def is_noise(words: Sequence[str]) -> bool:
    """Whether `words`, as `split_words` gives them, look like keys struck at random."""
    if not words:
        return False
    neighbours, pairs = _count_neighbours(words)
    if pairs >= MIN_PAIRS and neighbours > MAX_NEIGHBOUR_SHARE * pairs:
        return True
    latin = [run for word in words for run in _LATIN.findall(_without_accents(word))]
    if 2 * sum(map(len, latin)) < weigh(words):
        return False  # Mostly in another script, of whose pairs nothing is known here.
    bits = [
        int(PAIR_BITS[_index(a)][_index(b)]) - 5
        for word in latin
        for a, b in zip(f" {word}", f"{word} ", strict=True)
    ]
    return len(bits) >= MIN_PAIRS and sum(bits) < MIN_MEAN_BITS * len(bits)


def _count_neighbours(words: Iterable[str]) -> tuple[int, int]:
    """Pairs of letters within words that are neighbours on a keyboard, and all pairs."""
    pairs = [a + b for word in words for a, b in itertools.pairwise(word)]
    return sum(pair in _NEIGHBOURS for pair in pairs), len(pairs)


def _without_accents(word: str) -> str:
    split = unicodedata.normalize("NFKD", word.translate(_OTHER_LETTERS))
    return "".join(char for char in split if not unicodedata.combining(char))


def _index(letter: str) -> int:
    return 26 if letter == " " else ord(letter) - ord("a")
