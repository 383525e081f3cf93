"""The source notebook is a template: ``«accuracy.threshold»`` stands for a value of the config.

Guillemets, since braces and percent signs are common in Python, LaTeX and Markdown. Only values
are put in, no loops or conditions, so the source stays a notebook that can be read as it is.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
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


def dense_layers(units: list[int]) -> str:
    """Write the code of hidden layers, one per line."""
    return "\n".join(f'layers.Dense({number}, activation="relu"),' for number in units)


def seconds_for_cells(config: Config) -> float:
    """Wall time that all cells together have on Gradescope."""
    gradescope = config.gradescope
    available = gradescope.container_seconds - gradescope.reserve_seconds
    return min(config.limits.notebook_seconds, available)


FILTERS: dict[str, Callable[..., str]] = {
    "percent": percent,
    "thousands": thousands,
    "minutes": minutes,
    "dense_layers": dense_layers,
}


class Template:
    """Puts the values of one configuration into texts."""

    def __init__(self, config: Config) -> None:
        self._values = msgspec.to_builtins(config) | {
            "time": {"cells_seconds": seconds_for_cells(config)},
            "total_points": config.points.total,
        }
        self._environment = jinja2.Environment(
            variable_start_string="«",
            variable_end_string="»",
            block_start_string="«%",
            block_end_string="%»",
            comment_start_string="«#",
            comment_end_string="#»",
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,
        )
        self._environment.filters.update(FILTERS)

    def render(self, text: str, where: str) -> str:
        """Return `text` with the values put in.

        Raises
        ------
        ReleaseError
            If `text` asks for a value that the configuration does not have, or cannot be parsed;
            `where` says in the message which text it was.
        """
        try:
            rendered = self._environment.from_string(text).render(self._values)
        except jinja2.TemplateError as error:
            reason = (
                str(error)
                .replace("'dict object' has no attribute", "there is no value")
                .rstrip(".")
            )
            raise ReleaseError(
                f"{where}: the template does not fit the config: {reason}."
            ) from error
        except (TypeError, ValueError) as error:
            raise ReleaseError(f"{where}: a filter does not fit its value: {error}.") from error
        return "\n".join(line.rstrip() for line in rendered.split("\n"))


def source_of(cell: dict[str, Any]) -> str:
    """Return a cell's source as one string, however the file holds it."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def read_notebook(path: Path, name: str) -> Notebook:
    """Read and validate a notebook of the format 4.5.

    Raises
    ------
    ReleaseError
        If it cannot be read, is no notebook, or two cells share an id.
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
    ids = [cell["id"] for cell in notebook["cells"]]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise ReleaseError(f"{name}: several cells have the id {', '.join(twice)}.")
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
