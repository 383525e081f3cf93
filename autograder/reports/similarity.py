"""Submissions that have much in common: a hint for staff, never a part of a grade.

Code and answers are cut into shingles, which are short runs of tokens or words. Those that the
released notebook has as well do not count, nor do those that many submissions share. What is left
is compared pair by pair, by the share of shingles that both have of all that either has.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from autograder.reports.code_tokens import bound_names, normalised_code

Words = tuple[str, ...]
Hashes = NDArray[np.uint64]

CODE_RUN = 6
"""Tokens in a shingle of code: about one call with its arguments."""
TEXT_RUN = 4
"""Words in a shingle of text; three are often a turn of phrase, five hide a changed word."""
MIN_SHINGLES = {"code": 40, "reflections": 12}
"""Less than this of one's own is too little to tell anything: fixing two numbers of the released
network leaves about a dozen shingles, the same ones in many honest notebooks."""
MIN_SHARE = {"code": 0.5, "reflections": 0.3}
"""From here on a pair is shown. Texts by two people share next to nothing."""
MAX_SHINGLES = 600
"""Of one submission. Of more, those with the smallest hashes stand for all."""
MAX_SHARERS = 25
"""Submissions; a shingle that more have is taken for common knowledge. With `MAX_SHINGLES` this
bounds the cost: a thousand submissions make at most 7.5 million pairs of shingles."""
MAX_GROUPS = 50
"""Are shown, of each kind."""
MAX_SAMPLE_CHARACTERS = 240
MAX_CHARACTERS = {"code": 100_000, "reflections": 30_000}
"""Read of one submission; several times what a diligent student writes."""

_STAND_ALONE = ((0x0E00, 0x0EFF), (0x3041, 0x30FF), (0x3400, 0x9FFF))
"""Thai and Lao, Kana, Han put no blank between words: there each letter stands alone."""
MAX_WORD_CHARACTERS = 100
"""Longer ones are cut in pieces: the time for normalising grows with the square of the length."""
_FACTORS = np.array([pow(0x9E3779B97F4A7C15, k, 1 << 64) for k in range(8)], dtype=np.uint64)
"""Odd and far apart, so that a run's hash depends on the order of what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is compared of one submission."""

    key: str
    code: Sequence[str]
    """Sources of its code cells."""
    answers: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """Two or more submissions that have much in common.

    Attributes
    ----------
    keys
        Two submissions, or all those that are the same.
    share
        Of their shingles, 0 to 1.
    sample
        The longest passage that the first two share, normalised.
    """

    keys: tuple[str, ...]
    share: float
    sample: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """What is left of submissions that say the same; the hashes ascend."""

    keys: tuple[str, ...]
    pieces: tuple[Words, ...]
    shingles: Hashes


def find_similar(works: Iterable[Work], released: Work | None = None) -> dict[str, list[Similar]]:
    """The most similar submissions by ``code`` and by ``reflections``, the most similar first.

    Parameters
    ----------
    released
        What the released notebook says, its text in place of answers.
    """
    released = released or Work(key="", code=(), answers=())
    known = bound_names(released.code)
    code: dict[str, list[Words]] = {}
    text: dict[str, list[Words]] = {}
    for work in works:
        code[work.key] = normalised_code(_bounded(work.code, MAX_CHARACTERS["code"]), known)
        text[work.key] = _words(_bounded(work.answers, MAX_CHARACTERS["reflections"]))
    return {
        "code": _similar("code", code, normalised_code(released.code, known), CODE_RUN),
        "reflections": _similar("reflections", text, _words(released.answers), TEXT_RUN),
    }


def _bounded(texts: Iterable[str], limit: int) -> Iterator[str]:
    """The texts, up to so many characters in all."""
    for text in texts:
        yield text[:limit]
        limit -= len(text)
        if limit <= 0:
            return


def _words(answers: Iterable[str]) -> list[Words]:
    return [tuple(_split(answer)) for answer in answers]


def _split(answer: str) -> Iterator[str]:
    """The words, without digits, signs and the difference between small and capital letters."""
    for piece in answer.split():
        for start in range(0, len(piece), MAX_WORD_CHARACTERS):
            part = piece[start : start + MAX_WORD_CHARACTERS]
            word = ""
            for char in unicodedata.normalize("NFKC", part).casefold():
                is_letter = char.isalnum() and not char.isdecimal()
                is_alone = is_letter and _stands_alone(char)
                if is_letter and not is_alone:
                    word += char
                    continue
                if word:
                    yield word
                    word = ""
                if is_alone:
                    yield char
            if word:
                yield word


@lru_cache(maxsize=1 << 12)
def _stands_alone(char: str) -> bool:
    return any(a <= ord(char) <= b for a, b in _STAND_ALONE)


