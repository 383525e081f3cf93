"""The checks: Otter's test files, run on what was measured instead of on the student's objects."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from autograder.core.config import CHECK_NAMES, Config
from autograder.core.errors import DataError
from autograder.core.report import CheckResult, CheckStatus
from autograder.grading.evidence import Evidence
from autograder.grading.wording import TITLES, words_for, words_wanted
from autograder.network.measurement import CountedModel, VerifiedModel

BY_ASSERTION = "\nAssertionError: "
"""In Otter's message about a test that failed as tests do; what else ends one is a fault in it."""


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
    if measurement is None or measurement.has_seen_test_images:
        return None
    return VerifiedModel(measurement)


def describe_checks(results: Any, evidence: Evidence, config: Config) -> list[CheckResult]:
    """Put Otter's results into words, in the order of `CHECK_NAMES`."""
    described = []
    for name in CHECK_NAMES:
        points, max_points = results.get_score(name), config.points.of(name)
        passed = results.get_result(name).passed_all
        words = words_for(name, evidence, config)
        if passed:
            status = CheckStatus.PASSED
        else:
            status = CheckStatus.FAILED if words.was_made else CheckStatus.SKIPPED
        described.append(
            CheckResult(
                name=name,
                title=TITLES[name],
                status=status,
                points=float(points),
                max_points=float(max_points),
                measured=words.measured,
                wanted=words_wanted(name, config),
                next_step="" if passed else words.next_step,
                reason="" if passed else words.reason,
            )
        )
    return described


def skipped_checks(config: Config, reason: str) -> list[CheckResult]:
    """All checks, none of them made."""
    return [
        CheckResult(
            name=name,
            title=TITLES[name],
            status=CheckStatus.SKIPPED,
            points=0.0,
            max_points=float(config.points.of(name)),
            measured="not checked",
            wanted=words_wanted(name, config),
            next_step=reason,
            reason=reason,
        )
        for name in CHECK_NAMES
    ]
