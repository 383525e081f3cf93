"""Does each hint appear for a network made to have that fault, and not for one without it?"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from autograder.core.report import HintReport
from autograder.grading.diagnosis import Fault, diagnose
from autograder.network import Comparison, Compilation, Measured, UnitCount
from autograder.network.export import read_export
from autograder.network.measurement import confusions, count_units
from autograder.network.rebuild import Network, rebuild

layers = keras.layers
EXPORT = runpy.run_path(str(Path(__file__).parent.parent / "autograder/sandbox/inside/export.py"))


def rebuilt(model: Any, folder: Path) -> Network:
    EXPORT["export_network"](model, folder, chosen_by="the variable model")
    return rebuild(read_export(folder, max_bytes=1 << 26))


@pytest.fixture(scope="module")
def images() -> Any:
    return np.random.default_rng(1).random((300, 20)).astype(np.float32)


def dense(units: int, activation: str, name: str = "hidden") -> Any:
    keras.utils.set_random_seed(5)
    return keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(units, activation=activation, name=name),
            layers.Dense(10, activation="softmax", name="out"),
        ]
    )


@pytest.mark.parametrize("dead", [0, 3, 12])
def test_dead_units_are_counted(tmp_path: Path, images: Any, dead: int) -> None:
    model = dense(12, "relu")
    kernel, bias = model.get_layer("hidden").get_weights()
    kernel = np.abs(kernel)
    bias[:] = 0.1
    bias[:dead] = -1000
    model.get_layer("hidden").set_weights([kernel, bias])
    (count,) = count_units(rebuilt(model, tmp_path), images)
    assert (count.units, count.silent, count.layer.name) == (12, dead, "hidden")


def test_dead_filters_are_counted(tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(4, 3, name="filters"),
            layers.ReLU(name="rectifier"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    model.get_layer("filters").set_weights(
        [np.ones((3, 3, 1, 4), np.float32), np.array([-99, 0, 0, -99], np.float32)]
    )
    images = np.random.default_rng(1).random((50, 6, 6, 1)).astype(np.float32)
    (count,) = count_units(rebuilt(model, tmp_path), images)
    assert (count.units, count.silent) == (4, 2)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize(("scale", "saturated"), [(0.1, 0), (1000, 8)])
def test_saturated_units_are_counted(
    tmp_path: Path, images: Any, activation: str, scale: float, saturated: int
) -> None:
    model = dense(8, activation)
    kernel, bias = model.get_layer("hidden").get_weights()
    model.get_layer("hidden").set_weights([np.abs(kernel) * scale, bias])
    (count,) = count_units(rebuilt(model, tmp_path), images)
    assert (count.units, count.silent) == (8, saturated)


def test_other_activations_have_no_such_units(tmp_path: Path, images: Any) -> None:
    assert count_units(rebuilt(dense(8, "gelu"), tmp_path), images) == []


def symptoms(tmp_path: Path, model: Any = None, **changes: Any) -> Measured:
    network = rebuilt(model or dense(64, "relu"), tmp_path)
    alike = Comparison(first=0.9, second=0.9, z=0.0, p_value=0.5, bound=0.001)
    healthy: dict[str, Any] = {
        "counted_images": 10_000,
        "public_accuracy": 0.90,
        "private_accuracy": 0.90,
        "training_images": 60_000,
        "test_over_training": alike,
        "public_over_private": alike,
        "remarks": (),
        "chosen_by": "the variable model",
        "confusions": (),
        "units": (),
        "layers": network.layers,
        "passages": network.passages,
        "preparation": "x / 255",
        "proved_by": "fit",
        "training_accuracy": 0.90,
        "accuracy": 0.90,
        "parameters": 50_000,
        "history": {"loss": [1.0, 0.5, 0.49]},
        "compilation": Compilation(loss="x", optimizer="adam", learning_rate=0.001),
    }
    return Measured(**healthy | changes)


def hints(found: Measured) -> dict[str, HintReport]:
    return {hint.fault: hint for hint in diagnose(found, max_parameters=110_000, threshold=0.95)}


def rate(value: float | None, optimizer: str = "adam") -> Compilation:
    return Compilation(loss="x", optimizer=optimizer, learning_rate=value)


def rates(*values: float) -> dict[str, Any]:
    """As callbacks that change the learning rate have it recorded, epoch by epoch."""
    return {"history": {"learning_rate": list(values)}}


CASES: list[tuple[Fault, dict[str, Any], dict[str, Any]]] = [
    (Fault.GUESSING, {"training_accuracy": 0.11, "accuracy": 0.1}, {}),
    (Fault.OVERFITTING, {"training_accuracy": 0.99}, {}),
    (Fault.OVERFITTING, {"training_accuracy": 1.0, "accuracy": 0.96}, {"accuracy": 0.96}),
    (Fault.UNDERFITTING, {}, {"training_accuracy": 0.955, "accuracy": 0.949}),
    (Fault.RATE_TOO_HIGH, {"compilation": rate(0.03)}, {"compilation": rate(0.001)}),
    (Fault.RATE_TOO_HIGH, {"history": {"loss": [1.0, None]}}, {}),
    (Fault.RATE_TOO_HIGH, {"compilation": rate(0.03)}, {"compilation": rate(0.03, "sgd")}),
    (Fault.RATE_TOO_HIGH, {"compilation": rate(0.03)}, {"compilation": rate(None)}),
    (Fault.RATE_TOO_LOW, {"compilation": rate(1e-6)}, {"compilation": rate(5e-4)}),
    (Fault.STOPPED_EARLY, {"history": {"loss": [1.0, 0.6]}}, {"history": {"loss": [0.5, 0.49]}}),
    (Fault.STOPPED_EARLY, {"history": {"loss": [1.0, 0.6]}}, {"history": {}}),
    (
        Fault.STOPPED_EARLY,
        {"history": {"loss": [2.6, 2.3]}},
        {"history": {"loss": [2.6, 2.3]}, "training_accuracy": 0.11, "accuracy": 0.1},
    ),
    (
        Fault.RATE_TOO_LOW,
        {"compilation": rate(1e-6)},
        {"compilation": rate(1e-6), **rates(1e-3, 1e-6)},
    ),
    (Fault.RATE_TOO_HIGH, rates(0.05, 1e-3), rates(1e-3, 1e-4)),
    (Fault.OVER_BUDGET, {"parameters": 110_001}, {"parameters": 110_000}),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "with_it", "without"), CASES)
def test_each_hint_and_its_absence(
    tmp_path: Path, fault: Fault, with_it: dict[str, Any], without: dict[str, Any]
) -> None:
    assert fault in hints(symptoms(tmp_path, **with_it))
    assert fault not in hints(symptoms(tmp_path, **without))


@pytest.mark.parametrize(("units", "found"), [(10, True), (11, False)])
def test_a_bottleneck_is_named(tmp_path: Path, units: int, found: bool) -> None:
    model = dense(units, "relu", name="narrow")
    assert (Fault.BOTTLENECK in hints(symptoms(tmp_path, model))) == found


def branches() -> Any:
    """Ten units beside a path around them."""
    image = keras.Input((20,))
    narrow = layers.Dense(10, activation="relu", name="narrow")(image)
    return keras.Model(image, layers.Dense(10)(layers.Concatenate()([narrow, image])))


def each_pixel() -> Any:
    """Five numbers for each of twenty pixels."""
    made = [layers.Reshape((20, 1)), layers.Dense(5, name="narrow"), layers.Flatten()]
    return keras.Sequential([keras.Input((20,)), *made, layers.Dense(10)])


@pytest.mark.parametrize("build", [branches, each_pixel])
def test_a_layer_that_not_all_must_pass_is_no_bottleneck(tmp_path: Path, build: Any) -> None:
    assert Fault.BOTTLENECK not in hints(symptoms(tmp_path, build()))


def test_passages_are_what_all_must_pass(tmp_path: Path) -> None:
    image = keras.Input((20,))
    first = layers.Dense(12, name="first")(image)
    left, right = layers.Dense(5, name="left")(first), layers.Dense(5, name="right")(first)
    joined = layers.Add(name="joined")([left, layers.ReLU(name="later")(right)])
    model = keras.Model(image, layers.Dense(10, name="last")(joined))
    assert rebuilt(model, tmp_path).passages == {"first", "joined", "last"}


LEARNING = {Fault.GUESSING, Fault.UNDERFITTING, Fault.OVERFITTING, Fault.DEAD_UNITS}


@pytest.mark.parametrize(
    ("changes", "is_known"),
    [
        ({"proved_by": ""}, False),
        ({"proved_by": "fit"}, True),
        # The notebook's own last epoch says the same, or says nothing that could be compared.
        ({"proved_by": "", "history": {"accuracy": [0.4, 0.62]}}, True),
        ({"proved_by": "", "history": {"val_accuracy": [0.6]}}, False),
        ({"proved_by": "", "history": {"accuracy": [None]}}, False),
        ({"proved_by": "", "history": {"accuracy": [1e300]}}, False),
        ({"proved_by": "", "history": {"accuracy": [0.97]}}, False),
        ({"proved_by": "fit", "history": {"accuracy": [0.97]}}, True),
    ],
)
def test_nothing_is_said_about_learning_where_the_preparation_is_unknown(
    tmp_path: Path, changes: dict[str, Any], is_known: bool
) -> None:
    layer = rebuilt(dense(64, "relu"), tmp_path).layers[0]
    units = (UnitCount(layer=layer, units=64, silent=64),)
    changes = {"units": units, "training_accuracy": 0.6, "accuracy": 0.59, **changes}
    found = hints(symptoms(tmp_path, **changes))
    assert bool(LEARNING & set(found)) is is_known
    assert (Fault.UNKNOWN_PREPARATION in found) is not is_known
    if not is_known:
        assert next(iter(found)) == Fault.UNKNOWN_PREPARATION, "it comes before all others"
        assert "x / 255" in found[Fault.UNKNOWN_PREPARATION].text


def test_what_the_notebook_reports_is_told_where_it_is_far_above(tmp_path: Path) -> None:
    far = symptoms(tmp_path, proved_by="", history={"accuracy": [0.9712]})
    assert "reports 97.12 %" in hints(far)[Fault.UNKNOWN_PREPARATION].text
    passed = {"accuracy": 0.96, "training_accuracy": 1.0}
    assert hints(symptoms(tmp_path, proved_by="", **passed)) == {}


@pytest.mark.parametrize(("threshold", "found"), [(0.95, True), (0.92, False)])
def test_too_few_are_fewer_than_wanted(tmp_path: Path, threshold: float, found: bool) -> None:
    case = symptoms(tmp_path, training_accuracy=0.93, accuracy=0.91)
    told = diagnose(case, max_parameters=110_000, threshold=threshold)
    assert (Fault.UNDERFITTING in {hint.fault for hint in told}) is found


def test_the_starters_hint_names_the_ten_dead_units(tmp_path: Path, images: Any) -> None:
    model = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(30, activation="relu", name="wide"),
            layers.Dense(10, activation="relu", name="narrow"),
            layers.Dense(10, activation="softmax", name="out"),
        ]
    )
    kernel, bias = model.get_layer("narrow").get_weights()
    model.get_layer("narrow").set_weights([kernel, bias - 1000])
    units = tuple(count_units(rebuilt(model, tmp_path), images))
    found = diagnose(
        symptoms(
            tmp_path,
            model,
            units=units,
            training_accuracy=0.1,
            accuracy=0.1,
            compilation=rate(0.03),
        ),
        max_parameters=110_000,
        threshold=0.95,
    )
    assert found[0].fault == Fault.DEAD_UNITS
    assert found[0].text.startswith("All 10 units of `narrow` are dead")


def test_a_few_dead_units_are_no_fault(tmp_path: Path) -> None:
    layer = rebuilt(dense(64, "relu"), tmp_path).layers[0]
    few = symptoms(tmp_path, units=(UnitCount(layer=layer, units=64, silent=5),))
    many = symptoms(tmp_path, units=(UnitCount(layer=layer, units=64, silent=40),))
    assert Fault.DEAD_UNITS not in hints(few)
    assert "40 of the 64" in hints(many)[Fault.DEAD_UNITS].text


def test_a_healthy_network_gets_no_hint(tmp_path: Path) -> None:
    assert hints(symptoms(tmp_path, training_accuracy=0.975, accuracy=0.97)) == {}


def test_not_a_number_is_no_success(tmp_path: Path) -> None:
    sick = symptoms(tmp_path, accuracy=float("nan"), compilation=rate(0.03))
    assert Fault.RATE_TOO_HIGH in hints(sick)


def test_confusions_are_the_most_frequent_first() -> None:
    labels = np.array([4, 4, 4, 9, 1, 0], np.uint8)
    answers = np.array([9, 9, 4, 4, 7, 0])
    found = confusions(answers, labels)
    assert [(c.digit, c.taken_for, c.count) for c in found] == [(4, 9, 2), (1, 7, 1), (9, 4, 1)]
    assert found[0].examples == (0, 1)
    assert confusions(labels.astype(int), labels) == ()


def test_numbers_of_units_have_separators_as_all_numbers_have(tmp_path: Path) -> None:
    layer = rebuilt(dense(64, "relu"), tmp_path).layers[0]
    count = UnitCount(layer=layer, units=1_200, silent=1_100)
    told = hints(symptoms(tmp_path, units=(count,)))[Fault.DEAD_UNITS].text
    assert told.startswith("1,100 of the 1,200 units")


def test_shares_are_written_as_the_checks_write_them(tmp_path: Path) -> None:
    """A student who reads 92.28 % in one line and 92.3% in the next wonders which is right."""
    found = symptoms(tmp_path, training_accuracy=0.92284, accuracy=0.9206)
    text = hints(found)[Fault.UNDERFITTING].text
    assert "92.28 % of the training images" in text and "92.06 % of the test images" in text


def test_a_network_just_over_the_budget_is_told_by_how_much(tmp_path: Path) -> None:
    text = hints(symptoms(tmp_path, parameters=111_500))[Fault.OVER_BUDGET].text
    assert "1,500 more than the budget of 110,000" in text
