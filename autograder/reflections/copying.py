"""How much of a text is somebody else's, or the same again and again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

Words = tuple[str, ...]

MAX_EDIT_WORDS = 2
"""So few own words between two copied passages are taken for an edit of one passage."""

LONGEST_PERIOD = 24
"""Words of a phrase whose repetition is looked for; longer ones are answers in themselves."""

_REPEATED_LETTERS = re.compile(r"(.{1,12}?)\1{2,}")
"""Three times or more in a row; in words of any language nothing of this kind is long."""


@lru_cache(maxsize=64)
def runs_of(words: Words, length: int) -> frozenset[Words]:
    """Every run of `length` words in `words`."""
    return frozenset(words[i : i + length] for i in range(len(words) - length + 1))


def own_words(words: Sequence[str], runs: Iterable[frozenset[Words]]) -> list[str]:
    """`words` without those that lie in a run of one of the sets `runs`.

    Up to two words between two runs go as well: they are an edit of what was copied.
    """
    copied = [False] * len(words)
    for known in runs:
        length = len(next(iter(known), ()))
        if not length:
            continue
        for start in range(len(words) - length + 1):
            if tuple(words[start : start + length]) in known:
                copied[start : start + length] = [True] * length
    _close_gaps(copied)
    return [word for word, is_copied in zip(words, copied, strict=True) if not is_copied]


def _close_gaps(copied: list[bool]) -> None:
    last = None
    for i, is_copied in enumerate(copied):
        if not is_copied:
            continue
        if last is not None and 0 < i - last - 1 <= MAX_EDIT_WORDS:
            copied[last:i] = [True] * (i - last)
        last = i


def without_repeats(words: Sequence[str]) -> list[str]:
    """`words` with what is said several times in a row said once.

    Examples
    --------
    >>> without_repeats("bad net bad net bad net".split())
    ['bad', 'net']
    """
    kept: list[str] = []
    for word in (_REPEATED_LETTERS.sub(r"\1", word) for word in words):
        kept.append(word)
        for period in range(1, min(LONGEST_PERIOD, len(kept) // 2) + 1):
            if kept[-period:] == kept[-2 * period : -period]:
                del kept[-period:]
                break
    return kept
