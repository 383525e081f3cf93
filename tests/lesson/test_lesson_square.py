"""Does the square to draw in work in a real browser, and calculate as Keras does?"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import IPython.display
import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from tests.browser import OpenPage

BARS = "[role=status]"
SMALL = "() => document.querySelectorAll('canvas')[1].toDataURL()"


@pytest.mark.parametrize("units", [16, 200], ids=["two bytes a weight", "one byte a weight"])
def test_the_bars_are_what_the_network_says_of_the_digit_in_the_small_square(
    variables: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, open_page: OpenPage, units: int
) -> None:
    keras.utils.set_random_seed(1)
    variables["model"] = model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(units, "relu"),
            layers.Dense(10, "softmax"),
        ]
    )
    kernel, bias, last, _ = model.get_weights()
    kernel *= np.linspace(0.2, 2, units)  # each unit with a scale of its own
    model.set_weights([kernel, bias, 3 * last, np.linspace(-1, 1, 10)])
    variables["x_train"] = np.linspace(0, 1, 784, dtype="float32").reshape(1, 28, 28)
    shown: list[Any] = []
    monkeypatch.setattr(IPython.display, "display", shown.append)
    variables["canvas"].show()
    path = tmp_path / "square.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{shown[0].data}", encoding="utf-8")
    page = open_page(path.as_uri())

    def draw(*points: tuple[int, int]) -> np.ndarray:
        box = page.locator("canvas").first.bounding_box()
        assert box is not None
        for number, (x, y) in enumerate(points):
            page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
            page.mouse.down() if number == 0 else None
        page.mouse.up()
        seen = base64.b64decode(page.evaluate(SMALL).partition(",")[2])
        image = np.asarray(Image.open(io.BytesIO(seen)).convert("L"), "float32") / 255
        shares = 100 * model.predict(image[None], verbose=0)[0]
        bars = page.locator(BARS).inner_text().split("%")[:10]
        assert np.abs([int(bar.split()[-1]) for bar in bars] - shares).max() < 2.5
        return image

    rows, columns = np.nonzero(draw((20, 20), (90, 20), (50, 110)) > 0.5)
    assert np.ptp(rows) + 1 == 20, "a 7 in the corner, scaled as MNIST's digits are"
    page.locator("input").uncheck()
    page.get_by_text("Clear").click()
    rows, columns = np.nonzero(draw((20, 20), (90, 20), (50, 110)) > 0.5)
    assert rows.max() < 14 and columns.max() < 14, "left in its corner"
