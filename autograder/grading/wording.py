"""What students read about each check: what was measured, why it earns nothing, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograder.core.config import CHECK_NAMES, Config
from autograder.core.report import CheckResult, CheckStatus
from autograder.core.text import percent
from autograder.grading.checks import Findings
from autograder.grading.diagnosis import Fault
from autograder.grading.hints import hint_for
from autograder.network import Measured

TITLES = {
    "runs": "The notebook runs",
    "accuracy": "Test accuracy",
    "budget": "Parameter budget",
    "reflection_1": "Reflection 1",
    "reflection_2": "Reflection 2",
    "reflection_3": "Reflection 3",
}

SEEN = (
    "Your network knows the test images better than the training images. That is what happens "
    "when it is trained on test images, and then nobody can say how it reads new ones. Train it "
    "on `x_train` and `y_train` alone, and use test images only to look at the result."
)
"""What a student does whose network has seen the test images."""

OVERFLOWS = (
    "for some images the outputs of the network are NaN or infinite. Train it with a lower "
    "learning rate, so that its weights stay small."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said about one check.

    Attributes
    ----------
    reason
        Why it earns nothing, if it does not pass: a sentence.
    was_made
        Whether the check could be made.
    """

    measured: str
    reason: str
    next_step: str
    was_made: bool = True


def describe_checks(results: Any, findings: Findings, config: Config) -> list[CheckResult]:
    """Put Otter's results into words, in the order of `CHECK_NAMES`."""
    described = []
    for name in CHECK_NAMES:
        words = words_for(name, findings, config)
        if results.get_result(name).passed_all:
            status = CheckStatus.PASSED
        else:
            status = CheckStatus.FAILED if words.was_made else CheckStatus.SKIPPED
        described.append(_result(name, status, words, config, points=results.get_score(name)))
    return described


def skipped_checks(config: Config, reason: str) -> list[CheckResult]:
    """All checks, none of them made."""
    words = Words(measured="not checked", reason=reason, next_step=reason)
    return [_result(name, CheckStatus.SKIPPED, words, config) for name in CHECK_NAMES]


def _result(
    name: str, status: CheckStatus, words: Words, config: Config, *, points: float = 0.0
) -> CheckResult:
    passed = status is CheckStatus.PASSED
    return CheckResult(
        name=name,
        title=TITLES[name],
        status=status,
        points=float(points),
        max_points=float(config.points.of(name)),
        measured=words.measured,
        wanted=words_wanted(name, config),
        next_step="" if passed else words.next_step,
        reason="" if passed else words.reason,
    )


def words_for(name: str, findings: Findings, config: Config) -> Words:
    run = findings.attempt
    network, parameters = run.measured, run.parameters
    if name == "runs":
        execution = run.execution
        failed = execution.failed_cells
        step = hint_for(failed[0]) if failed else "See which cell is slow, and make it quicker."
        done = f"all {len(execution.cells)} code cells ran"
        return Words(
            measured=execution.failure or done, reason=sentence(execution.failure), next_step=step
        )
    if name == "accuracy" and network is not None:
        measured = _words_of_accuracy(network)
        if network.leaked:
            reason = "the test images are known better than the training images."
            return Words(measured=measured, reason=reason, next_step=SEEN)
        if network.accuracy > config.accuracy.threshold:
            # The test also fails a network some of whose outputs are not numbers, however few.
            return Words(measured=measured, reason=OVERFLOWS, next_step=OVERFLOWS)
        return Words(
            measured=measured,
            reason=f"{percent(network.accuracy)} of the test images are read correctly, "
            f"{words_wanted(name, config)} are wanted.",
            next_step=_first_hint(findings, about_budget=False),
        )
    if name == "budget" and parameters is not None:
        return Words(
            measured=f"{parameters:,} parameters",
            reason=f"the network has {parameters:,} parameters, "
            f"{config.budget.max_parameters:,} are allowed.",
            next_step=_first_hint(findings, about_budget=True),
        )
    if name in ("accuracy", "budget"):
        measured = "not measured" if name == "accuracy" else "not counted"
        step = run.next_step or run.why_unmeasured
        if name == "budget" and run.next_step:
            step = f"Do what is said of {TITLES['accuracy']}: then they can be counted, too."
        return Words(measured=measured, reason=run.why_unmeasured, next_step=step, was_made=False)
    judgement = findings.reflections[name]
    measured = "an answer is there" if judgement.present else "no answer was found"
    return Words(measured=measured, reason=judgement.reason, next_step=judgement.reason)


def sentence(text: str) -> str:
    """With a full stop at its end, if it has no mark there yet."""
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _words_of_accuracy(network: Measured) -> str:
    """With what the notebook itself may have found, so that nobody wonders why the two differ."""
    # Which half counts is for staff alone: an honest network may come under it by chance.
    text = (
        f"{percent(network.accuracy)} of the test images are read correctly, and "
        f"{percent(network.public_accuracy)} of those that your notebook had; prepared for "
        f"the network by {network.preparation}{_known_by(network)}"
    )
    if not network.leaked:
        return text
    training = percent(network.training_accuracy)
    return f"{text}. Of the training images, {training} are read correctly"


def _known_by(network: Measured) -> str:
    """What shows how the images were prepared."""
    if network.proved_by:
        return f" (known from {network.proved_by})"
    return " (nothing in your notebook shows how you prepared them)"


def _first_hint(findings: Findings, *, about_budget: bool) -> str:
    """The gravest thing that was found out, as the one next step."""
    for hint in findings.hints:
        if (hint.fault == Fault.OVER_BUDGET) == about_budget:
            return hint.text
    if about_budget:
        return (
            "Which layer of `model.summary()` has the most parameters, and what decides how many?"
        )
    return "Look at the curve of each epoch: does it still climb, or has it come to rest?"


def words_wanted(name: str, config: Config) -> str:
    if name == "runs":
        return "every code cell runs from top to bottom without an error, within the limits"
    if name == "accuracy":
        return f"more than {100 * config.accuracy.threshold:g} %"
    if name == "budget":
        return f"at most {config.budget.max_parameters:,} parameters, trainable or not"
    return f"an answer in your own words to: {config.reflections.prompts.of(name)}"
