"""Python as tokens in which only what a program does is left, not how it is dressed."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

MAX_CELL_CHARACTERS = 50_000
"""Read of one cell; a person writes less."""

_TOKEN = re.compile(
    r"""
      \#[^\n]*
    | ^[ \t]*[%!?][^\n]*
    | (?P<string>[rbfuRBFU]{0,2}(?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}
        |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    | (?P<number>\d[\w.]*)
    | (?P<name>[^\W\d]\w*)
    | (?P<sign>[-+*/%&|^=<>!:]=|[^\s\w,\\]|\n)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_VARIABLE = "v"
_KEYWORDS = frozenset([*keyword.kwlist, "print", "range", "len"])


class _Cell(NamedTuple):
    tokens: tuple[tuple[str, bool], ...]
    """Each with whether it may be the name of a variable."""
    bound: frozenset[str]
    """Names that the cell itself gives to things."""


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
    cells = [_read(source[:MAX_CELL_CHARACTERS]) for source in sources]
    bound = known.union(*(cell.bound for cell in cells))
    return [
        tuple(_VARIABLE if is_free and text in bound else text for text, is_free in cell.tokens)
        for cell in cells
    ]


def bound_names(sources: Iterable[str]) -> frozenset[str]:
    """Names that these cells give to things."""
    return frozenset().union(*(_read(source[:MAX_CELL_CHARACTERS]).bound for source in sources))


@lru_cache(maxsize=4096)
def _read(source: str) -> _Cell:
    """One cell; cached, since most cells of a class are the released ones."""
    found = [(match[0], match.lastgroup) for match in _TOKEN.finditer(source) if match.lastgroup]
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
    return _Cell(tokens=tuple(tokens), bound=frozenset(bound))


def _step(sign: str) -> int:
    """How a sign changes the depth of brackets."""
    if sign in "([{":
        return 1
    return -1 if sign in ")]}" else 0
