"""Does what asks a student to do something answer as it should, and keep still while graded?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers

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


def test_the_browser_gets_the_weights_of_dense_networks_alone(lesson: Any) -> None:
    found = lesson.canvas.dense_layers()
    kernel = np.frombuffer(lesson.base64.b64decode(found[0]["weights"]), "<i2") * found[0]["scale"]
    assert np.allclose(kernel, lesson.model.get_weights()[0].ravel(), atol=1e-5)
    lesson.all["model"] = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(10)]
    )
    assert lesson.canvas.dense_layers() is None


@pytest.mark.parametrize("model", [None, 3, "NaN"])
def test_no_network_no_square(lesson: Any, capsys: pytest.CaptureFixture[str], model: Any) -> None:
    if model == "NaN":
        lesson.model.set_weights([np.full_like(w, np.nan) for w in lesson.model.get_weights()])
    else:
        lesson.all["model"] = model
    lesson.canvas.show()
    lesson.canvas.read("#\n#")
    assert "Nothing to draw on" in capsys.readouterr().out
