"""``m5 release --prove``: what came of grading the starter and the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.core.config import Config
from autograder.core.verdict import Verdict
from autograder.release.build import REFERENCE_PATH, STUDENT_PATH
from autograder.release.expectations import ENDING, REFERENCE, STARTER, Expectation


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
    for name, path in ((STARTER, STUDENT_PATH), (REFERENCE, REFERENCE_PATH)):
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
        elif name == STARTER and not _fails(row, config):
            proof.problems.append("The starter is accurate enough as it is handed out.")
        if name in expected and row["accuracy"] and row["parameters"]:
            proof.remarks += _changes(name, row, config, expected[name])
    return proof


def _fails(row: Mapping[str, str], config: Config) -> bool:
    return not (row["accuracy"] and float(row["accuracy"]) > config.accuracy.threshold)


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
