"""Do local checks and pictures cope with whatever a student's notebook holds?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers

IMAGES = 60
PICTURES = (
    "learning_curves",
    "dead_units",
    "diagram",
    "journey",
    "weights",
    "misread_digits",
    "where_it_stands",
)
NETWORK_PICTURES = [name for name in PICTURES if name != "learning_curves"]
LABELS = np.arange(IMAGES) % 10
PIXELS = np.random.default_rng(0).random((IMAGES, 28, 28), "float32")


def sequential(*stack: Any, shape: tuple[int, ...] = (28, 28)) -> keras.Model:
    return keras.Sequential([keras.Input(shape=shape), *stack])


def dense(shape: tuple[int, ...] = (28, 28), hidden: str = "relu") -> keras.Model:
    return sequential(
        layers.Flatten(),
        layers.Dense(6, activation=hidden),
        layers.Dense(10, activation="softmax"),
        shape=shape,
    )


def functional() -> keras.Model:
    inputs = keras.Input(shape=(784,))
    x = layers.Dense(5)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(inputs, layers.Dense(10)(layers.Dropout(0.2)(x)))


def convolution() -> keras.Model:
    return sequential(
        layers.Conv2D(2, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax"),
        shape=(28, 28, 1),
    )


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(4, activation="relu")
        self.out = layers.Dense(10, activation="softmax")

    def call(self, images: Any) -> Any:
        return self.out(self.hidden(self.flatten(images)))


def subclassed() -> keras.Model:
    model = Subclassed()
    model(PIXELS[:2])
    return model


def no_input() -> keras.Model:
    model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
    model(PIXELS[:2])
    return model


def shared_layer() -> keras.Model:
    inputs = keras.Input(shape=(28, 28))
    layer = layers.Dense(28, activation="relu")
    return keras.Model(inputs, layers.Dense(10)(layers.Flatten()(layer(layer(inputs)))))


def two_inputs() -> keras.Model:
    one, two = keras.Input(shape=(784,)), keras.Input(shape=(784,))
    return keras.Model([one, two], layers.Dense(10)(layers.Add()([one, two])))


def nan_weights() -> keras.Model:
    model = dense()
    model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])
    return model


def perfect() -> Any:
    def predict(images: Any, **options: Any) -> Any:
        return np.eye(10)[LABELS]

    return SimpleNamespace(predict=predict, count_params=lambda: 1)


MODELS: dict[str, Callable[[], Any]] = {
    "(28, 28)": dense,
    "(784,)": partial(dense, (784,)),
    "(28, 28, 1)": partial(dense, (28, 28, 1)),
    "sigmoid": partial(dense, hidden="sigmoid"),
    "no hidden layer": lambda: sequential(layers.Flatten(), layers.Dense(10)),
    "functional": functional,
    "convolution": convolution,
    "subclassed": subclassed,
    "no input": no_input,
    "never built": lambda: keras.Sequential([layers.Flatten(), layers.Dense(10)]),
    "shared layer": shared_layer,
    "nested": lambda: sequential(dense(), layers.Softmax()),
    "two inputs": two_inputs,
    "one output": lambda: sequential(layers.Flatten(), layers.Dense(1)),
    "twelve outputs": lambda: sequential(layers.Flatten(), layers.Dense(12)),
    "output not flat": lambda: sequential(layers.Dense(10)),
    "other images": partial(dense, (32, 32)),
    "NaN": nan_weights,
    "perfect": perfect,
    "None": lambda: None,
    "a number": lambda: 3,
    "a class": lambda: keras.Model,
    "a string": lambda: "model",
    "an array": lambda: np.zeros(3),
}


@cache
def made(name: str) -> Any:
    """The model of that name; made once, since `predict` is compiled for each model anew."""
    return MODELS[name]()


VARIABLES: dict[str, dict[str, Any]] = {
    "as loaded": {},
    "flattened": {"x_train": PIXELS.reshape(-1, 784), "x_test": PIXELS.reshape(-1, 784)},
    "with a channel": {"x_train": PIXELS[..., None], "x_test": PIXELS[..., None]},
    "one-hot": {"y_train": np.eye(10)[LABELS], "y_test": np.eye(10)[LABELS]},
    "labels in a column": {"y_test": LABELS[:, None]},
    "bytes": {"x_train": (PIXELS * 255).astype("uint8"), "x_test": (PIXELS * 255).astype("uint8")},
    "float64": {"x_train": PIXELS.astype(float), "x_test": PIXELS.astype(float)},
    "tensors": {"x_test": keras.ops.convert_to_tensor(PIXELS)},
    "lists": {"x_test": PIXELS.tolist(), "y_test": LABELS.tolist()},
    "x_test cut": {"x_test": PIXELS[:5]},
    "both cut": {"x_test": PIXELS[:1], "y_test": LABELS[:1]},
    "empty": {"x_test": PIXELS[:0], "y_test": LABELS[:0], "x_train": PIXELS[:0]},
    "no images": {"x_test": None, "x_train": None},
    "no labels": {"y_test": None},
    "not images": {"x_test": "x", "y_test": 3},
}


class TestTools:
    @pytest.fixture(autouse=True)
    def close_all(self) -> Iterator[Any]:
        yield
        plt.close("all")

    def give(self, variables: dict[str, Any], model: Any, **others: Any) -> None:
        """Put into the notebook's variables what its cells would have."""
        given = {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS, "y_test": LABELS}
        variables.update(given | {"model": model} | others)

    def look(self, variables: dict[str, Any]) -> None:
        """All that the notebook does after the training; must never raise or warn."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", message=".*non-interactive, and thus cannot be shown")
            variables["pictures"].redraw()
            for question in ("accuracy", "budget"):
                variables["grader"].check(question)

    @pytest.mark.parametrize("model", MODELS)
    def test_any_model(
        self, variables: Any, capsys: pytest.CaptureFixture[str], model: Any
    ) -> None:
        self.give(variables, made(model))
        self.look(variables)
        said = capsys.readouterr().out
        assert "accuracy: " in said and "budget: " in said

    @pytest.mark.parametrize("data", VARIABLES)
    def test_any_preparation(
        self, variables: Any, capsys: pytest.CaptureFixture[str], data: Any
    ) -> None:
        self.give(variables, made("(28, 28)"), **VARIABLES[data])
        self.look(variables)
        assert "accuracy: " in capsys.readouterr().out

    @pytest.mark.parametrize("data", ["as loaded", "flattened", "with a channel", "one-hot"])
    def test_the_digits_are_shown_however_they_were_prepared(
        self, cells: Any, variables: Any, data: Any
    ) -> None:
        """Who writes the labels in the other way loses no points for a picture."""
        self.give(variables, None, **VARIABLES[data])
        exec(cells["show-digits"]["source"], variables)
        assert len(plt.get_fignums()) == 1

    @pytest.mark.parametrize(
        ("shape", "data"),
        [
            *(("(28, 28)", data) for data in ("as loaded", "one-hot", "flattened")),
            *(("(784,)", data) for data in ("flattened", "with a channel")),
            *(("(28, 28, 1)", data) for data in ("with a channel", "as loaded")),
            ("functional", "lists"),
        ],
    )
    def test_sensible_networks_get_every_picture(
        self, variables: Any, capsys: pytest.CaptureFixture[str], shape: Any, data: Any
    ) -> None:
        self.give(variables, made(shape), **VARIABLES[data])
        for name in NETWORK_PICTURES:
            if not (name == "dead_units" and data == "lists"):
                getattr(variables["pictures"], name)()
        assert "No picture" not in capsys.readouterr().out
        assert len(plt.get_fignums()) >= 2
        variables["grader"].check("accuracy")
        assert f"of the {IMAGES} test images" in capsys.readouterr().out

    def test_a_network_of_nan_is_not_drawn_as_if_it_lived(
        self, variables: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.give(variables, made("NaN"))
        for name in NETWORK_PICTURES:
            getattr(variables["pictures"], name)()
        variables["canvas"].read("#\n#")
        said = capsys.readouterr().out
        assert said.count("not numbers any more (NaN)") == len(NETWORK_PICTURES) + 1
        assert plt.get_fignums() == []

    def test_nothing_has_been_run(self, variables: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.look(variables)
        said = capsys.readouterr().out
        assert said.count("No picture here: ") == len(PICTURES)
        assert said.count("Have you run the cell that builds and trains it?") == 2
        assert plt.get_fignums() == []

    HISTORIES = (
        {"accuracy": [0.1], "loss": [2.3], "val_accuracy": [0.1], "val_loss": [2.3]},
        {"accuracy": [0.5, 0.9], "loss": [2.3, 1]},
        {"acc": [0.5], "val_acc": [0.6], "loss": [1.0], "val_loss": [1.0]},
        {"sparse_categorical_accuracy": [0.5], "loss": [1.0], "learning_rate": [0.1]},
        {"loss": [2.0, 1.0]},
        {"accuracy": [0.1, 0.1], "loss": [float("nan"), float("inf")]},
        {"accuracy": [float("nan")] * 2, "loss": [float("nan")] * 2},
    )

    @pytest.mark.parametrize("values", HISTORIES)
    @pytest.mark.parametrize("where", ["history", "a dict", "model"])
    def test_any_history(
        self, variables: Any, capsys: pytest.CaptureFixture[str], values: Any, where: Any
    ) -> None:
        if where == "model":
            trained = SimpleNamespace(history=SimpleNamespace(history=values))
            variables["model"] = trained
        else:
            kept = SimpleNamespace(history=values)
            variables["history"] = kept if where == "history" else values
        variables["pictures"].learning_curves()
        said = capsys.readouterr().out
        assert said == "" if np.isfinite(values["loss"]).all() else "not a number" in said
        assert len(plt.gcf().axes) == (2 if len(values) > 1 else 1)

    @pytest.mark.parametrize("level", [0.1, 0.98], ids=["dead", "good"])
    def test_axes_start_at_0_and_show_the_level_of_guessing(
        self, variables: Any, level: Any
    ) -> None:
        """Drawn from 0.1038 to 0.1052 a dead network would seem to learn."""
        accuracies = [level, level + 0.001]
        losses = [2.316, 2.305]
        variables["history"] = {"accuracy": accuracies, "val_accuracy": accuracies, "loss": losses}
        variables["pictures"].learning_curves()
        accuracy, loss = plt.gcf().axes
        assert accuracy.get_ylim()[0] == loss.get_ylim()[0] == 0
        assert 100 <= accuracy.get_ylim()[1] < 105
        [guessing] = [line for line in accuracy.lines if line.get_label() == "guessing"]
        assert list(guessing.get_ydata()) == [10, 10]
        self.give(variables, dense())
        variables["pictures"].where_it_stands()
        assert plt.gca().get_ylim()[0] == 0

    @pytest.mark.parametrize("history", [None, 3, {}, {"loss": []}, [1], np.zeros(3), "x"])
    def test_no_history(self, variables: Any, history: Any) -> None:
        variables["history"] = history
        variables["pictures"].learning_curves()

    def test_dead_units_are_counted(self, variables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """For each layer by itself: of one with six units two are dead, of the other none."""
        model = sequential(
            layers.Flatten(),
            layers.Dense(6, activation="relu", name="first"),
            layers.Dense(4, activation="relu", name="second"),
            layers.Dense(10),
        )
        first, second = model.get_layer("first"), model.get_layer("second")
        first.set_weights([np.zeros((784, 6)), np.array([1, -1, 1, -1, 1, 1])])
        second.set_weights([np.ones((6, 4)), np.zeros(4)])
        self.give(variables, model)
        variables["pictures"].dead_units()
        [axis] = plt.gcf().axes
        notes = [text.get_text() for text in axis.texts]
        assert notes == ["2 of 6 dead", "0 of 4 dead"]
        assert [label.get_text() for label in axis.get_yticklabels()] == ["first", "second"]

    def test_one_layer_alone_is_counted_over_all_images(self, variables: Any) -> None:
        model = dense()
        weights = np.zeros((784, 6))
        weights[np.arange(6), np.arange(6)] = 1.0
        model.layers[1].set_weights([weights, np.full(6, -0.9)])  # awake for a tenth of the images
        self.give(variables, model)
        variables["pictures"].dead_units()
        assert [text.get_text() for text in plt.gca().texts] == ["0 of 6 dead"]

    def test_misread_digits_are_the_misread_ones(
        self, variables: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers = LABELS.copy()
        answers[[4, 14, 7]] = [9, 9, 1]

        def predict(images: Any, **options: Any) -> Any:
            return np.eye(10)[answers]

        self.give(variables, SimpleNamespace(predict=predict))
        variables["pictures"].misread_digits()
        said = capsys.readouterr().out
        assert f"3 of {IMAGES} test images are misread (5.00 %)" in said
        assert "2 times a 4 read as a 9" in said
        assert [text.get_text() for text in plt.gca().texts] == ["4 → 9", "7 → 1", "4 → 9"]
        [shown] = plt.gca().images
        for place, index in enumerate([4, 7, 14]):
            tile = shown.get_array()[10:38, 32 * place + 2 : 32 * place + 30]
            assert np.array_equal(tile, PIXELS[index])

    def test_earlier_tries_stay_in_the_picture(self, variables: Any) -> None:
        for model in (dense(), functional()):
            self.give(variables, model)
            variables["pictures"].where_it_stands()
        legend = [text.get_text() for text in plt.gca().get_legend().get_texts()]
        assert legend == ["the goal", "guessing", "earlier tries", "your network now"]
        assert len(variables["pictures"].tries) == 2

    def test_leaves_the_network_as_it_was(self, variables: Any) -> None:
        model = dense()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        before = [weights.copy() for weights in model.get_weights()]
        self.give(variables, model)
        self.look(variables)
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
        assert not any(
            isinstance(value, keras.Model) and value is not model for value in variables.values()
        )
