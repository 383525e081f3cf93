"""Which parts of the source notebook a student may see, and which not.

Read from the source itself and not from what Otter Assign made of it, so that the leak check does
not rest on the program that it checks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from autograder.core.errors import ReleaseError
from autograder.release.template import Notebook

BOUNDARY = re.compile(r"#\s+(begin|end)\s+(question|prompt|solution|tests)\b", re.IGNORECASE)
BEGIN_SOLUTION = re.compile(r"\s*# BEGIN SOLUTION( NO PROMPT)?\s*$")
END_SOLUTION = re.compile(r"\s*# END SOLUTION\s*$")
BEGIN_PROMPT = re.compile(r'\s*""" # BEGIN PROMPT\s*$')
END_PROMPT = re.compile(r'\s*""";? # END PROMPT\s*$')
SOLUTION_LINE = re.compile(r"#\s?SOLUTION( NO PROMPT)?\s*$")
HIDDEN = re.compile(r"#.*\bhidden\b|(?:.*\n)*?\s*hidden:\s*true\b", re.IGNORECASE)


class Part(Enum):
    """The marked parts of a solution cell."""

    SOLUTION = "solution"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text and the place that it comes from."""

    where: str
    text: str


@dataclass(slots=True)
class Source:
    """The source taken apart."""

    visible: list[Passage] = field(default_factory=list)
    """What students may see, and the configuration cells."""
    secret: list[Passage] = field(default_factory=list)
    """Solutions, sample answers and hidden tests."""
    tests: dict[str, str] = field(default_factory=dict)
    """The code of every test, by the name of its function."""


MARKERS = (
    (BEGIN_SOLUTION, None, Part.SOLUTION),
    (END_SOLUTION, Part.SOLUTION, None),
    (BEGIN_PROMPT, None, Part.PROMPT),
    (END_PROMPT, Part.PROMPT, None),
)
"""Each marker with the part that it may stand in and the part that begins after it."""


def marked_lines(text: str, where: str) -> Iterator[tuple[Part | None, str]]:
    """Yield the lines of a solution cell, without the markers, and the part that each is in.

    Raises
    ------
    ReleaseError
        If a part is not closed, or begins within another. Otter Assign would take such a cell and
        leave out whatever comes up to the next end.
    """
    part: Part | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        for marker, allowed, following in MARKERS:
            if marker.match(line):
                if part is not allowed:
                    raise ReleaseError(f"{where}, line {number}: '{line.strip()}' is out of place.")
                part = following
                break
        else:
            inline = part is None and SOLUTION_LINE.search(line)
            yield (Part.SOLUTION if inline else part), SOLUTION_LINE.sub("", line).rstrip()
    if part is not None:
        raise ReleaseError(f"{where}: the {part.value} part is not closed.")


def split_solution(text: str, where: str) -> tuple[str, str]:
    """Part the code of a solution cell in what students see, and what only the solution has."""
    lines = list(marked_lines(text, where))
    visible = [line for part, line in lines if part is not Part.SOLUTION]
    secret = [line for part, line in lines if part is Part.SOLUTION]
    return "\n".join(visible), "\n".join(secret)


def solution_code(text: str, where: str) -> str:
    """Return the code of a solution cell without the student's version and without markers."""
    return "\n".join(line for part, line in marked_lines(text, where) if part is not Part.PROMPT)


def test_function(text: str, where: str) -> tuple[str, str]:
    """Return the name and the code of the one function in a test cell.

    Raises
    ------
    ReleaseError
        If the cell cannot be parsed, or holds no function with a docstring: its first line is
        what students read as the name of the test.
    """
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        raise ReleaseError(f"{where}: line {error.lineno}: {error.msg}.") from error
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    if len(functions) != 1 or not ast.get_docstring(functions[0]):
        raise ReleaseError(f"{where}: a test cell holds one function, with a docstring.")
    [function] = functions
    lines = text.split("\n")[function.lineno - 1 : function.end_lineno]
    return function.name, "\n".join(lines)


def take_apart(notebook: Notebook, name: str) -> Source:
    """Part the rendered source notebook in visible and secret passages, and collect its tests.

    Raises
    ------
    ReleaseError
        If a test cell is not as it should be, or two tests have one name.
    """
    parts = Source()
    blocks: list[str] = []
    for cell in notebook["cells"]:
        text: str = cell["source"]
        where = f"{name}, cell '{cell['id']}'"
        if cell["cell_type"] == "raw":
            if boundary := BOUNDARY.match(text):
                if boundary[1].lower() == "begin":
                    blocks.append(boundary[2].lower())
                elif blocks:
                    blocks.pop()
            parts.visible.append(Passage(where, text))
        elif blocks[-1:] == ["tests"]:
            function, code = test_function(text, where)
            if function in parts.tests:
                raise ReleaseError(f"{where}: there are two tests named {function}.")
            parts.tests[function] = code
            (parts.secret if HIDDEN.match(text) else parts.visible).append(Passage(where, text))
        elif blocks[-1:] == ["solution"]:
            is_code = cell["cell_type"] == "code"
            seen, unseen = split_solution(text, where) if is_code else ("", text)
            parts.visible.append(Passage(where, seen))
            parts.secret.append(Passage(where, unseen))
        else:
            parts.visible.append(Passage(where, text))
    return parts
