"""``solutions/<name>.expect.json``: what each solution, and the starter, is known to earn.

What was measured is written by hand. The points are put in by `m5 release`, so that they stand in
the configuration alone. `m5 release --prove` grades two of them and compares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder.core.config import CHECK_NAMES, Config, Record
from autograder.core.errors import ReleaseError
from autograder.core.report import Verdict

ENDING = ".expect.json"
STARTER, REFERENCE = "starter", "reference"
NOTEBOOKS = {STARTER: "student/m5.ipynb", REFERENCE: "solutions/reference.ipynb"}
"""Where the two are that `m5 release --prove` grades."""


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
    optimizer: str = ""
    """As the code had it when that was measured; of starter and reference, which people change."""


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
        if not one.optimizer:
            del values["optimizer"]
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


@dataclass(slots=True)
class Proof:
    """Sentences for staff."""

    measured: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Why the assignment should not be handed out as it is; empty if nothing speaks against it."""
    remarks: list[str] = field(default_factory=list)
    grader_failed: bool = False


def judge_proof(
    rows: Sequence[Mapping[str, str]], config: Config, expected: Mapping[str, Expectation]
) -> Proof:
    """Whether the reference passes and the starter does not.

    Parameters
    ----------
    rows
        Of grades.csv, where both notebooks were graded.
    expected
        What was measured before, by the name of the solution.
    """
    by_name = {row["submission"]: row for row in rows}
    proof = Proof()
    for name, path in NOTEBOOKS.items():
        row = by_name[Path(path).stem]
        verdict = Verdict(row["verdict"])
        accuracy = row["accuracy"] or "unknown"
        parameters = f"{int(row['parameters']):,}" if row["parameters"] else "unknown"
        proof.measured.append(
            f"The {name}: {verdict.value}, {row['score'] or 'no'} of {row['max_score']} points, "
            f"accuracy {accuracy}, parameters {parameters}."
        )
        if verdict is Verdict.GRADER_ERROR:
            proof.grader_failed = True
            proof.problems.append(f"The {name} could not be graded: {row['notes']}")
        elif name == REFERENCE and verdict is not Verdict.PASSED:
            proof.problems.append(f"The reference does not pass every check: {row['notes']}")
        elif name == STARTER and float(row["accuracy"] or 0) > config.accuracy.threshold:
            proof.problems.append("The starter is accurate enough as it is handed out.")
        if name in expected and row["accuracy"] and row["parameters"]:
            proof.remarks += _changes(name, row, config, expected[name])
    return proof


def _changes(name: str, row: Mapping[str, str], config: Config, expected: Expectation) -> list[str]:
    low, high = expected.accuracy
    accuracy, parameters = float(row["accuracy"]), int(row["parameters"])
    threshold = config.accuracy.threshold
    same_side = (accuracy > threshold) == (expected.measured_accuracy > threshold)
    if low <= accuracy <= high and same_side and parameters == expected.parameters:
        return []
    return [
        f"solutions/{name}{ENDING} is out of date: put measured_accuracy {accuracy} and "
        f"parameters {parameters} there, and the accuracy's range around it."
    ]
