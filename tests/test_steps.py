"""Does training in fewer trips through Python leave every number as it is?"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

STEPS = runpy.run_path(str(Path(__file__).parent.parent / "autograder/inside/steps.py"))
layers = keras.layers


def data(count: int) -> tuple[Any, Any]:
    random = np.random.default_rng(7)
    x = random.normal(size=(count, 12)).astype(np.float32)
    return x, (x[:, :3].sum(axis=1) > 0).astype(np.int64) + 2 * (x[:, 3] > 0)


def build(dropout: float, normalise: bool) -> Any:
    keras.utils.set_random_seed(3)
    stack = [keras.Input((12,)), layers.Dense(16, activation="relu")]
    stack += [layers.BatchNormalization()] if normalise else []
    stack += [layers.Dropout(dropout)] if dropout else []
    model = keras.Sequential([*stack, layers.Dense(4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(model: Any, steps: int, **options: Any) -> Any:
    """Fit as the prelude has it; `steps` 1 is Keras as it is."""
    fit = keras.Model.fit if steps == 1 else STEPS["wrap"](keras.Model.fit, steps)
    return fit(model, verbose=0, **options)


class Peeker(keras.callbacks.Callback):
    """Looks at every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []
        self.batches = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.batches += 1
        self.steps.append(self.model.steps_per_execution)


class EpochOnly(keras.callbacks.Callback):
    """As in the assignment: evaluates after each epoch."""

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        self.data = (x, y)
        self.seen: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append((self.model.evaluate(*self.data, verbose=0), dict(logs)))


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    count=st.integers(60, 400),
    batch=st.sampled_from([7, 16, 32]),
    steps=st.sampled_from([2, 13, 50]),
    dropout=st.sampled_from([0.0, 0.3]),
    normalise=st.booleans(),
    validation=st.booleans(),
)
def test_weights_and_history_are_the_same_to_the_bit(
    count: int, batch: int, steps: int, dropout: float, normalise: bool, validation: bool
) -> None:
    x, y = data(count)
    outcomes = []
    for number in (1, steps):
        model = build(dropout, normalise)
        watcher = EpochOnly(x, y)
        options = {"validation_split": 0.2} if validation else {}
        history = train(
            model, number, x=x, y=y, batch_size=batch, epochs=2, callbacks=[watcher], **options
        )
        evaluate, predict = (
            (keras.Model.evaluate, keras.Model.predict)
            if number == 1
            else (
                STEPS["wrap"](keras.Model.evaluate, steps),
                STEPS["wrap"](keras.Model.predict, steps),
            )
        )
        outcomes.append(
            {
                "weights": [w.tobytes() for w in model.get_weights()],
                "history": history.history,
                "seen": watcher.seen,
                "evaluated": evaluate(model, x, y, batch_size=batch, verbose=0),
                "predicted": predict(model, x, batch_size=batch, verbose=0).tobytes(),
                # So many batches that they are taken several at once.
                "many": predict(model, np.resize(x, (1003, 12)), batch_size=1, verbose=0).tobytes(),
                "iterations": int(model.optimizer.iterations),
            }
        )
    assert outcomes[0] == outcomes[1]


def steps_in(model: Any, callbacks: Any = None, **options: Any) -> int:
    """How many batches a call would take at once."""
    x, _ = data(60)
    may = STEPS["may_take_many"](model, options.get("x", x), callbacks)
    return 50 if may else 1


@pytest.mark.parametrize(
    ("images", "batch", "steps", "wanted"),
    [
        (10_000, None, 50, 1),
        (60_000, None, 50, 10),
        (60_000, 500, 50, 1),
        (1000, 1, 50, 10),
        (999, 1, 50, 1),
        (60_000, None, 4, 4),
    ],
)
def test_predict_takes_many_only_where_that_pays(
    images: int, batch: int | None, steps: int, wanted: int
) -> None:
    seen: list[int] = []

    def predict(self: Any, x: Any, batch_size: Any = None) -> None:
        seen.append(self.steps_per_execution)

    model = build(0, False)
    STEPS["wrap"](predict, steps)(model, np.zeros((images, 12), np.float32), batch_size=batch)
    assert seen == [wanted]
    assert model.steps_per_execution == 1


def test_it_is_used_where_nobody_looks() -> None:
    model = build(0, False)
    x, y = data(60)
    early = keras.callbacks.EarlyStopping(patience=1)
    best = keras.callbacks.ModelCheckpoint("x.keras")
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.001)
    assert steps_in(model) == 50
    assert steps_in(model, [EpochOnly(x, y), early, best, schedule]) == 50
    assert steps_in(model, early) == 50


@pytest.mark.parametrize(
    "callback",
    [
        Peeker,
        lambda: keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: None),
        lambda: keras.callbacks.ModelCheckpoint("x.keras", save_freq=10),
        keras.callbacks.TerminateOnNaN,
    ],
)
def test_callbacks_that_look_at_batches_see_every_batch(callback: Any) -> None:
    assert steps_in(build(0, False), [callback()]) == 1


def test_a_peeker_is_called_for_each_batch() -> None:
    x, y = data(96)
    peeker = Peeker()
    train(build(0, False), 50, x=x, y=y, batch_size=32, epochs=2, callbacks=[peeker])
    assert peeker.batches == 6
    assert set(peeker.steps) == {1}


def test_the_students_own_choices_stand() -> None:
    model = build(0, False)
    for options in ({"steps_per_execution": 7}, {"run_eagerly": True}):
        model.compile("adam", "sparse_categorical_crossentropy", **options)
        assert steps_in(model) == 1

    class OwnStep(keras.Sequential):
        def train_step(self, batch: Any) -> Any:
            return super().train_step(batch)

    own = OwnStep([keras.Input((12,)), layers.Dense(4)])
    own.compile("adam", "mse")
    assert steps_in(own) == 1
    assert steps_in(build(0, False), x=iter([1])) == 1


def test_nothing_stays_behind(tmp_path: Path) -> None:
    x, y = data(96)
    model = build(0, False)
    train(model, 50, x=x, y=y, epochs=1)
    assert model.steps_per_execution == 1
    assert model.get_compile_config()["steps_per_execution"] == 1
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again.steps_per_execution == 1
    # Training goes on as before, one batch at a time and compiled anew.
    peeker = Peeker()
    train(model, 50, x=x, y=y, epochs=1, callbacks=[peeker])
    assert peeker.batches == 3
    model.compile("sgd", "sparse_categorical_crossentropy")
    train(model, 50, x=x, y=y, epochs=1)
    model.train_on_batch(x[:8], y[:8])
    assert int(model.optimizer.iterations) == 4


def test_a_wrong_call_gets_keras_own_error() -> None:
    with pytest.raises(TypeError, match="no_such_option"):
        train(build(0, False), 50, x=data(60)[0], no_such_option=1)
