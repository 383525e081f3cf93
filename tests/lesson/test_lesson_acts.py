"""Does what asks a student to do something answer as it should, and keep still while graded?"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers
from PIL import Image

IMAGES = 200
RNG = np.random.default_rng(0)


@pytest.fixture
def lesson(variables: Any) -> Any:
    """The notebook's variables with a few images and a small network."""
    labels = np.arange(IMAGES) % 10
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(4, "relu"),
            layers.Dense(10, "softmax"),
        ]
    )
    pixels = RNG.random((IMAGES, 28, 28), "float32")
    given = {"x_train": pixels, "y_train": labels, "x_test": pixels, "y_test": labels}
    variables.update(given, model=model)
    yield SimpleNamespace(**variables, all=variables)
    plt.close("all")


@pytest.mark.parametrize(
    ("number", "answer", "said"),
    [
        (1, 784 * 20 + 20, "Right."),
        (1, 784 * 20, "Not yet. These are the weights"),
        (2, -np.log(0.1), "Right."),
        (2, np.log(0.1), "mind the minus sign"),
        (3, " b", "Right."),
        (3, "C", "it gets a gradient"),
        (4, 60000 / 100, "Right."),
        (5, "A", "on the training images as well"),
        (5, "B", "Right."),
        (1, ..., "Not answered yet"),
        (1, "many", "Not yet."),
        (2, [2.3], "Not yet."),
        (4, None, "Not yet."),
        (4, float("nan"), "Not yet."),
        (6, 1, "five"),
    ],
)
def test_self_checks_answer_with_a_reason(
    lesson: Any, capsys: pytest.CaptureFixture[str], number: int, answer: Any, said: str
) -> None:
    lesson.self_checks.ask(number, answer)
    assert said in capsys.readouterr().out


