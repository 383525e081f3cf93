"""Which parts of the source notebook a student may see, and which not.

Read from the source itself and not from what Otter Assign made of it, so that the search for leaks
does not rest on the program that it checks. Does anything in ``student/`` give a solution or a
hidden test away? Three ways of looking: for the markers that part the source, for whole lines of
solutions, sample answers and hidden tests, and for words that occur in these only. What the visible
part of the source says too is no leak.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from autograder.core.errors import ReleaseError
from autograder.release.assign import HEADER
from autograder.release.template import Notebook, parse

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
    functions = [node for node in parse(text, where) if isinstance(node, ast.FunctionDef)]
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


# ------------------------------------------------------------------------------------------ leaks


SHORTEST_LINE = 12
"""Characters; shorter lines, such as ``verbose=0,``, say nothing."""

GIVEAWAYS = re.compile(
    r"#\s*HIDDEN\b|hidden\s*[:=]\s*True|BEGIN (?:SOLUTION|PROMPT|TESTS)|#\s*SOLUTION\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d]\w{3,}")
"""Four characters and more, beginning with a letter or an underscore."""

FRAMEWORK = (
    HEADER,
    "from otter.test_files import test_case OK_FORMAT name points hidden all_or_nothing",
    "success_message failure_message None False True grader.check python otter_answer_cell",
    "_Type your answer here, replacing this text._ <!-- BEGIN QUESTION --> <!-- END QUESTION -->",
    "reflection_1 reflection_2 reflection_3",
)
"""What Otter Assign and the release themselves write into a student's files."""


def find_leaks(files: Mapping[str, bytes], source: Source) -> list[str]:
    """Search what students get for what they must not get.

    Parameters
    ----------
    files
        Contents by path.
    source
        What is visible and what is secret.

    Returns
    -------
    list of str
        One sentence for each leak, at most one for each secret line and one with words a file.
    """
    visible = squeeze(" ".join([*FRAMEWORK, *(passage.text for passage in source.visible)]))
    known = words(visible)
    rare = {word for passage in source.secret for word in words(passage.text)} - known
    lines = [(where, line) for where, line in secret_lines(source.secret) if line not in visible]
    problems: list[str] = []
    for path in sorted(files):
        text = squeeze(" ".join(strings(path, files[path])))
        if marker := GIVEAWAYS.search(text):
            problems.append(f"{path} holds the marker '{marker[0]}' of the source.")
        seen: set[str] = set()
        for where, line in lines:
            if line in text and line not in seen:
                seen.add(line)
                problems.append(f"{path} gives away a line of {where}: '{line}'.")
        # Words of a line that was reported already would only repeat it.
        told = {word for line in seen for word in words(line)}
        if found := sorted((rare & words(text)) - told):
            problems.append(f"{path} holds words of solutions or hidden tests: {', '.join(found)}.")
    return problems


def squeeze(text: str) -> str:
    """Return `text` with every run of white space as one blank."""
    return " ".join(text.split())


def words(text: str) -> set[str]:
    """Return the words and names in `text`, in lower case."""
    return {word.lower() for word in WORD.findall(text)}


def secret_lines(secret: Iterable[Passage]) -> Iterator[tuple[str, str]]:
    """Yield the lines that are long enough to say something, with where they come from."""
    for passage in secret:
        for line in passage.text.splitlines():
            squeezed = squeeze(line)
            if len(squeezed) >= SHORTEST_LINE:
                yield passage.where, squeezed


def strings(path: str, data: bytes) -> Iterator[str]:
    """Yield the texts in a file: of a notebook every value, of another file all of it.

    A notebook's keys are left out, since they are the format's own.
    """
    text = data.decode("utf-8", errors="replace")
    if path.endswith(".ipynb"):
        try:
            yield from _values(json.loads(text))
            return
        except ValueError:
            pass  # broken: searched as plain text
    yield text


def _values(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if all(isinstance(part, str) for part in value):
            yield "".join(value)
        else:
            for part in value:
                yield from _values(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _values(part)
