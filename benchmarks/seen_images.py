"""How far honest networks stay from "has seen the test images", and how far cheats go beyond it.

``python -m benchmarks.seen_images`` trains both kinds outside the box, measures them as the grader
does, and writes ``docs/seen_images.md``. Some minutes on one core.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from autograder.core.assignment import Assignment, load_assignment
from autograder.core.mnist import Mnist
from autograder.network import Measured
from autograder.network.export import read_export
from autograder.network.measurement import measure
from autograder.sandbox.inside.export import export_network

ROOT = Path(__file__).resolve().parent.parent
SEEDS = 3
BATCH = 64
STEPS = {True: 600, False: 3_000}
"""Of training, for the honest and for cheats, who go on until they know the test images; or two
epochs where these are more."""

Digits = tuple[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One way to come by a network.

    Attributes
    ----------
    digits
        What it is trained on, from the digits and a seed.
    """

    name: str
    is_honest: bool
    units: int
    digits: Callable[[Mnist, int], Digits]


def some(count: int, *, first: bool = False, test: bool = False) -> Callable[[Mnist, int], Digits]:
    """So many training images, drawn by the seed or the first; with all test images or without."""

    def choose(mnist: Mnist, seed: int) -> Digits:
        order = np.random.default_rng(seed).permutation(len(mnist.x_train))
        chosen = np.arange(count) if first else order[:count]
        images, labels = mnist.x_train[chosen], mnist.y_train[chosen]
        if test:
            images = np.concatenate([images, mnist.x_test])
            labels = np.concatenate([labels, mnist.y_test])
        return images, labels

    return choose


KINDS = [
    *(
        Kind(name=f"{count:,} training images", is_honest=True, units=units, digits=some(count))
        for count in (500, 2_000, 10_000, 60_000)
        for units in (16, 128)
    ),
    Kind(name="all test images", is_honest=False, units=16, digits=some(0, test=True)),
    Kind(
        name="the first 4,000 training images and all test images",
        is_honest=False,
        units=16,
        digits=some(4_000, first=True, test=True),
    ),
    Kind(
        name="10,000 training images and all test images",
        is_honest=False,
        units=64,
        digits=some(10_000, test=True),
    ),
    Kind(
        name="all training images and all test images",
        is_honest=False,
        units=128,
        digits=some(60_000, test=True),
    ),
]


def train(kind: Kind, mnist: Mnist, seed: int) -> Any:
    """A network of one hidden layer."""
    images, labels = kind.digits(mnist, seed)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(kind.units, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=100)
    epochs = max(2, STEPS[kind.is_honest] * BATCH // len(images))
    model.fit(images / np.float32(255), labels, epochs=epochs, batch_size=BATCH, verbose=0)
    return model


def measured(model: Any, assignment: Assignment) -> Measured:
    """As the grader measures it."""
    with tempfile.TemporaryDirectory() as folder:
        export_network(model, folder, chosen_by="the variable model")
        export = read_export(Path(folder), max_bytes=assignment.config.limits.export_bytes)
    return measure(
        export,
        mnist=assignment.mnist,
        settings=assignment.config.verification,
    ).measured


def rows(assignment: Assignment) -> Iterator[str]:
    """A line of the table for each kind."""
    for kind in KINDS:
        found = [measured(train(kind, assignment.mnist, seed), assignment) for seed in range(SEEDS)]
        seen = [each.test_over_training.z for each in found]
        halves = [each.public_over_private.z for each in found]
        accuracy = [each.accuracy for each in found]
        refused = sum(each.leaked for each in found)
        yield (
            f"| {kind.name} | {'yes' if kind.is_honest else 'no'} | {kind.units} | "
            f"{min(accuracy):.3f} to {max(accuracy):.3f} | {min(seen):+.1f} to {max(seen):+.1f} | "
            f"{refused} of {SEEDS} | {min(halves):+.1f} to {max(halves):+.1f} |"
        )


def main() -> None:
    """Train, measure, write."""
    assignment = load_assignment(ROOT)
    bounds = assignment.config.verification
    lines = [
        "# Which networks are told that they have seen the test images",
        "",
        "Made by `python -m benchmarks.seen_images`: networks of one hidden layer, "
        f"{SEEDS} seeds each, measured as the grader measures.",
        "",
        "A network gets no credit for accuracy where it knows all 10,000 test images better than "
        f"the training images at a one-sided p < {bounds.test_over_training_p_value:g} "
        "(`verification.test_over_training_p_value`). *z* is how many standard errors better.",
        "",
        "| trained on | honest | units | test accuracy | z, test over training | no credit | "
        "z, public over private half |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows(assignment):
        print(row, flush=True)
        lines.append(row)
    (ROOT / "docs/seen_images.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
