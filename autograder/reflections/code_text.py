"""What a student wrote in words inside a code cell. Nothing is run or even compiled."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass

MAX_CODE_CHARACTERS = 20_000
"""An answer is shorter; the time for a hostile cell stays below a second."""

MIN_PROSE_SHARE = 0.85
"""Of characters that are letters, marks, blanks or commas, in a cell that is no Python."""

_TEXT_MAGIC = re.compile(r"\s*%%(?:markdown|html|latex)\b[^\n]*\n?", re.IGNORECASE)
_LINE_MAGIC = re.compile(r"^[ \t]*[%!][^\n]*$", re.MULTILINE)
_STRING = re.compile(r"(?is)[a-z]{0,3}(\"\"\"|'''|\"|')(.*)\1")
_COMMENT = re.compile(r"#+[:!]?\s?(?:@(?:markdown|title)\b)?")
_STATEMENT = re.compile(
    r"\s*(?:import \w|from \S+ import |(?:del|global|nonlocal|raise|assert|return|class|def) )"
)
_SPEAKING_NAMES = frozenset({"print", "display", "markdown", "html", "ipython", "latex", "md"})
"""Functions that only show the text handed to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeText:
    """The words in a code cell."""

    text: str
    is_all: bool
    """Whether the cell holds nothing else: no code of its own."""


def text_in_code(source: str) -> CodeText:
    """Comments and strings of a cell; of one that is no Python but prose, all of it."""
    source = source[:MAX_CODE_CHARACTERS]
    magic = _TEXT_MAGIC.match(source)
    if magic:
        return CodeText(text=source[magic.end() :], is_all=True)
    source = _LINE_MAGIC.sub("", source)
    pieces: list[str] = []
    names: list[str] = []
    is_assigned = False
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = tokenize.tok_name[token.type]
            if kind == "COMMENT":
                pieces.append(_COMMENT.sub("", token.string, count=1))
            elif kind == "STRING":
                pieces.append(_inside(token.string))
            elif kind == "FSTRING_MIDDLE":  # Python 3.12 and later
                pieces.append(token.string)
            elif kind == "NAME":
                names.append(token.string.lower())
            elif kind == "OP" and token.string == "=":
                is_assigned = True
            elif kind == "ERRORTOKEN" and not token.string.isspace():
                raise SyntaxError
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        is_prose = _is_prose(source)
        return CodeText(text=source if is_prose else "\n".join(pieces), is_all=is_prose)
    speaking = [name for name in names if name not in _SPEAKING_NAMES]
    if len(speaking) > 2 and not pieces and _is_prose(source):
        return CodeText(text=source, is_all=True)  # words that happen to be tokens
    return CodeText(text="\n".join(pieces), is_all=len(speaking) <= (1 if is_assigned else 0))


def _inside(literal: str) -> str:
    """The text between a string's quotes, with its line breaks."""
    match = _STRING.fullmatch(literal)
    return (match[2] if match else literal).replace("\\n", "\n")


def _is_prose(source: str) -> bool:
    text = source.strip()
    plain = sum(char.isalpha() or char.isspace() or char in ",.'’" for char in text)
    if " " not in text or _STATEMENT.match(text):
        return False
    return plain >= MIN_PROSE_SHARE * len(text)
