"""The checks: Otter's test files, run on what was measured instead of on the student's objects."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder.core.config import CHECK_NAMES, Config
from autograder.core.errors import DataError
from autograder.core.mnist import Images, Labels
from autograder.core.report import HintReport, ReflectionReport
from autograder.grading.evidence import Attempt, NeedsNewRun, Outputs

BY_ASSERTION = "\nAssertionError: "
"""In Otter's message about a test that failed as tests do; what else ends one is a fault in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a verified network says to the images that count.

    Attributes
    ----------
    images, labels, outputs
        Test images as published, their digits, and the class scores that the network gives.
    network
        Gives those of any other images; None where the network is not there any more.
    """

    images: Images
    labels: Labels
    outputs: Outputs
    network: Callable[[Images], Outputs] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that the checks may look at.

    Attributes
    ----------
    answers
        None where the attempt has no verified network.
    """

    attempt: Attempt
    answers: Answers | None
    reflections: Mapping[str, ReflectionReport]
    hints: tuple[HintReport, ...]


class CountedModel:
    """What Otter's test of the budget sees in place of the student's ``model``."""

    def __init__(self, parameters: int) -> None:
        self._parameters = parameters
        self.lacks_images = False
        """Whether it was asked for images to which nobody knows the answers any more."""

    def count_params(self) -> int:
        """All parameters, trainable or not."""
        return self._parameters


class VerifiedModel(CountedModel):
    """What Otter's test of the accuracy sees in place of the student's ``model``."""

    def __init__(self, parameters: int, answers: Answers) -> None:
        super().__init__(parameters)
        self._answers = answers

    def predict(
        self, images: Images, batch_size: object = None, verbose: object = "auto"
    ) -> Outputs:
        """Class scores of shape (n, classes) for images as published.

        Those that count have been read before, and are not read again. What else Keras can be told
        is taken and has no effect, since the same tests also run beside the student's own network.

        Raises
        ------
        NeedsNewRun
            If they are others, and the network is not there any more.
        """
        answers = self._answers
        if images is answers.images:
            return answers.outputs
        if answers.network is not None:
            return answers.network(images)
        if np.array_equal(images, answers.images):
            return answers.outputs
        self.lacks_images = True
        raise NeedsNewRun


def load_otter() -> Any:
    """Otter's test file classes; their import takes over a second, so call this early."""
    return importlib.import_module("otter.test_files")


def load_tests(tests: Path, config: Config) -> list[Any]:
    """Otter's test files, in the order of `CHECK_NAMES`, to be run as often as one likes.

    That they were made for `config` was seen when the assignment was loaded.

    Raises
    ------
    DataError
        If a test file is broken, or is not worth what the configuration says.
    """
    otter = load_otter()
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
        files.append(file)
    return files


def run_checks(findings: Findings, files: list[Any]) -> Any:
    """Run every test file; returns Otter's GradingResults.

    Raises
    ------
    DataError
        If a test breaks off instead of failing.
    NeedsNewRun
        If a test asks for images to which the answers were not kept.
    """
    answers = findings.answers
    environment = {
        "x_test": None if answers is None else answers.images,
        "y_test": None if answers is None else answers.labels,
        "execution": findings.attempt.execution,
        "reflections": findings.reflections,
    }
    for name, file in zip(CHECK_NAMES, files, strict=True):
        model = _model_for(name, findings)
        file.run({**environment, "model": model})
        if model is not None and model.lacks_images:
            raise NeedsNewRun(
                f"the test “{name}” asks for the answers to other images than those that were kept"
            )
        for case in file.test_case_results:
            if not case.passed and BY_ASSERTION not in case.message:
                raise DataError(
                    f"{file.path}: {case.test_case.name} broke off instead of failing "
                    f"({case.message.splitlines()[-1]}). Fix it in assignment/m5.ipynb, and run "
                    "`m5 release`."
                )
    return load_otter().GradingResults(files)


def _model_for(check: str, findings: Findings) -> CountedModel | None:
    """What a check sees in place of the student's network; None where it is to find none."""
    measured, parameters = findings.attempt.measured, findings.attempt.parameters
    if check == "budget":
        return None if parameters is None else CountedModel(parameters)
    if measured is None or findings.answers is None or measured.leaked:
        return None
    return VerifiedModel(measured.parameters, findings.answers)