def test_the_table_of_experiments_fills_itself_beside_the_network(
    lesson: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    lesson.all["x_train"] = np.tile(lesson.x_train, (30, 1, 1))
    lesson.all["y_train"] = np.tile(lesson.y_train, 30)
    before = [weights.copy() for weights in lesson.model.get_weights()]
    for run, missing in ((False, 2), (True, 1)):
        lesson.lab.experiment(0.03, [5], 'I expect "ten" and it\'s because', run=run)
        lesson.lab.experiment(0.001, [5], "I expect ... because ...", run=False)
        lesson.lab.table()
        said = capsys.readouterr().out
        assert said.count("missing: not run yet") == missing
    assert "of 5 dead" in said and "it's because" in said and "Next: [5] at 0.001" in said
    assert lesson.all["model"] is lesson.model
    assert all(map(np.array_equal, before, lesson.model.get_weights()))


def test_the_table_takes_the_runs_of_the_own_network_where_they_fit(
    lesson: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever `model` was afterwards; an experiment takes the place of such a run."""
    lesson.lab.experiment(0.03, [4], "I expect ten")
    for rate in (0.03, 0.001):
        lesson.model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        lesson.model.fit(
            lesson.x_train, lesson.y_train, callbacks=[lesson.Progress()], epochs=1, verbose=0
        )
        right = lesson.model.predict(lesson.x_test, verbose=0).argmax(axis=1) == lesson.y_test
        lesson.lab.table()
    lesson.all["model"] = None
    capsys.readouterr()
    lesson.lab.table()
    said = capsys.readouterr().out
    assert set(lesson.lab.own) == {(0.03, (4,)), (0.001, (4,))}
    assert lesson.lab.own[0.001, (4,)][0] == pytest.approx(100 * right.mean())
    assert "of 4 dead *" in said and "missing" not in said and "you wrote: I expect ten" in said
    lesson.lab.results[0.03, (4,)] = (12.3, 4, 4)
    lesson.lab.table()
    said = capsys.readouterr().out
    assert "12.3 %, 4 of 4 dead" in said and "*" not in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NameError("no", name="modle"), "Do you mean `model`?"),
        (NameError("no", name="true"), "Do you mean `True`?"),
        (NameError("no", name="xyzzy"), "Run the cells above first"),
        (AttributeError("no", name="fiit", obj=keras.Sequential()), "Do you mean `fit`?"),
        (AttributeError("no", name="xyzzy", obj=3), "Do you mean `one of part 8`?"),
        (SyntaxError("invalid"), "Is a bracket, a comma"),
        (IndentationError("unexpected indent"), "Is a bracket, a comma"),
        (ValueError("`output` must have rank (ndim) ..."), "Do labels and loss go together?"),
        (ValueError("must have the same rank (ndim)."), "Do labels and loss go together?"),
        (ValueError('Input 0 is incompatible with the layer "dense"'), "the shape of one image"),
        (Exception("URL fetch failure on https://x: None"), "ask your course for mnist.npz"),
        (ZeroDivisionError("division by zero"), "Take it back and try again."),
        (KeyboardInterrupt(), "Stopped by you."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_no_error_comes_without_a_sentence(
    lesson: Any, capsys: pytest.CaptureFixture[str], error: BaseException, said: str
) -> None:
    lesson.explain(shell := MagicMock(), type(error), error, None)
    assert said in capsys.readouterr().out
    assert shell.showtraceback.called != isinstance(error, KeyboardInterrupt)
    caught = lesson.all["get_ipython"].return_value.set_custom_exc.call_args[0][0]
    assert isinstance(error, caught)


@pytest.mark.parametrize("given", [("x", [5]), (0.1, 5), (0.1, ["x"]), (None, None)])
def test_a_mistake_in_an_experiment_fails_no_cell(
    lesson: Any, capsys: pytest.CaptureFixture[str], given: Any
) -> None:
    lesson.lab.experiment(*given, None, run=True)
    lesson.lab.table()
    lesson.lab.three_rates(given[1], None, run=True)
    assert "costs no points" in capsys.readouterr().out


def test_nothing_is_drawn_or_tried_while_graded(
    lesson: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    lesson.all["GRADED"] = True
    lesson.lab.experiment(0.03, [5], "", run=True)
    lesson.lab.three_rates([5], "", run=True)
    lesson.canvas.show()
    lesson.canvas.read("##\n##")
    assert lesson.lab.results == {} and plt.get_fignums() == []
    assert "You" not in capsys.readouterr().out


def test_a_digit_is_scaled_and_centred_as_in_mnist(lesson: Any) -> None:
    """The longer side becomes 20 pixels, and the centre of the ink the middle, wherever it was."""
    board = np.zeros((100, 90))
    board[60:90, 70:76] = 1
    image = lesson.canvas.centred(board)
    rows, columns = np.nonzero(image > 0.5)
    assert image.shape == (28, 28) and np.ptp(rows) + 1 == 20 and np.ptp(columns) + 1 == 4
    weights = image[rows, columns]
    assert np.average(rows, weights=weights) == pytest.approx(13.5, abs=0.5)
    assert np.average(columns, weights=weights) == pytest.approx(13.5, abs=0.5)
    assert np.allclose(image, lesson.canvas.centred(board[50:, 60:]), atol=1e-9)


@pytest.mark.parametrize("drawn", ["nothing.png", " \n ", "", None, 3])
def test_what_is_no_digit_is_said(
    lesson: Any, capsys: pytest.CaptureFixture[str], drawn: Any
) -> None:
    lesson.canvas.read(drawn)
    assert "cannot be read" in capsys.readouterr().out


def answer_of(found: Any, images: Any) -> Any:
    """What the browser makes of images: its arithmetic on the weights that it is given."""
    values = images.reshape(len(images), -1)
    for layer in found:
        whole = np.frombuffer(base64.b64decode(layer["weights"]), f"<i{layer['bytes']}")
        values = values @ (whole.reshape(values.shape[1], -1) * layer["scale"]) + layer["bias"]
        if layer["activation"] == "relu":
            values = np.maximum(values, 0)
    shares = np.exp(values - values.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("units", "off"), [(4, 0.0005), (1000, 0.05)])
def test_the_browser_gets_a_small_copy_of_a_dense_network_with_the_same_answers(
    lesson: Any, units: int, off: float
) -> None:
    lesson.all["model"] = model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(units, "relu"),
            layers.Dense(10, "softmax"),
        ]
    )
    found = lesson.canvas.dense_layers()
    own = model.predict(lesson.x_test, verbose=0)
    assert np.abs(answer_of(found, lesson.x_test) - own).max() < off
    assert len(json.dumps(found)) < 1_200_000


def test_the_browser_gets_no_network_that_it_cannot_calculate(lesson: Any) -> None:
    lesson.all["model"] = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(10)]
    )
    assert lesson.canvas.dense_layers() is None


@pytest.mark.parametrize("form", ["ink on paper", "chalk", "transparent", "grey", "a phone's"])
def test_a_picture_file_becomes_the_digit_that_is_in_it(
    lesson: Any, tmp_path: Path, form: str
) -> None:
    """In shadow, turned as the phone was held, light on dark: what counts is the ink."""
    ink = np.zeros((600, 450))
    ink[150:400, 200:230] = ink[150:180, 120:230] = 1  # a 7 without its slant
    wanted = lesson.canvas.centred(ink)
    light = 1 - 0.6 * np.linspace(0, 1, 450)
    grey = {"chalk": 25 + 200 * ink, "grey": 225 - 200 * ink}.get(form, (225 - 200 * ink) * light)
    if form == "transparent":
        black = np.zeros((600, 450), "uint8")
        picture = Image.merge("RGBA", [Image.fromarray(x) for x in (black,) * 3 + (as_bytes(ink),)])
    else:
        picture = Image.fromarray(grey.astype("uint8"))
    exif, path = Image.Exif(), tmp_path / ("digit.jpg" if form == "a phone's" else "digit.png")
    if form == "a phone's":
        picture, exif[0x0112] = picture.transpose(Image.Transpose.ROTATE_90), 6
        picture = picture.resize((3000, 2250))
    picture.save(path, exif=exif)
    image = lesson.canvas.centred(lesson.canvas.image(str(path)))
    assert np.abs(image - wanted).mean() < 0.03


def as_bytes(ink: Any) -> Any:
    return (255 * ink).astype("uint8")


@pytest.mark.parametrize("model", [None, 3, "NaN"])
def test_no_network_no_square(lesson: Any, capsys: pytest.CaptureFixture[str], model: Any) -> None:
    if model == "NaN":
        lesson.model.set_weights([np.full_like(w, np.nan) for w in lesson.model.get_weights()])
    else:
        lesson.all["model"] = model
    lesson.canvas.show()
    lesson.canvas.read("#\n#")
    assert "Nothing to draw on" in capsys.readouterr().out
