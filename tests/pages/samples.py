"""A class made up by chance: executed notebooks, and a results folder.

The same number gives the same class. Nobody in it exists.
"""

from __future__ import annotations

import base64
import json
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import msgspec

from autograder.core.config import Config
from autograder.core.report import Report, Verdict
from tests.pages.sample_reports import UNGRADED, make_report


def make_notebook(number: int, pictures: int = 2, picture_side: int = 160) -> dict[str, Any]:
    """An executed notebook, as grading leaves one."""
    chance = random.Random(number)
    units, rate = chance.choice((32, 48, 64, 96, 128)), chance.choice(("0.001", "0.0005", "0.01"))
    training = "".join(
        f"Epoch {epoch}/6: accuracy {0.8 + epoch * 0.03:.4f}\n" for epoch in range(1, 7)
    )
    own = "\n".join(
        f"{chance.choice('abcdefgh')}_{i} = np.{chance.choice(('mean', 'sum', 'max', 'std'))}"
        f"(x_train[{chance.randrange(60_000)}], axis={chance.randrange(2)}) * {chance.random():.3f}"
        for i in range(chance.randrange(5, 20))
    )
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "source": "# Activity M5\n\nA *lesson* with $x_i$ and `code`."},
        _code("import keras\nfrom keras import layers\nimport numpy as np\n\n(x_train, y_train), "
              "(x_test, y_test) = keras.datasets.mnist.load_data()"),
        _code(f"model = keras.Sequential([\n    keras.Input((28, 28)),\n    layers.Flatten(),\n"
              f"    layers.Dense({units}, activation='relu'),\n"
              f"    layers.Dense(10, activation='softmax'),\n])\n"
              f"model.compile(keras.optimizers.Adam({rate}), 'sparse_categorical_crossentropy')",
              {"output_type": "stream", "name": "stdout", "text": training}),
        _code(own),
    ]  # fmt: skip
    for shown in range(pictures):
        picture = png(picture_side, picture_side, seed=number * 10 + shown)
        data = {"image/png": picture, "text/plain": "<Figure size 640x480 with 1 Axes>"}
        cells.append(_code("plt.show()", {"output_type": "display_data", "data": data}))
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def write_class(
    root: Path, config: Config, size: int, *, distinct_notebooks: int | None = None
) -> list[Report]:
    """Write a results folder of `size` submissions, without pages; the first ten have one verdict
    each."""
    notebooks: dict[int, str] = {}
    reports = []
    for number in range(size):
        verdict = list(Verdict)[number] if number < len(Verdict) else None
        report = make_report(number, config, verdict)
        notebook = number % distinct_notebooks if distinct_notebooks else number
        if notebook not in notebooks:
            notebooks[notebook] = json.dumps(make_notebook(notebook))
        executed = None if report.verdict in UNGRADED else notebooks[notebook]
        write_submission(root, report, executed)
        reports.append(report)
    return reports


def write_submission(root: Path, report: Report, executed: str | None) -> Path:
    """Write one submission as grading does."""
    folder = root / "submissions" / report.submission
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(msgspec.json.encode(report))
    if executed is not None:
        (folder / "executed.ipynb").write_text(executed, encoding="utf-8")
    return folder


def png(width: int, height: int, seed: int = 0, *, rows: int | None = None) -> str:
    """A grey picture of noise, in base64; its file may lack all but some rows."""
    noise = random.Random(seed)
    lines = height if rows is None else rows
    drawn = b"".join(b"\0" + noise.randbytes(width) for _ in range(lines))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(drawn, 1)),
        (b"IEND", b""),
    )
    chunks = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()


def _code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code", "source": source, "outputs": list(outputs), "execution_count": 1,
        "metadata": {},
    }  # fmt: skip
