"""The checks: Otter's test files, run on what was measured instead of on the student's objects."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder.config import CHECK_NAMES, Config
from autograder.diagnosis import Fault, Hint
from autograder.errors import DataError
from autograder.execution import Execution
from autograder.hints import hint_for
from autograder.measurement import CountedModel, Measurement, VerifiedModel
from autograder.preprocessing import Prepared
from autograder.reflections import ReflectionJudgement
from autograder.report import CheckResult, CheckStatus

TITLES = {
    "runs": "The notebook runs",
    "accuracy": "Test accuracy",
    "budget": "Parameter budget",
    "reflection_1": "Reflection 1",
    "reflection_2": "Reflection 2",
    "reflection_3": "Reflection 3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the checks may look at.

    Attributes
    ----------
    measurement
        None where there is no verified network; `why_unmeasured` then says why, to the student.
    counted
        Parameters of a network that could be counted, but not measured; else None.
    images, labels
        The test images that count, prepared for the network, and their digits.
    """

    execution: Execution
    measurement: Measurement | None
    why_unmeasured: str
    counted: int | None
    images: Prepared | None
    labels: Any
    reflections: Mapping[str, ReflectionJudgement]
    hints: tuple[Hint, ...]

    @property
    def parameters(self) -> int | None:
        """Of the network, measured or not; None where there is none, or not all are known."""
        return self.counted if self.measurement is None else self.measurement.parameters


SEEN = (
    "Your network knows the test images better than the training images. That is what happens "
    "when it is trained on test images, and then nobody can say how it reads new ones. Train it "
    "on `x_train` and `y_train` alone, and use test images only to look at the result."
)
"""What a student does whose network has seen the test images."""

BY_ASSERTION = "\nAssertionError: "
"""In Otter's message about a test that failed as tests do; what else ends one is a fault in it."""


def load_otter() -> Any:
    """Otter's test file classes; their import takes over a second, so call this early."""
    return importlib.import_module("otter.test_files")


def run_checks(evidence: Evidence, *, tests: Path, config: Config) -> Any:
    """Run every test file; returns Otter's GradingResults.

    Raises
    ------
    DataError
        If a test file is broken, is not worth what the configuration says, or comes to another
        result than the configuration.
    """
    otter = load_otter()
    environment = {
        "x_test": evidence.images,
        "y_test": evidence.labels,
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
                    f"({case.message.splitlines()[-1]}). Mend it in assignment/m5.ipynb, and run "
                    "`m5 release`."
                )
        if not _agrees(name, file.passed_all, evidence, config):
            raise DataError(
                f"{path}: comes to another result than the configuration. It was made for another "
                "threshold or budget: put those into otter_config.json, and run `m5 release`."
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


def _agrees(name: str, passed: bool, evidence: Evidence, config: Config) -> bool:
    """Whether a check's result is what follows from the measurement and the configuration.

    The numbers are written into the test files when they are released. Graded by another
    configuration, a network would be judged by one number and told another.
    """
    measurement, parameters = evidence.measurement, evidence.parameters
    if name == "budget":
        within = parameters is not None and 0 < parameters <= config.budget.max_parameters
        return passed == within
    if name != "accuracy":
        return True
    reached = (
        measurement is not None
        and measurement.accuracy > config.accuracy.threshold
        and not measurement.has_seen_test_images
    )
    if passed or not reached:
        return passed == reached
    # The test also fails a network some of whose outputs are no numbers, however few.
    assert measurement is not None and evidence.images is not None
    return not bool(np.isfinite(measurement.network.predict(evidence.images)).all())


def describe_checks(results: Any, evidence: Evidence, config: Config) -> list[CheckResult]:
    """Put Otter's results into words, in the order of `CHECK_NAMES`."""
    described = []
    for name in CHECK_NAMES:
        points, max_points = results.get_score(name), config.points.of(name)
        passed = results.get_result(name).passed_all
        measured, wanted, next_step, was_made = _words_for(name, evidence, config)
        if passed:
            status = CheckStatus.PASSED
        else:
            status = CheckStatus.FAILED if was_made else CheckStatus.SKIPPED
        described.append(
            CheckResult(
                name=name,
                title=TITLES[name],
                status=status,
                points=float(points),
                max_points=float(max_points),
                measured=measured,
                wanted=wanted,
                next_step="" if passed else next_step,
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
            wanted=_words_wanted(name, config),
            next_step=reason,
        )
        for name in CHECK_NAMES
    ]


def _words_for(name: str, evidence: Evidence, config: Config) -> tuple[str, str, str, bool]:
    """(what was measured, what is wanted, the next step, whether the check could be made)."""
    wanted = _words_wanted(name, config)
    if name == "runs":
        failed = evidence.execution.failed_cells
        done = f"all {len(evidence.execution.cells)} code cells ran"
        step = hint_for(failed[0]) if failed else "See which cell is slow, and make it quicker."
        return evidence.execution.failure or done, wanted, step, True
    if name == "accuracy":
        measurement = evidence.measurement
        if measurement is None:
            return "not measured", wanted, evidence.why_unmeasured, False
        seen = measurement.has_seen_test_images
        step = SEEN if seen else _first_hint(evidence, about_budget=False)
        return _words_of_accuracy(measurement), wanted, step, True
    if name == "budget":
        parameters = evidence.parameters
        if parameters is None:
            return "not counted", wanted, evidence.why_unmeasured, False
        step = _first_hint(evidence, about_budget=True)
        return f"{parameters:,} parameters", wanted, step, True
    judgement = evidence.reflections[name]
    measured = "an answer is there" if judgement.present else "no answer was found"
    return measured, wanted, judgement.reason, True


def _words_of_accuracy(measurement: Measurement) -> str:
    """With what the notebook itself may have found, so that nobody wonders why the two differ."""
    # Which half counts is for staff alone: an honest network may come under it by chance.
    text = (
        f"{percent(measurement.accuracy)} of the test images are read correctly, and "
        f"{percent(measurement.public_accuracy)} of those that your notebook had; prepared for "
        f"the network by {measurement.preparation.name}"
    )
    if not measurement.has_seen_test_images:
        return text
    training = percent(measurement.training_accuracy)
    return f"{text}. Of the training images, {training} are read correctly"


def percent(fraction: float) -> str:
    """As the lesson writes it, exact for 10,000 images: 0.9512 is 95.12 %."""
    return f"{100 * fraction:.2f} %"


def _first_hint(evidence: Evidence, *, about_budget: bool) -> str:
    """The gravest thing that was found out, as the one next step."""
    for hint in evidence.hints:
        if (hint.fault is Fault.OVER_BUDGET) == about_budget:
            return hint.text
    if about_budget:
        return (
            "Which layer of `model.summary()` has the most parameters, and what decides how many?"
        )
    return "Look at the curve of each epoch: does it still climb, or has it come to rest?"


def _words_wanted(name: str, config: Config) -> str:
    if name == "runs":
        return "every code cell runs from top to bottom without an error, within the limits"
    if name == "accuracy":
        return f"more than {100 * config.accuracy.threshold:g} %"
    if name == "budget":
        return f"at most {config.budget.max_parameters:,} parameters, trainable or not"
    return f"an answer in your own words to: {config.reflections.prompts.of(name)}"