def _similar(
    kind: str,
    works: Mapping[str, Sequence[Words]],
    released: Sequence[Words],
    run: int,
) -> list[Similar]:
    documents = _documents(works, _shingles(released, run), run, MIN_SHINGLES[kind])
    found = [
        Similar(keys=document.keys, share=1.0, sample=_sample(document, document.shingles, run))
        for document in documents
        if len(document.keys) > 1
    ]
    for first, second, share in _pairs(documents, kind):
        a, b = documents[first], documents[second]
        sample = _sample(a, np.intersect1d(a.shingles, b.shingles, assume_unique=True), run)
        found.append(Similar(keys=(a.keys[0], b.keys[0]), share=share, sample=sample))
    found.sort(key=lambda similar: (-similar.share, -len(similar.keys), similar.keys))
    return found[:MAX_GROUPS]


def _documents(
    works: Mapping[str, Sequence[Words]], released: Hashes, run: int, least: int
) -> list[_Document]:
    """One document for all submissions that say the same, without those that say too little."""
    same: dict[bytes, list[str]] = defaultdict(list)
    for key, pieces in works.items():
        own = np.setdiff1d(_shingles(pieces, run), released, assume_unique=True)
        if len(own) >= least:
            same[own[:MAX_SHINGLES].tobytes()].append(key)
    return [
        _Document(
            keys=tuple(keys),
            pieces=tuple(works[keys[0]]),
            shingles=np.frombuffer(shingles, dtype=np.uint64),
        )
        for shingles, keys in same.items()
    ]


def _shingles(pieces: Iterable[Words], run: int) -> Hashes:
    """The hashes of all runs in the pieces, each once, ascending."""
    hashes = [_hashes(piece, run) for piece in pieces]
    every = np.concatenate([np.empty(0, dtype=np.uint64), *hashes])
    # With counts NumPy sorts; without them it hashes, which takes five times as long.
    return np.unique(every, return_counts=True)[0]


@lru_cache(maxsize=4096)
def _hashes(piece: Words, run: int) -> Hashes:
    """A hash for each run of a piece; cached, since a class has many cells in common."""
    if len(piece) < run:
        return np.empty(0, dtype=np.uint64)
    tokens = np.array([_hash(token) for token in piece], dtype=np.uint64)
    runs = np.lib.stride_tricks.sliding_window_view(tokens, run)
    hashes: Hashes = (runs * _FACTORS[:run]).sum(axis=1, dtype=np.uint64)
    return hashes


@lru_cache(maxsize=1 << 16)
def _hash(token: str) -> int:
    """The same number in every run of the program, unlike `hash`."""
    digest = blake2b(token.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _pairs(documents: Sequence[_Document], kind: str) -> list[tuple[int, int, float]]:
    """(first, second, share) of every pair that shares enough; the largest shares first."""
    if len(documents) < 2:
        return []
    shingles = np.concatenate([document.shingles for document in documents])
    holders = np.repeat(np.arange(len(documents)), [len(d.shingles) for d in documents])
    order = np.argsort(shingles, kind="stable")  # holders of one shingle stay in order
    holders = holders[order]
    _, starts, sharers = np.unique(shingles[order], return_index=True, return_counts=True)
    sizes = np.zeros(len(documents), dtype=np.int64)
    found = [np.empty(0, dtype=np.int64)]
    for number in range(1, MAX_SHARERS + 1):
        group = starts[sharers == number]
        members = holders[group[:, None] + np.arange(number)]
        sizes += np.bincount(members.ravel(), minlength=len(documents))
        left, right = np.triu_indices(number, k=1)
        found.append((members[:, left] * len(documents) + members[:, right]).ravel())
    codes, common = np.unique(np.concatenate(found), return_counts=True)
    first, second = codes // len(documents), codes % len(documents)
    shares = common / (sizes[first] + sizes[second] - common)
    # Where nearly all is common knowledge, the little that is left may be the same by chance.
    is_much = common >= MIN_SHINGLES[kind] // 2
    chosen = np.flatnonzero((shares >= MIN_SHARE[kind]) & is_much)
    chosen = chosen[np.argsort(-shares[chosen], kind="stable")][:MAX_GROUPS]
    return [(int(first[i]), int(second[i]), float(shares[i])) for i in chosen]


def _sample(document: _Document, shared: Hashes, run: int) -> str:
    """The document's longest passage made of shared shingles."""
    best: Words = ()
    for piece in document.pieces:
        start = 0
        # One more at the end, which is not shared, closes the last passage.
        for place, is_shared in enumerate([*np.isin(_hashes(piece, run), shared), False]):
            if not is_shared:
                if place > start:
                    best = max(best, piece[start : place - 1 + run], key=len)
                start = place + 1
    text = " ".join(best)
    return text if len(text) <= MAX_SAMPLE_CHARACTERS else text[: MAX_SAMPLE_CHARACTERS - 1] + "…"
