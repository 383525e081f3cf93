"""Does training in fewer trips through Python leave every number as it is?"""

from __future__ import annotations

import copy
import runpy
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.python.eager.polymorphic_function import polymorphic_function

STEPS = runpy.run_path(str(Path(__file__).parent.parent / "autograder/sandbox/inside/steps.py"))
BATCHES = STEPS["BATCHES"]
CLAIMS = runpy.run_path(str(Path(__file__).parent.parent / "autograder/sandbox/inside/claims.py"))
BATCHES["serve_batches"]()
CLAIMS["PASSING"]["watch_py_datasets"]()
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
    """Fit as the prelude has it, images being noted; `steps` 1 is Keras as it is."""
    if steps == 1:
        return keras.Model.fit(model, verbose=0, **options)
    noted = CLAIMS["Claims"]()
    fit = CLAIMS["wrap"](STEPS["wrap"](keras.Model.fit, steps), noted)
    history = fit(model, verbose=0, **options)
    assert "fit" in noted.of[model]
    return history


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


@pytest.mark.long
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    count=st.integers(60, 400),
    batch=st.sampled_from([7, 16, 32]),
    steps=st.sampled_from([2, 13, 50]),
    dropout=st.sampled_from([0.0, 0.3]),
    normalise=st.booleans(),
    validation=st.booleans(),
)
def test_any_training_is_the_same_to_the_bit(
    count: int, batch: int, steps: int, dropout: float, normalise: bool, validation: bool
) -> None:
    check_training(count, batch, steps, dropout, normalise, validation)


def test_weights_and_history_are_the_same_to_the_bit() -> None:
    check_training(210, batch=16, steps=13, dropout=0.3, normalise=True, validation=True)


def check_training(
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


def small_conv() -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            layers.Reshape((3, 4, 1)),
            layers.Conv2D(4, 2, activation="relu"),
            layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Halves(keras.metrics.Metric):
    """A metric of a student's: how often the first class was likelier than one half."""

    def __init__(self) -> None:
        super().__init__(name="halves")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y: Any, predicted: Any, sample_weight: Any = None) -> None:
        self.count.assign_add(keras.ops.sum(keras.ops.cast(predicted[:, 0] > 0.5, "float32")))

    def result(self) -> Any:
        return self.count / 2


class Extra(keras.Sequential):
    """A network that reports a number of its own."""

    def compute_metrics(self, *arguments: Any, **options: Any) -> Any:
        return {**super().compute_metrics(*arguments, **options), "extra": keras.ops.ones(())}


def extra() -> Any:
    keras.utils.set_random_seed(3)
    model = Extra([keras.Input((12,)), layers.Dense(4, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def with_weights_in_an_activation() -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((12,)), layers.Dense(4, activation=layers.PReLU())])
    model.compile("adam", "mean_squared_error")
    return model


def compiled(**options: Any) -> Any:
    model = build(0, False)
    options = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **options}
    model.compile(**options)
    return model


def normal() -> Any:
    return build(0.3, False)


X, Y = data(210)
CASES = {
    "double precision": (normal, {"x": X.astype(np.float64)}),
    "bytes": (normal, {"x": (X * 20).astype(np.uint8)}),
    "tensors": (normal, {"x": tf.constant(X), "y": tf.constant(Y)}),
    "one-hot": (
        lambda: compiled(loss="categorical_crossentropy", metrics=["accuracy"]),
        {"y": keras.utils.to_categorical(Y, 4)},
    ),
    "in order": (normal, {"shuffle": False}),
    "batches shuffled": (normal, {"shuffle": "batch"}),
    "one batch": (normal, {"batch_size": 500}),
    "even batches of 70": (normal, {"batch_size": 70}),
    "a convolution": (small_conv, {"batch_size": 30}),
    "weights of classes": (normal, {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5, 3: 2.0}}),
    "weights of samples": (normal, {"sample_weight": np.linspace(0, 1, 210)}),
    "validation apart": (normal, {"validation_data": (X[:50], Y[:50]), "validation_freq": 2}),
    "labels in a table": (normal, {"y": pandas.Series(Y)}),
    "part of an epoch": (normal, {"steps_per_epoch": 5, "epochs": 2}),
    "part of a validation": (
        normal,
        {"validation_data": (X, Y), "validation_steps": 3, "validation_batch_size": 8},
    ),
    "compiled for XLA": (lambda: compiled(jit_compile=True), {}),
    "another optimizer": (
        lambda: compiled(optimizer="rmsprop", metrics=["sparse_top_k_categorical_accuracy"]),
        {},
    ),
    "averages of weights": (
        lambda: compiled(optimizer=keras.optimizers.Adam(use_ema=True, ema_overwrite_frequency=3)),
        {},
    ),
    "gradients of two batches": (
        lambda: compiled(optimizer=keras.optimizers.Adam(gradient_accumulation_steps=2)),
        {},
    ),
    "a scaled loss": (
        lambda: compiled(optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())),
        {},
    ),
    "a falling learning rate": (
        lambda: compiled(
            optimizer=keras.optimizers.SGD(
                keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5), momentum=0.9, clipnorm=1.0
            )
        ),
        {},
    ),
    "several metrics": (
        lambda: compiled(metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)]),
        {"validation_data": (X, Y)},
    ),
    "a metric of one's own": (lambda: compiled(metrics=[Halves()]), {}),
    "a report of one's own": (extra, {}),
    "PReLU as an activation": (with_weights_in_an_activation, {"y": np.eye(4)[Y]}),
    "weighted metrics": (lambda: compiled(weighted_metrics=["accuracy"]), {}),
    "stopped early": (
        normal,
        {"epochs": 6, "callbacks": [keras.callbacks.EarlyStopping("loss", min_delta=1)]},
    ),
}


