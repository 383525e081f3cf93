"""Python as tokens in which only what a program does is left, not how it is dressed."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

MAX_CELL_CHARACTERS = 50_000
"""Read of one cell; a person writes less."""

_PREFIXES = frozenset("rbfuRBFU")
_BEFORE_EQUALS = frozenset("-+*/%&|^=<>!:")
_VARIABLE = "v"
_KEYWORDS = frozenset([*keyword.kwlist, "print", "range", "len"])


class _Cell(NamedTuple):
    tokens: tuple[tuple[str, bool], ...]
    """Each with whether it may be the name of a variable."""
    bound: frozenset[str]
    """Names that the cell itself gives to things."""
    free: frozenset[str]
    """Those that may be names of variables."""


def normalised_code(sources: Iterable[str], known: frozenset[str]) -> list[tuple[str, ...]]:
    """The tokens of each cell without comments, magics, blanks, quotes and commas.

    Names that the notebook itself gives to things all read ``v``; those of attributes and of
    keyword arguments stay, since they belong to a library. What is no Python gives tokens of
    some kind; nothing fails.

    Parameters
    ----------
    known
        Further names to be read as ``v``: those that the released notebook gives.

    Examples
    --------
    >>> normalised_code(["hidden = layers.Dense(units=64)  # why?"], frozenset())
    [('v', '=', 'layers', '.', 'Dense', '(', 'units', '=', '64', ')')]
    """
    texts = [source[:MAX_CELL_CHARACTERS] for source in sources]
    cells = [_read(text) for text in texts]
    bound = known.union(*(cell.bound for cell in cells))
    return [_renamed(text, cell.free & bound) for text, cell in zip(texts, cells, strict=True)]


@lru_cache(maxsize=4096)
def _renamed(source: str, variables: frozenset[str]) -> tuple[str, ...]:
    """The tokens of a cell, in which these names read ``v``."""
    return tuple(
        _VARIABLE if is_free and text in variables else text
        for text, is_free in _read(source).tokens
    )


def bound_names(sources: Iterable[str]) -> frozenset[str]:
    """Names that these cells give to things."""
    return frozenset().union(*(_read(source[:MAX_CELL_CHARACTERS]).bound for source in sources))


@lru_cache(maxsize=4096)
def _read(source: str) -> _Cell:
    """One cell; cached, since most cells of a class are the released ones."""
    found = list(_scan(source))
    tokens: list[tuple[str, bool]] = []
    bound: set[str] = set()
    pending: list[str] = []  # names of this statement that are variables if an = follows
    depth = 0
    is_loop_head = False  # between “for” and “in”
    for place, (text, kind) in enumerate(found):
        before = found[place - 1][0] if place else "\n"
        after = found[place + 1][0] if place + 1 < len(found) else "\n"
        if kind == "string":
            tokens.append((text.lstrip("rbfuRBFU").strip("'\""), False))
        elif kind == "name":
            is_argument = depth > 0 and after == "="
            is_free = before != "." and not is_argument and text not in _KEYWORDS
            tokens.append((text, is_free))
            is_loop_head = text == "for" or (is_loop_head and text != "in")
            if is_free and (is_loop_head or before in ("as", "def", "class", "lambda")):
                bound.add(text)
            elif is_free:
                pending.append(text)
        elif kind == "number":
            tokens.append((text, False))
        elif text not in ("\n", ";"):
            depth = max(0, depth + _step(text))
            if text == "=" and depth == 0:
                bound.update(pending)
                pending.clear()
            tokens.append((text, False))
        elif depth == 0:
            pending.clear()
    return _Cell(
        tokens=tuple(tokens),
        bound=frozenset(bound),
        free=frozenset(text for text, is_free in tokens if is_free),
    )


def _step(sign: str) -> int:
    """How a sign changes the depth of brackets."""
    if sign in "([{":
        return 1
    return -1 if sign in ")]}" else 0


def _scan(source: str) -> Iterator[tuple[str, str]]:
    """(text, kind) of each token, in time that grows with the length of the source.

    No character is looked at again: a string that does not end takes what is left of its line, or
    of the cell.
    """
    place, is_line_start = 0, True
    while place < len(source):
        char = source[place]
        if char == "#" or (is_line_start and char in "%!?"):
            end = source.find("\n", place)
            place = len(source) if end < 0 else end
            continue
        end, kind = place + 1, ""
        if char == "_" or char.isalnum():
            end = _end_of_word(source, place)
            is_prefix = end - place <= 2 and _PREFIXES.issuperset(source[place:end])
            if is_prefix and source[end : end + 1] in ("'", '"'):
                end, kind = _end_of_string(source, end), "string"
            else:
                kind = "number" if char.isdecimal() else "name"
        elif char in "'\"":
            end, kind = _end_of_string(source, place), "string"
        elif char in _BEFORE_EQUALS and source[end : end + 1] == "=":
            end, kind = place + 2, "sign"
        elif char == "\n" or not (char.isspace() or char in ",\\"):
            kind = "sign"
        if kind:
            yield source[place:end], kind
        is_line_start = char == "\n" or (is_line_start and char in " \t")
        place = end


def _end_of_word(source: str, place: int) -> int:
    """Where a name ends, or a number, to which its dots belong."""
    is_number = source[place].isdecimal()
    while place < len(source):
        char = source[place]
        if not (char == "_" or char.isalnum() or (is_number and char == ".")):
            break
        place += 1
    return place


def _end_of_string(source: str, place: int) -> int:
    """Where the string ends whose first quotation mark stands at `place`."""
    mark = source[place] * 3 if source.startswith(source[place] * 3, place) else source[place]
    start = place + len(mark)
    limit = len(source)
    if len(mark) == 1:
        line = source.find("\n", start)
        limit = limit if line < 0 else line
    close = source.find(mark, start, limit)
    while close >= 0:
        escape = source.find("\\", start, close)
        if escape < 0:
            return close + len(mark)
        start = escape + 2
        if start > close:
            close = source.find(mark, start, limit)
    return limit
