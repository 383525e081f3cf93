"""How much a process holds after each step of an ordinary notebook, in bytes, as JSON.

``python -m benchmarks.footprint DIGITS`` runs the steps one after another in this process, outside
any box: TensorFlow, the digits, the reference network, one epoch. What counts is memory that cannot
be taken back when it gets short: not the pages of files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

MOST_OF_A_LINE = "digits as float32, while they are divided by 255"


def anonymous_bytes() -> int:
    """Memory of this process that is no page of a file."""
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "RssAnon":
            return int(rest.split()[0]) * 1024
    raise OSError("/proc/self/status names no RssAnon: this takes Linux 4.5 or later.")


def main(digits: Path) -> None:
    """Take the steps, and print what was held after each."""
    held = {"Python": anonymous_bytes()}

    def note(step: str) -> None:
        held[step] = anonymous_bytes()

    import numpy as np

    note("NumPy")
    import keras
    import tensorflow  # noqa: F401

    note("TensorFlow and Keras")
    with np.load(digits) as data:
        x_train, y_train = data["x_train"], data["y_train"]
        x_test, y_test = data["x_test"], data["y_test"]
    note("digits as bytes")
    whole = x_train.astype("float32")
    x_train = whole / 255
    note(MOST_OF_A_LINE)
    del whole
    x_test = x_test.astype("float32") / 255
    note("digits as float32")
    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    note("the network")
    model.fit(x_train, y_train, epochs=1, validation_data=(x_test, y_test), verbose=0)
    note("one epoch")
    print(json.dumps(held))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
