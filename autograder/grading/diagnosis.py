"""What is wrong with this network: read from its units, its answers and its learning curve.

Hints lead on; they do not give the answer. Each says what was measured and asks one question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum

from autograder.core.report import HintReport as Hint
from autograder.core.text import percent, whole_percent
from autograder.network import CLASSES, Compilation, LayerSummary, Measured, UnitCount, is_rectifier

MANY_UNITS = 0.25
"""Of a layer's units; a few dead or saturated ones are found in every healthy network."""
GUESSING = 0.2
"""Accuracy; guessing the most frequent digit gives 0.11."""
OVERFITTING_GAP = 0.03
"""Training less test accuracy. The solutions of this course have 0.00 to 0.02."""
FAR_BELOW = 0.05
"""Of training images, measured against what the notebook reports of its last epoch. Dropout and
augmentation make that lower than what is measured afterwards, hardly ever higher."""
STILL_FALLING = 0.05
"""Relative fall of the loss over the last epoch above which training was ended early."""
HIGH_RATE = 0.01
"""Adam's learning rate above which networks of this size were seen to train badly: 0.95 at 0.01,
0.91 to 0.93 at 0.03."""
LOW_RATE = 1e-4
"""Adam's learning rate below which six epochs do not suffice for these networks."""


class Fault(str, Enum):
    """What a hint is about."""

    UNKNOWN_PREPARATION = "unknown preparation"
    DEAD_UNITS = "dead units"
    SATURATED_UNITS = "saturated units"
    BOTTLENECK = "bottleneck"
    GUESSING = "guessing"
    UNDERFITTING = "underfitting"
    OVERFITTING = "overfitting"
    RATE_TOO_HIGH = "learning rate too high"
    RATE_TOO_LOW = "learning rate too low"
    STOPPED_EARLY = "stopped early"
    OVER_BUDGET = "over budget"


def reported_accuracy(measured: Measured) -> float | None:
    """Of the training images, by the notebook itself, in the last epoch; None if unknown."""
    for name, values in measured.history.items():
        if "acc" in name and not name.startswith("val_") and values:
            last = values[-1]
            return last if last is not None and 0 <= last <= 1 else None
    return None


def is_far_below_reported(measured: Measured) -> bool:
    """Whether it was measured on images that it was hardly trained on."""
    reported = reported_accuracy(measured)
    return reported is not None and not measured.training_accuracy > reported - FAR_BELOW


def is_as_trained(measured: Measured) -> bool:
    """Whether what was measured tells anything about how well it has learned."""
    is_reported = reported_accuracy(measured) is not None
    return bool(measured.proved_by) or (is_reported and not is_far_below_reported(measured))


def diagnose(measured: Measured, *, max_parameters: int, threshold: float) -> tuple[Hint, ...]:
    """Put together what there is to say, the gravest first; nothing where nothing is wrong.

    Parameters
    ----------
    max_parameters, threshold
        The budget, and the accuracy that is wanted, a fraction.
    """
    training, test = measured.training_accuracy, measured.accuracy
    learned = is_as_trained(measured)
    hints: list[Hint] = []
    if not test > threshold:
        if learned:
            hints += _unit_hints(measured.units)
        else:
            hints.append(_unknown_preparation(measured))
        hints += _bottleneck_hints(measured.layers, measured.passages)
        hints += _rate_hints(measured.compilation, measured.history)
        if learned:
            hints += _fit_hints(training, test, threshold)
        # The loss of a network that guesses falls as well, once its steps have run wild: more
        # epochs would not help it.
        if not any(hint.fault == Fault.GUESSING for hint in hints):
            hints += _loss_hints(measured.history)
    elif learned and training - test > OVERFITTING_GAP:
        hints.append(_overfitting(training, test))
    if measured.parameters > max_parameters:
        hints.append(_over_budget(measured.layers, measured.parameters, max_parameters))
    return tuple(hints)


def _unknown_preparation(measured: Measured) -> Hint:
    reported = reported_accuracy(measured)
    far = (
        f" Your notebook reports {percent(reported)} of the training images, the grader measured "
        f"{percent(measured.training_accuracy)}: it seems that yours were prepared otherwise."
        if reported is not None and is_far_below_reported(measured)
        else ""
    )
    text = (
        f"The grader could not see how your images were prepared, and measured with "
        f"{measured.preparation}.{far} Give the prepared images to `fit` as arrays: "
        "`model.fit(x_train, y_train)`."
    )
    return Hint(fault=Fault.UNKNOWN_PREPARATION, text=text)


