"""The README's table of points, which is made of the configuration like all else."""

from __future__ import annotations

import re
from pathlib import Path

from autograder.config import CHECK_NAMES, Config
from autograder.errors import ReleaseError
from autograder.release.template import percent, thousands

README_PATH = "README.md"
BEGIN, END = "<!-- points: written by m5 release -->", "<!-- end of points -->"
TABLE = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)


def readme_files(root: Path, config: Config) -> dict[str, bytes]:
    """The README with a fresh table between its marks; nothing where there are no marks.

    Raises
    ------
    ReleaseError
        If there is a mark without the other.
    """
    try:
        text = (root / README_PATH).read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{README_PATH}: cannot be read: {error}.") from error
    if BEGIN not in text and END not in text:
        return {}
    fresh, found = TABLE.subn(lambda _: _table(config), text)
    if found != 1:
        raise ReleaseError(f"{README_PATH}: '{BEGIN}' and '{END}' must be there once, in order.")
    return {README_PATH: fresh.encode()}


def _table(config: Config) -> str:
    passes = {
        "runs": "every code cell ran without an error, within the limits",
        "accuracy": f"more than {percent(config.accuracy.threshold)} of the test images are read "
        "correctly",
        "budget": f"the network has at most {thousands(config.budget.max_parameters)} "
        "parameters, trainable or not",
    }
    answer = "an answer is there, in any language"
    rows = [
        f"| {name.replace('_', ' ')} | {config.points.of(name)} | {passes.get(name, answer)} |"
        for name in CHECK_NAMES
    ]
    total = f"| together | {config.points.total} | |"
    return "\n".join(["| check | points | passes when |", "|---|---|---|", *rows, total, ""])
