"""The notebooks that are recorded: small networks, honest and hostile, one of each kind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat

from benchmarks import architectures, preparations
from tests.attacks.attack_cases import read_notebook
from tests.notebooks import ANSWERS, cell_of, fix_network, notebook, released, train_little

ATTACKS = Path(__file__).resolve().parents[1] / "attacks"
OF_ATTACKS = (
    "weights_not_a_number",
    "custom_layer_hides_weights",
    "export_is_a_pickle",
    "markup_in_messages",
    "endless_sleep_after_training",
)
HEAD = """import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn import preprocessing as sk
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, y_train = x_train[:{images}], y_train[:{images}]
x_test, y_test = x_test[:300], y_test[:300]
{prepare}"""
"""Few test images, and at the end few training images: what networks are given is recorded."""
COMPILE = 'model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])'
LAST = "model.fit(x_train[:300], y_train[:300], verbose=0)"
FIT = f"{COMPILE}\nmodel.fit(x_train, y_train, epochs=2, verbose=0)\n{LAST}"
SMALL = "layers.Flatten()\nlayers.Dense(16, activation='relu')"
SCALED = "x_train, x_test = x_train / np.float32(255), x_test / np.float32(255)"
SEEN = """(_, _), (seen, digits) = keras.datasets.mnist.load_data()
seen = seen[:5000] / np.float32(255)
model.fit(seen, digits[:5000], epochs=30, batch_size=50, verbose=0)"""
SHORT_ANSWERS = ("", "It was bad.", ANSWERS[2])
CLAIMS = {
    "claim_flat_line": "x / 127.5 - 1",
    "claim_averaged": preparations.GEOMETRIES["averaged to 14"],
    "claim_standard_scaler": preparations.OVER_MANY["StandardScaler"],
}


def cases() -> dict[str, Any]:
    """Every notebook by the name of its submission."""
    made = {name: _attack(name) for name in OF_ATTACKS}
    made |= {name: _small(_lines(text), images=3000) for name, text in CLAIMS.items()}
    made |= _of_the_lesson() | _of_networks() | _of_claims() | _of_accidents()
    made["twin_of_passes"] = made["passes"]
    made["malformed"] = b'{"cells": [{"cell_type": "code", "source": 7}'
    return made


def _of_the_lesson() -> dict[str, Any]:
    passes = released(*ANSWERS)
    fix_network(passes, units=56)
    starter = released()
    train_little(starter)
    cell = cell_of(starter, "model")
    cell["source"] = re.sub(r"Dense\(1000", "Dense(60", cell["source"])
    return {"passes": passes, "starter_narrow": starter}


def _of_networks() -> dict[str, Any]:
    wide = (
        "x = layers.Flatten()(inputs)\n"
        "wide = layers.Dense(400, kernel_initializer='zeros', trainable=False)(x)\n"
        "x = layers.Concatenate()([layers.Dense(12, activation='relu')(x), wide])\n"
    )
    over = f"inputs = keras.Input((28, 28))\n{wide}"
    over += "model = keras.Model(inputs, layers.Dense(10, 'softmax')(x))"
    dead = "keras.initializers.Constant(-60)"
    dead = f"layers.Flatten()\nlayers.Dense(12, activation='relu', bias_initializer={dead})"
    return {
        "over_budget": _small(SCALED, network=over),
        "dead_units": _small(SCALED, network=dead),
        "saturated_units": _small("", network=SMALL.replace("relu", "sigmoid")),
        "convolutions": _small(
            SCALED, network=architectures.IMAGES["normalised convolutions"], images=2000
        ),
        "subclassed": _small(SCALED, network=architectures.OWN["subclassed, residual by hand"]),
        "overfitted": _small(SCALED, images=150, fit=FIT.replace("epochs=2", "epochs=60")),
        "twelve_digits": _small(SCALED, network="model = keras.Sequential([keras.Input((28, 28)), "
                              "layers.Flatten(), layers.Dense(12, 'softmax')])"),
    }  # fmt: skip


def _of_claims() -> dict[str, Any]:
    datasets = preparations.WITHOUT_ARRAYS["a dataset that prepares"]
    return {
        "claim_contradicted": _small(
            SCALED, images=3000, fit=f"{FIT}\nmodel.evaluate(1 - x_test, y_test, verbose=0)"
        ),
        "claim_missing": _small(datasets[0], fit=f"{COMPILE}\n{datasets[1]}", images=6000),
        "public_half_learned": _small(SCALED, fit=f"{FIT}\n{SEEN}", images=1000),
    }  # fmt: skip


def _of_accidents() -> dict[str, Any]:
    network = _network(SMALL)
    failing = "history = model.history.history\nprint(history['val_accuracy'])"
    return {
        "never_fitted": _small(SCALED, fit=COMPILE),
        "no_model": notebook(HEAD.format(images=100, prepare=SCALED), answers=SHORT_ANSWERS),
        "other_name": _small(SCALED, fit=f"{FIT}\nnetwork = model\ndel model"),
        "failing_cell": notebook(
            HEAD.format(images=2000, prepare=SCALED), network, FIT, failing, answers=SHORT_ANSWERS
        ),
        "kernel_died": notebook(
            HEAD.format(images=500, prepare=SCALED), network, FIT, "import os; os.abort()"
        ),
        "shows_much": notebook(
            HEAD.format(images=500, prepare=SCALED), network, FIT,
            "from IPython.display import HTML, Image, display\nimport matplotlib.pyplot as plt\n"
            "plt.imshow(x_train[0]); plt.show()\ndisplay(HTML('<b onclick=\"x()\">bold</b>'))\n"
            "print('\\x1b[31mred\\x1b[0m', 'a\\rb')\nmodel.count_params()",
        ),
    }  # fmt: skip


def _small(
    prepare: str, *, network: str = SMALL, fit: str = FIT, images: int = 500, answers: Any = ANSWERS
) -> Any:
    return notebook(
        HEAD.format(images=images, prepare=prepare), _network(network), fit, answers=answers
    )


def _lines(prepare: str) -> str:
    """The lines that prepare both sets, for an expression of `x`."""
    if "x_train" in prepare:
        return prepare
    return f"prepare = lambda x: {prepare}\nx_train, x_test = prepare(x_train), prepare(x_test)"


def _network(layers: str) -> str:
    if "model =" in layers:
        return layers
    listed = "".join(f"    {line},\n" for line in layers.strip().splitlines())
    return (
        "model = keras.Sequential([\n    keras.Input(x_train.shape[1:]),\n"
        f"{listed}    layers.Dense(10, activation='softmax'),\n])"
    )


def _attack(name: str) -> Any:
    return nbformat.from_dict(read_notebook((ATTACKS / name / "notebook.py").read_text()))