def _unit_hints(units: tuple[UnitCount, ...]) -> list[Hint]:
    hints = []
    for count in units:
        if count.silent < MANY_UNITS * count.units:
            continue
        name = count.layer.name
        number = "All" if count.silent == count.units else f"{count.silent:,} of the"
        if is_rectifier(count.layer):
            text = (
                f"{number} {count.units:,} units of `{name}` are dead: they give 0 for every image "
                "that was tried, so no gradient flows through them any more. What step could "
                "throw a ReLU unit so far that it never comes back?"
            )
            hints.append(Hint(fault=Fault.DEAD_UNITS, text=text))
        else:
            text = (
                f"{number} {count.units:,} units of `{name}` are saturated: they sit in the flat "
                f"end of {count.layer.activation} for nearly every image. What makes their inputs "
                "so large?"
            )
            hints.append(Hint(fault=Fault.SATURATED_UNITS, text=text))
    # A layer that is dead altogether explains the others: name it first.
    return sorted(hints, key=lambda hint: not hint.text.startswith("All"))


def _bottleneck_hints(layers: tuple[LayerSummary, ...], passages: Sequence[str]) -> list[Hint]:
    hidden = [layer for layer in layers if layer.kind == "Dense"][:-1]
    # A dense layer may also work on each pixel, or on a branch beside others.
    narrow = [
        layer
        for layer in hidden
        if math.prod(layer.output_shape) <= CLASSES and layer.name in passages
    ]
    return [
        Hint(
            fault=Fault.BOTTLENECK,
            text=(
                f"`{layer.name}` has {layer.output_shape[-1]} units: all that the network knows "
                f"about an image must pass through them to {CLASSES} classes. Is that enough, and "
                "what happens to them if one unit fails?"
            ),
        )
        for layer in narrow
    ]


def _rate_hints(
    compilation: Compilation | None, history: dict[str, list[float | None]]
) -> list[Hint]:
    losses = history.get("loss", [])
    if any(loss is None for loss in losses):
        text = "The loss became infinite or no number at all. What makes steps grow without bound?"
        return [Hint(fault=Fault.RATE_TOO_HIGH, text=text)]
    rate = compilation.learning_rate if compilation else None
    if compilation is None or rate is None or "adam" not in compilation.optimizer.lower():
        return []
    # Callbacks that change it have it recorded; a schedule's is known as it is at the end.
    recorded = [value for value in history.get("learning_rate", []) if value is not None]
    highest = max([rate, *recorded])
    if highest >= HIGH_RATE:
        text = (
            f"The learning rate was {highest:g}. Adam moves each weight by about that much in each "
            "step: how large are the weights themselves at the start?"
        )
        return [Hint(fault=Fault.RATE_TOO_HIGH, text=text)]
    if highest <= LOW_RATE:
        text = (
            f"The learning rate was {highest:g} at the end. How far can a weight get in the steps "
            "that it has, and what does the curve of the loss say?"
        )
        return [Hint(fault=Fault.RATE_TOO_LOW, text=text)]
    return []


def _fit_hints(training_accuracy: float, test_accuracy: float, threshold: float) -> list[Hint]:
    if training_accuracy < GUESSING:
        text = (
            f"It reads {whole_percent(training_accuracy)} of the training images correctly: it "
            "guesses. Does its output depend on the image at all?"
        )
        return [Hint(fault=Fault.GUESSING, text=text)]
    if training_accuracy - test_accuracy > OVERFITTING_GAP:
        return [_overfitting(training_accuracy, test_accuracy)]
    if training_accuracy > threshold:
        return []
    text = (
        f"It reads {percent(training_accuracy)} of the training images correctly and "
        f"{percent(test_accuracy)} of the test images: both too few, so it has not learned enough "
        "yet. Does it lack units, time, or a better step size?"
    )
    return [Hint(fault=Fault.UNDERFITTING, text=text)]


def _loss_hints(history: dict[str, list[float | None]]) -> list[Hint]:
    losses = [loss for loss in history.get("loss", []) if loss is not None]
    if len(losses) < 2 or not (math.isfinite(losses[-2]) and losses[-2] > 0):
        return []
    fall = 1 - losses[-1] / losses[-2]
    if not fall > STILL_FALLING:
        return []
    text = (
        f"The loss was still falling, by {whole_percent(fall)} in the last epoch. What would the "
        "next epochs have brought?"
    )
    return [Hint(fault=Fault.STOPPED_EARLY, text=text)]


def _overfitting(training_accuracy: float, test_accuracy: float) -> Hint:
    text = (
        f"It reads {percent(training_accuracy)} of the training images correctly, but "
        f"{percent(test_accuracy)} of new ones: it has begun to learn them by heart. "
        "What keeps a network from that?"
    )
    return Hint(fault=Fault.OVERFITTING, text=text)


def _over_budget(layers: tuple[LayerSummary, ...], parameters: int, most: int) -> Hint:
    largest = max(layers, key=lambda layer: layer.parameters)
    text = (
        f"{parameters:,} parameters are {parameters - most:,} more than the budget of {most:,}. "
        f"`{largest.name}` alone has {largest.parameters:,}. What decides how many a layer has?"
    )
    return Hint(fault=Fault.OVER_BUDGET, text=text)
