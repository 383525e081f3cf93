"""Is what a notebook gives to its networks copied as it passes, and is it measured with that?"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from autograder.core.assignment import Assignment
from autograder.network.beside import Claim, read_claims
from autograder.network.export import read_export
from autograder.network.measurement import Measurement, measure
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.zygote import Zygote
from autograder.sandbox.executor import Executor
from tests.notebooks import SMALL_DATA, notebook

NETWORK = """
def network(shape):
    model = keras.Sequential([
        keras.Input(shape), layers.Flatten(),
        layers.Dense(24, activation="relu"), layers.Dense(10, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""


class Runner:
    """Runs cells in a box and reads what left it."""

    def __init__(self, assignment: Assignment, toolbox: Toolbox, zygote: Zygote) -> None:
        self.assignment, self.toolbox, self.zygote = assignment, toolbox, zygote

    def run(self, *cells: str) -> tuple[tuple[Claim, ...], Measurement]:
        limits = self.assignment.config.limits
        with Box(
            kind=self.zygote.kind,
            limits=limits,
            toolbox=self.toolbox,
            threads=1,
            zygote=self.zygote,
        ) as box:
            made = notebook(SMALL_DATA, NETWORK, *cells, answers=())
            executor = Executor(
                box=box, toolbox=self.toolbox, limits=limits, seed=1, steps_per_execution=50
            )
            execution = executor.execute(made)
            assert execution.all_cells_ran, [cell.error_text for cell in execution.cells]
            claims = read_claims(box.scratch.export)
            export = read_export(box.scratch.export, max_bytes=limits.export_bytes)
        return claims, self.measured(export, claims)

    def measured(self, export: Any, claims: tuple[Claim, ...]) -> Measurement:
        return measure(
            dataclasses.replace(export, claims=claims),
            mnist=self.assignment.mnist,
            settings=self.assignment.config.verification,
        )


@pytest.fixture(scope="module")
def runner(assignment: Assignment, toolbox: Toolbox, zygote: Zygote) -> Runner:
    return Runner(assignment, toolbox, zygote)


EVERY_SOURCE = """
import numpy as np
model = network((32, 32))
give = lambda x: np.pad(x, ((0, 0), (2, 2), (2, 2)))
x = give(x_train)
model.fit(x, y_train, validation_data=(give(x_test), y_test), epochs=1, verbose=0)
x *= 0                                       # after the call: the copy is of what passed
for image in give(x_test[:30]):
    model.predict(image[None], verbose=0)    # single images prove nothing
model.predict(give(x_test[:50]) * 3, verbose=0)
print(model.evaluate(give(x_test), y_test, verbose=0)[1])
other = network((28, 28))
other.fit(x_train, y_train, epochs=1, verbose=0)
held = give(x_test)
small = held[:9999]
"""


def test_all_that_passes_is_copied(runner: Runner) -> None:
    claims, measured = runner.run(EVERY_SOURCE)
    assert [(claim.source, claim.total, claim.rows.shape[1:]) for claim in claims] == [
        ("the images given to fit", 6000, (32, 32)),
        ("the validation data", 10_000, (32, 32)),
        ("the images given to predict", 50, (32, 32)),
        ("the images given to fit", 6000, (28, 28)),
    ]
    assert claims[0].rows.max() == 1
    assert measured.preparation.source
    assert measured.preparation.source == "the images given to fit"
    assert measured.preparation.name == "x / 255, padded to 32 x 32"
    assert measured.measured.accuracy > 0.8


AS_THEY_PASS = """
import tensorflow as tf
model = network((28, 28))
turn = lambda x, y: (tf.transpose(tf.image.per_image_standardization(x[..., None])[..., 0]), y)
data = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(6000).map(turn).batch(32)
model.fit(data, validation_data=data.take(3), epochs=2, verbose=0)

def batches():
    for i in range(0, 6000, 25):
        yield 1 - x_train[i : i + 25], y_train[i : i + 25]

class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 30
    def __getitem__(self, i):
        return x_train[i * 50 : i * 50 + 50] * 2 - 1, y_train[i * 50 : i * 50 + 50]

model.evaluate(batches(), steps=20, verbose=0)
model.predict(Batches(), verbose=0)
del x_test
"""


def test_batches_of_datasets_and_generators_are_seen_in_passing(runner: Runner) -> None:
    claims, measured = runner.run(AS_THEY_PASS)
    assert [(claim.source, claim.total, len(claim.rows)) for claim in claims] == [
        ("the images given to fit", 0, 128),
        ("the validation data", 0, 128),
        ("the images given to evaluate", 0, 150),
        ("the images given to predict", 0, 150),
    ]
    assert [claim.rows[0].min() for claim in claims[2:]] == [0, -1]
    assert measured.preparation.source == "the images given to fit"
    assert measured.preparation.name == "transposed, then each image standardised"


VARIABLES_ALONE = """
model = network((28, 28))
given = x_train.transpose(0, 2, 1)
x_raw = (x_test * 255).astype("uint8")
x_ready = x_test.transpose(0, 2, 1)
for i in range(0, 6000, 32):
    model.train_on_batch(given[i : i + 32], y_train[i : i + 32])
del x_test
"""


def test_without_arrays_in_calls_a_variable_proves_it(runner: Runner) -> None:
    claims, measured = runner.run(VARIABLES_ALONE)
    assert {claim.source for claim in claims} >= {"the variable x_ready", "the variable x_raw"}
    assert measured.preparation.source == "the variable x_ready"
    assert measured.preparation.name == "x / 255, transposed"
