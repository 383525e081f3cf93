"""The checks: Otter's test files, run on what was measured instead of on the student's objects."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core.config import CHECK_NAMES, Config
from autograder.core.errors import DataError
from autograder.grading.diagnosis import Hint
from autograder.grading.reflections import ReflectionJudgement
from autograder.network.choice import Choice
from autograder.network.measurement import CountedModel, Measurement, VerifiedModel
from autograder.sandbox.execution import Execution

BY_ASSERTION = "\nAssertionError: "
"""In Otter's message about a test that failed as tests do; what else ends one is a fault in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the checks may look at.

    Attributes
    ----------
    measurement
        None where there is no verified network; `why_unmeasured` then says why, to the student.
    next_step
        What to change, so that it can be measured; empty where `why_unmeasured` says it.
    counted
        Parameters of a network that could be counted, but not measured; else None.
    choice
        Which of the notebook's networks it is; None where the box did not say.
    """

    execution: Execution
    measurement: Measurement | None
    why_unmeasured: str
    counted: int | None
    choice: Choice | None
    reflections: Mapping[str, ReflectionJudgement]
    hints: tuple[Hint, ...]
    next_step: str = ""

    @property
    def parameters(self) -> int | None:
        """Of the network, measured or not; None where there is none, or not all are known."""
        return self.counted if self.measurement is None else self.measurement.parameters


def load_otter() -> Any:
    """Otter's test file classes; their import takes over a second, so call this early."""
    return importlib.import_module("otter.test_files")


def run_checks(evidence: Evidence, *, tests: Path, config: Config) -> Any:
    """Run every test file; returns Otter's GradingResults.

    That the files were made for `config` was seen when the assignment was loaded.

    Raises
    ------
    DataError
        If a test file is broken, or is not worth what the configuration says.
    """
    otter = load_otter()
    measured = evidence.measurement
    environment = {
        "x_test": None if measured is None else measured.images,
        "y_test": None if measured is None else measured.labels,
        "execution": evidence.execution,
        "reflections": evidence.reflections,
    }
    files = []
    for name in CHECK_NAMES:
        path = tests / f"{name}.py"
        try:
            file = otter.ExceptionTestFile.from_file(str(path))
        except Exception as error:
            raise DataError(
                f"{path}: {type(error).__name__}: {error}; run `m5 release`."
            ) from error
        if not file.test_cases or file.possible != config.points.of(name):
            raise DataError(
                f"{path}: worth {file.possible:g} points, but the configuration says "
                f"{config.points.of(name)}; run `m5 release`."
            )
        file.run({**environment, "model": _model_for(name, evidence)})
        for case in file.test_case_results:
            if not case.passed and BY_ASSERTION not in case.message:
                raise DataError(
                    f"{path}: {case.test_case.name} broke off instead of failing "
                    f"({case.message.splitlines()[-1]}). Fix it in assignment/m5.ipynb, and run "
                    "`m5 release`."
                )
        files.append(file)
    return otter.GradingResults(files)


def _model_for(check: str, evidence: Evidence) -> CountedModel | None:
    """What a check sees in place of the student's network; None where it is to find none."""
    measurement, parameters = evidence.measurement, evidence.parameters
    if check == "budget":
        return None if parameters is None else CountedModel(parameters)
    if measurement is None or measurement.leaked:
        return None
    return VerifiedModel(measurement)
