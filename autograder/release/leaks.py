"""Does anything in ``student/`` give a solution or a hidden test away?

Three ways of looking: for the markers that part the source, for whole lines of solutions, sample
answers and hidden tests, and for words that occur in these only. What the visible part of the
source says too is no leak.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from autograder.release.source import Passage, Source
from autograder.release.testfiles import HEADER

SHORTEST_LINE = 12
"""Characters; shorter lines, such as ``verbose=0,``, say nothing."""

MARKERS = re.compile(
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
        if marker := MARKERS.search(text):
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
