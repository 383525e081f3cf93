"""The numbers of the configuration, put where the source names them.

The source is a notebook that runs as it stands, so each number stands in it as it will be read,
with its name beside it: before it in text, at the end of its line in code and in settings. ::

    more than <!-- = accuracy.threshold -->95 % of the test images
    learning_rate=0.03,  # = starter.learning_rate

A release has the current values in these places, and no names. How a number is written follows
from how it stands there: as a percentage before `` %``, in minutes before `` minutes``, with
commas in text. A value that is text goes on to the end of its line. Lines one after another that
name the same list are written anew, one for each of its items.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import nbformat
from nbformat.warnings import MissingIDFieldWarning

from autograder.core.config import Config
from autograder.core.errors import ReleaseError

Notebook = dict[str, Any]
"""A notebook as JSON holds it, nbformat 4.5, with each cell's source as one string."""


def percent(value: float) -> str:
    """Write a fraction as a percentage: 0.95 as ``95 %``."""
    return f"{value * 100:.6g} %"


def thousands(value: int) -> str:
    """Write a whole number with commas: 110000 as ``110,000``."""
    return f"{value:,}"


def minutes(seconds: float) -> str:
    """Write a time in minutes: 1800 as ``30 minutes``."""
    value = f"{seconds / 60:.3g}"
    return f"{value} minute" if value == "1" else f"{value} minutes"


def seconds_for_cells(config: Config) -> float:
    """Wall time that all cells together have on Gradescope."""
    gradescope = config.gradescope
    available = gradescope.container_seconds - gradescope.reserve_seconds
    return min(config.limits.notebook_seconds, available)


NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?"
IN_TEXT = re.compile(
    rf"<!-- = (?P<name>[a-z_.\d]+) -->"
    rf"(?:(?P<number>{NUMBER})(?P<unit> %| minutes?\b)?|(?P<text>.*))"
)
IN_CODE = re.compile(r"(?P<line>.*?) *# = (?P<name>[a-z_.\d]+)$")
IN_LINE = re.compile(rf"(?<![\w.])(?P<number>{NUMBER})(?P<unit> %| minutes?\b)?")


class Template:
    """Puts the values of one configuration into texts."""

    def __init__(self, config: Config) -> None:
        self._values: dict[str, Any] = msgspec.to_builtins(config) | {
            "time": {"cells_seconds": seconds_for_cells(config)},
            "total_points": config.points.total,
        }

    def render(self, text: str, where: str) -> str:
        """Return `text` with the values put in, and without their names.

        Raises
        ------
        ReleaseError
            If `text` names a value that the configuration does not have, or no number stands
            where one should; `where` says in the message which text it was.
        """

        def put_in(match: re.Match[str]) -> str:
            value = self._value(match["name"], where)
            if isinstance(value, str):
                return value
            if match["number"] is None:
                raise ReleaseError(f"{where}: no number follows '<!-- = {match['name']} -->'.")
            return _written(value, match, commas=True)

        lines: list[str] = []
        marked = ((IN_CODE.fullmatch(line), line) for line in text.split("\n"))
        for name, group in groupby(marked, key=lambda one: one[0] and one[0]["name"]):
            if name is None:
                lines += [IN_TEXT.sub(put_in, line).rstrip() for _, line in group]
            else:
                lines += self._code(name, [match["line"] for match, _ in group if match], where)
        return "\n".join(lines)

    def _code(self, name: str, lines: list[str], where: str) -> Iterator[str]:
        """Lines of code, each with a number that has the same name."""
        value = self._value(name, where)
        if isinstance(value, list):
            lines, values = lines[:1] * len(value), value
        else:
            values = [value] * len(lines)
        for line, one in zip(lines, values, strict=True):
            numbers = list(IN_LINE.finditer(line))
            if len(numbers) != 1 or isinstance(one, str):
                raise ReleaseError(f"{where}: '# = {name}' belongs after a line with one number.")
            [match] = numbers
            written = _written(one, match, commas="," in match["number"] or '"""' in line)
            yield line[: match.start()] + written + line[match.end() :]

    def _value(self, name: str, where: str) -> Any:
        value: Any = self._values
        for key in name.split("."):
            if not isinstance(value, dict) or key not in value:
                raise ReleaseError(f"{where}: the configuration has no value '{name}'.")
            value = value[key]
        return value


def _written(value: Any, match: re.Match[str], *, commas: bool) -> str:
    """Write a value as the number that it takes the place of, with its unit."""
    unit = match["unit"] or ""
    if unit == " %":
        return percent(value)
    if unit:
        return minutes(value)
    return thousands(value) if commas and isinstance(value, int) else repr(value)


def source_of(cell: dict[str, Any]) -> str:
    """Return a cell's source as one string, however the file holds it."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def read_text(path: Path, name: str) -> str:
    """Read a source of the release.

    Raises
    ------
    ReleaseError
        If it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{name}: cannot be read: {error}.") from error


def parse(code: str, where: str) -> list[ast.stmt]:
    """The statements of a piece of Python.

    Raises
    ------
    ReleaseError
        If it is none; `where` says in the message which piece it was.
    """
    try:
        return ast.parse(code).body
    except SyntaxError as error:
        raise ReleaseError(f"{where}, line {error.lineno}: {error.msg}.") from error


def refuse_repeated_ids(cells: list[dict[str, Any]], name: str) -> None:
    """Have each cell known by its id.

    Raises
    ------
    ReleaseError
        If two share one.
    """
    ids = [cell["id"] for cell in cells]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise ReleaseError(f"{name}: several cells have the id {', '.join(twice)}.")


def read_notebook(path: Path, name: str) -> Notebook:
    """Read and validate a notebook of the format 4.5.

    Raises
    ------
    ReleaseError
        If it cannot be read, is not a notebook, or two cells share an id.
    """
    try:
        notebook: Notebook = json.loads(path.read_bytes())
        if not isinstance(notebook, dict):
            raise nbformat.ValidationError("it holds no object")
        with warnings.catch_warnings():
            warnings.simplefilter("error", MissingIDFieldWarning)
            nbformat.validate(notebook, version=4, version_minor=5)
    except OSError as error:
        raise ReleaseError(f"{name}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ReleaseError(f"{name}: is not JSON: {error}.") from error
    except (nbformat.ValidationError, MissingIDFieldWarning) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ReleaseError(f"{name}: is not a notebook of the format 4.5: {reason}.") from error
    refuse_repeated_ids(notebook["cells"], name)
    for cell in notebook["cells"]:
        cell["source"] = source_of(cell)
    return notebook


def render_notebook(notebook: Notebook, template: Template, name: str) -> Notebook:
    """Return a copy of `notebook` with the values put into each cell."""
    cells = [
        {**cell, "source": template.render(cell["source"], f"{name}, cell '{cell['id']}'")}
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}