TOGETHER = (
    ("tensors", "in order", "even batches of 70", "validation apart"),
    ("bytes", "weights of samples", "stopped early"),
    ("one-hot", "weights of classes", "one batch"),
    ("batches shuffled", "averages of weights"),
    ("PReLU as an activation",),
)
"""What ours has a line for, in few trainings; what Keras does by itself is tried at night,
and so is each of these alone."""


@pytest.mark.parametrize("cases", TOGETHER, ids=", ".join)
def test_calls_give_what_keras_gives(cases: tuple[str, ...]) -> None:
    check_calls(*cases)


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_every_call_gives_what_keras_gives(case: str) -> None:
    check_calls(case)


def check_calls(*cases: str) -> None:
    """Train with the options of all cases, on the one network that is not as usual."""
    makers = {make for make, _ in map(CASES.__getitem__, cases)} - {normal} or {normal}
    (make,) = makers
    options = {name: value for case in cases for name, value in CASES[case][1].items()}
    outcomes = []
    for steps in (1, 4):
        keras.utils.clear_session(free_memory=False)  # so that names are given anew
        model = make()
        given = {"x": X, "y": Y, "batch_size": 20, "epochs": 2, **options}
        history = train(model, steps, **copy.deepcopy(given))
        outcomes.append(
            {
                "weights": [w.tobytes() for w in model.get_weights()],
                "history": history.history,
                "batches": history.params["steps"],
                "optimizer": [(v.path, v.numpy().tobytes()) for v in model.optimizer.variables],
                "metrics": [variable.path for variable in model.metrics_variables],
                "iterations": int(model.optimizer.iterations),
            }
        )
    assert outcomes[0] == outcomes[1]


def batches_of(kind: str, drawn: list[int]) -> tuple[Any, dict[str, Any]]:
    """What hands out the same batches, writing down which were asked for; how to train on it."""
    places = range(0, len(X), 20)

    def batch(place: int) -> tuple[Any, Any]:
        drawn.append(place)
        return X[place : place + 20], Y[place : place + 20]

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return len(places)

        def __getitem__(self, number: int) -> Any:
            return batch(places[number])

    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(50, seed=5).batch(20)
    ways: dict[str, Any] = {
        "dataset": lambda: (dataset, {"epochs": 3}),
        "dataset without end": lambda: (dataset.repeat(), {"epochs": 2, "steps_per_epoch": 7}),
        "generator": lambda: ((batch(place) for place in places), {}),
        "PyDataset": lambda: (Batches(), {"epochs": 2}),
        "PyDataset in threads": lambda: (Batches(workers=2), {"shuffle": False}),
    }
    made: tuple[Any, dict[str, Any]] = ways[kind]()
    return made


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("dataset", marks=pytest.mark.long),
        "dataset without end",
        "generator",
        "PyDataset",
        pytest.param("PyDataset in threads", marks=pytest.mark.long),
    ],
)
def test_batches_that_are_seen_in_passing_are_keras_own(kind: str) -> None:
    outcomes = []
    for steps in (1, 4):
        keras.utils.clear_session(free_memory=False)
        model, drawn = normal(), list[int]()
        x, options = batches_of(kind, drawn)
        history = train(model, steps, x=x, **options)
        # Threads run ahead as far as they come.
        asked_for = set(drawn) if "threads" in kind else drawn
        outcomes.append((history.history, [w.tobytes() for w in model.get_weights()], asked_for))
    assert outcomes[0] == outcomes[1]


