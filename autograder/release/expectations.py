"""``solutions/<name>.expect.json``: what each solution, and the starter, is known to earn.

What was measured is written by hand. The points are put in by `m5 release`, so that they stand in
the configuration alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from autograder.core.config import CHECK_NAMES, Config, Record
from autograder.core.errors import ReleaseError

ENDING = ".expect.json"
STARTER, REFERENCE = "starter", "reference"


class Expectation(Record, frozen=True, kw_only=True):
    """One file; see ``solutions/README.md``."""

    notebook: str
    score: float
    """Made by `m5 release`, like `points`."""
    verdict: str
    points: dict[str, float]
    passes: list[str]
    """Checks that it passes."""
    accuracy: tuple[float, float]
    """Between which it must lie, on whatever machine."""
    measured_accuracy: float
    parameters: int
    why: str


def read_expectations(root: Path) -> dict[str, Expectation]:
    """All expectations in `root`, by the name of the solution.

    Raises
    ------
    ReleaseError
        If one cannot be read, or is not of that form.
    """
    found = {}
    for path in sorted((root / "solutions").glob(f"*{ENDING}")):
        name = f"solutions/{path.name}"
        try:
            one = msgspec.json.decode(path.read_bytes(), type=Expectation)
        except (OSError, ValueError) as error:
            raise ReleaseError(f"{name}: cannot be read: {error}.") from error
        if strange := sorted(set(one.passes) - set(CHECK_NAMES)):
            raise ReleaseError(f"{name}: passes: {', '.join(strange)} is not a check.")
        found[path.name.removesuffix(ENDING)] = one
    return found


def expectation_files(found: Mapping[str, Expectation], config: Config) -> dict[str, bytes]:
    """The same files with the points of this configuration."""
    files = {}
    for name, one in found.items():
        points = {
            check: config.points.of(check) if check in one.passes else 0 for check in CHECK_NAMES
        }
        values = msgspec.to_builtins(one) | {"points": points, "score": sum(points.values())}
        text = json.dumps(values, indent=2, ensure_ascii=False)
        files[f"solutions/{name}{ENDING}"] = f"{text}\n".encode()
    return files


def misfits(found: Mapping[str, Expectation], config: Config) -> list[str]:
    """Say which solutions would no longer earn what is expected, by what was measured of them."""
    sentences = []
    for name, one in sorted(found.items()):
        low, high = one.accuracy
        threshold, budget = config.accuracy.threshold, config.budget.max_parameters
        wrong = []
        if low <= threshold < high:
            wrong.append(f"its accuracy may lie on either side of {threshold:g}")
        elif (low > threshold) != ("accuracy" in one.passes):
            wrong.append(f"accuracy {one.measured_accuracy:g}, more than {threshold:g} wanted")
        if (one.parameters <= budget) != ("budget" in one.passes):
            wrong.append(f"{one.parameters:,} parameters, at most {budget:,} allowed")
        if wrong:
            sentences.append(
                f"solutions/{name}{ENDING} no longer fits the configuration ({'; '.join(wrong)}): "
                "the tests of the solutions will fail until you correct `passes` there."
            )
    return sentences
