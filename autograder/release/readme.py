"""The README's tables that are made of the configuration and of code, like all else."""

from __future__ import annotations

import re
from pathlib import Path

from autograder.core.config import CHECK_NAMES, Config
from autograder.core.errors import ReleaseError
from autograder.core.exit_status import statuses_for_readme
from autograder.release.template import percent, thousands

README_PATH = "README.md"
BEGIN = ": written by m5 release -->"


def readme_files(root: Path, config: Config) -> dict[str, bytes]:
    """The README with fresh tables between their marks; nothing where there are no marks.

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
    fresh = text
    for name, table in (("points", _points(config)), ("exit statuses", statuses_for_readme())):
        fresh = _with_table(fresh, name, table)
    return {README_PATH: fresh.encode()} if BEGIN in text else {}


def _with_table(text: str, name: str, table: str) -> str:
    begin, end = f"<!-- {name}{BEGIN}", f"<!-- end of {name} -->"
    if begin not in text and end not in text:
        return text
    place = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    fresh, found = place.subn(lambda _: table, text)
    if found != 1:
        raise ReleaseError(f"{README_PATH}: '{begin}' and '{end}' must be there once, in order.")
    return fresh


def _points(config: Config) -> str:
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