def test_what_callbacks_call_looks_at_batches_where_it_should() -> None:
    seen: list[Any] = []

    class Nested(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            peeker = Tester()
            evaluate(self.model, X, Y, callbacks=[peeker], verbose=0)
            seen.append((peeker.batches, len(predict(self.model, X, verbose=0))))
            seen.append(self.model.steps_per_execution)
            evaluate(self.model, X, Y, verbose=0)

    class Tester(keras.callbacks.Callback):
        batches = 0

        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            self.batches += 1

    evaluate = STEPS["wrap"](keras.Model.evaluate, 4)
    predict = STEPS["wrap"](keras.Model.predict, 4)
    model = build(0, False)
    train(model, 4, x=X, y=Y, epochs=2, callbacks=[Nested()])
    assert seen == [(7, 210), 4] * 2
    assert model.steps_per_execution == 1 and int(model.optimizer.iterations) == 14


def test_the_loop_picks_the_images_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = []
    next_group = BATCHES["Groups"].__next__

    def counting(self: Any) -> Any:
        group = next_group(self)
        groups.append(len(group))
        return group

    monkeypatch.setattr(BATCHES["Groups"], "__next__", counting)
    train(build(0, False), 4, x=X, y=Y, batch_size=20)
    assert groups == [80, 80, 50]


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_networks_trained_in_a_loop_warn_of_nothing(
    shuffle: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # New, since TensorFlow warns twice only.
    manager = type(polymorphic_function._frequent_tracing_detector_manager)()
    monkeypatch.setattr(polymorphic_function, "_frequent_tracing_detector_manager", manager)
    monkeypatch.setattr(tf.get_logger(), "propagate", True)
    for _ in range(6):
        model = keras.Sequential([keras.Input((12,)), layers.Dense(4, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        train(model, 50, x=X, y=Y, shuffle=shuffle)
    assert caplog.messages == []


def traces(make: Any, steps: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a dense layer of a network is traced when it is trained."""
    model = make()
    count = 0
    call = layers.Dense.call

    def counting(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        return call(*arguments, **options)

    monkeypatch.setattr(layers.Dense, "call", counting)
    train(model, steps, x=X, y=Y)
    monkeypatch.undo()
    return count


def test_what_only_libraries_wrote_is_traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = 2
    assert traces(normal, 4, monkeypatch) == dense


def own_loss(y: Any, predicted: Any) -> Any:
    return keras.losses.sparse_categorical_crossentropy(y, predicted)


def with_layer(layer: Any, network: Any = keras.Sequential) -> Any:
    model = network([keras.Input((12,)), layer, layers.Dense(4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


WRITTEN = {
    "loss": lambda: compiled(loss=own_loss),
    "metric": lambda: compiled(metrics=[lambda y, predicted: keras.ops.sum(predicted)]),
    "optimizer": lambda: compiled(optimizer=type("Own", (keras.optimizers.SGD,), {})()),
    "lambda": lambda: with_layer(layers.Lambda(lambda x: 2 * x)),
    "activation": lambda: with_layer(layers.Activation(lambda x: 2 * x)),
    "regularizer": lambda: with_layer(
        layers.Dense(4, kernel_regularizer=type("Own", (keras.regularizers.L2,), {})(0.1))
    ),
    "layer": lambda: with_layer(type("Own", (layers.Flatten,), {})()),
    "network": lambda: with_layer(layers.Flatten(), type("Own", (keras.Sequential,), {})),
}
"""Networks with something that a student wrote."""


@pytest.mark.parametrize("what", WRITTEN)
def test_what_a_student_wrote_is_found(what: str) -> None:
    assert BATCHES["runs_no_line_of_others"](normal())
    assert not BATCHES["runs_no_line_of_others"](WRITTEN[what]())


@pytest.mark.parametrize(
    "what", [pytest.param(n, marks=[pytest.mark.long] * (n != "layer")) for n in WRITTEN]
)
def test_what_a_student_wrote_is_traced_as_often_as_by_keras(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert traces(WRITTEN[what], 4, monkeypatch) == traces(WRITTEN[what], 1, monkeypatch)


def steps_in(model: Any, callbacks: Any = None, **options: Any) -> int:
    """How many batches a call of ``fit`` would take at once."""
    given = {"x": data(60)[0], "callbacks": callbacks, **options}
    many = STEPS["steps_for"]("fit", model, given, 50)
    return int(model.steps_per_execution) if many is None else int(many)


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
        assert steps_in(model) == options.get("steps_per_execution", 1)

    class OwnStep(keras.Sequential):
        def train_step(self, batch: Any) -> Any:
            return super().train_step(batch)

    own = OwnStep([keras.Input((12,)), layers.Dense(4)])
    own.compile("adam", "mse")
    assert steps_in(own) == steps_in(extra()) == steps_in(compiled(metrics=[Halves()])) == 1
    for part in ("steps_per_epoch", "validation_steps"):
        assert steps_in(build(0, False), **{part: 2}) == 1
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
