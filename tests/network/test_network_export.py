"""What the untrusted exporter writes, and what is read from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl

from autograder.core.errors import UnverifiableModel
from autograder.network.export import read_export
from autograder.sandbox.inside.export import export_network
from tests.network.network_harness import MAX_BYTES, exported


def small() -> Any:
    return keras.Sequential([keras.Input((4,)), kl.Dense(3, name="a"), kl.Dense(2, name="b")])


def test_arrays_come_in_the_order_of_layers_and_weights(tmp_path: Path) -> None:
    model = small()
    model.layers[0].trainable = False
    export = exported(model, tmp_path)
    assert [array.layer for array in export.arrays] == [("a",), ("a",), ("b",), ("b",)]
    for array, weight in zip(export.arrays, model.weights, strict=True):
        np.testing.assert_array_equal(array.values, weight)
        assert not array.values.flags.writeable
    assert export.chosen_by == "the test's model"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.json", "weights.bin"]
    assert (tmp_path / "weights.bin").stat().st_size == 4 * model.count_params()


def test_a_second_export_replaces_the_first(tmp_path: Path) -> None:
    exported(small(), tmp_path)
    export = exported(keras.Sequential([keras.Input((2,)), kl.Dense(1)]), tmp_path)
    assert len(export.arrays) == 2


def test_compilation_and_history_are_kept(tmp_path: Path) -> None:
    model = small()
    model.compile(keras.optimizers.Adam(0.03), "mse", metrics=["mae"])
    history = model.fit(np.zeros((4, 4)), np.zeros((4, 2)), epochs=2, verbose=0)
    export = exported(model, tmp_path, history=history)
    assert export.compilation is not None
    assert export.compilation.loss == "mse"
    assert export.compilation.optimizer == "Adam"
    assert export.compilation.learning_rate == pytest.approx(0.03)
    assert set(export.history) == {"loss", "mae"}
    assert len(export.history["loss"]) == 2


def test_loss_that_became_no_number_is_kept_as_none() -> None:
    export = exported(small(), history={"loss": [0.5, float("nan"), np.float32("inf"), 1]})
    assert export.history == {"loss": [0.5, None, None, 1.0]}


def test_uncompiled_network_has_neither() -> None:
    export = exported(small())
    assert export.compilation is None
    assert export.history == {}


@pytest.mark.parametrize("history", [3, "loss", {"loss": 3}, {"loss": ["a"]}, object()])
def test_odd_history_does_not_cost_the_network(history: Any) -> None:
    assert len(exported(small(), history=history).arrays) == 4


def test_loss_given_as_a_function_or_object() -> None:
    for loss in (keras.losses.MeanSquaredError(), lambda y, p: keras.ops.mean(y - p)):
        model = small()
        model.compile("sgd", loss)
        compilation = exported(model).compilation
        assert compilation is not None and compilation.optimizer == "SGD"


def test_learning_rate_on_a_schedule() -> None:
    model = small()
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
    model.compile(keras.optimizers.SGD(rate), "mse")
    assert exported(model).compilation is not None


def test_half_precision_weights_are_written_in_single(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), kl.Dense(3, dtype="float16")])
    export = exported(model, tmp_path)
    assert {array.values.dtype.name for array in export.arrays} == {"float32"}


class Awkward(keras.Sequential):
    """Fails in everything that it is asked."""

    def get_config(self) -> None:
        raise RuntimeError("no\nconfig" + "x" * 500)

    @property
    def layers(self) -> None:
        raise ValueError("no layers")


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__


@pytest.mark.parametrize("make", [Awkward, Unprintable, lambda: Unprintable, lambda: 3, list])
def test_odd_object_is_described_not_raised_about(tmp_path: Path, make: Any) -> None:
    export_network(make(), tmp_path, chosen_by="x" * 1000)
    description = json.loads((tmp_path / "network.json").read_text())
    assert description["kind"] == "failure"
    with pytest.raises(UnverifiableModel):
        read_export(tmp_path, max_bytes=MAX_BYTES)


def test_awkward_subclass_with_weights(tmp_path: Path) -> None:
    model = Awkward()
    keras.Sequential.add(model, keras.Input((4,)))
    model.built = True
    export_network(model, tmp_path, chosen_by="model")
    with pytest.raises(UnverifiableModel, match="Awkward"):
        read_export(tmp_path, max_bytes=MAX_BYTES)
