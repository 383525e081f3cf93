"""Settings of recurrent layers, resizing and operations that no honest network has."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers as kl

from autograder.core.errors import UnverifiableModel
from autograder.network.export import read_export
from autograder.network.rebuild import count_parameters, rebuild
from autograder.sandbox.inside.export import export_network
from tests.network.network_harness import MAX_BYTES

HUGE = 10**400


def sequence(layer: Any) -> Any:
    return lambda: keras.Sequential([keras.Input((4, 6)), layer(), kl.Flatten(), kl.Dense(10)])


def image(layer: Any) -> Any:
    return lambda: keras.Sequential([keras.Input((6, 6, 1)), layer(), kl.Flatten(), kl.Dense(10)])


def operation(function: Any) -> Any:
    def build() -> Any:
        source = keras.Input((4, 6))
        return keras.Model(source, kl.Dense(10)(kl.Flatten()(function(source))))

    return build


BUILDERS = {
    "lstm": sequence(lambda: kl.LSTM(3)),
    "gru": sequence(lambda: kl.GRU(3)),
    "both": sequence(lambda: kl.Bidirectional(kl.LSTM(3))),
    "each": sequence(lambda: kl.TimeDistributed(kl.Dense(3))),
    "conv": sequence(lambda: kl.Conv1D(3, 2)),
    "resizing": image(lambda: kl.Resizing(3, 3)),
    "crop": image(lambda: kl.CenterCrop(3, 3)),
    "larger": image(lambda: kl.UpSampling2D()),
    "groups": image(lambda: kl.GroupNormalization(1)),
    "item": operation(lambda x: x[:, 1:3]),
    "pad": operation(lambda x: keras.ops.pad(x, ((0, 0), (1, 1), (0, 0)), constant_values=1)),
    "mean": operation(lambda x: keras.ops.mean(x, axis=1, keepdims=True)),
    "expand": operation(lambda x: keras.ops.expand_dims(x, 1)),
    "transpose": operation(lambda x: keras.ops.transpose(x, (0, 2, 1))),
    "clip": operation(lambda x: keras.ops.clip(x, 0, 1)),
    "add": operation(lambda x: x + 1),
    "stack": operation(lambda x: keras.ops.stack([x, x], axis=1)),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: Any) -> Any:
    """Description and weights of each, and that they are accepted as they are."""
    made = {}
    for name, build in BUILDERS.items():
        folder = tmp_path_factory.mktemp(name)
        model = build()
        export_network(model, folder, chosen_by="the test's model")
        network = rebuild(read_export(folder, max_bytes=MAX_BYTES))
        assert network.parameters == model.count_params()
        description = json.loads((folder / "network.json").read_text())
        made[name] = description, (folder / "weights.bin").read_bytes()
    return made


def slices(start: Any = None, stop: Any = None, step: Any = None) -> dict[str, Any]:
    return {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}}


def array(values: Any) -> dict[str, Any]:
    return {"class_name": "__numpy__", "config": {"value": values, "dtype": "float32"}}


SETTINGS = [
    ("lstm", ["units"], 10**9),
    ("lstm", ["units"], -1),
    ("lstm", ["recurrent_activation"], "glu"),
    ("lstm", ["activation"], "unknown"),
    ("lstm", ["stateful"], True),
    ("lstm", ["use_bias"], False),
    ("gru", ["reset_after"], False),
    ("gru", ["reset_after"], 1),
    ("both", ["merge_mode"], None),
    ("both", ["merge_mode"], ["concat"]),
    ("both", ["layer"], None),
    ("both", ["layer", "class_name"], "Dense"),
    ("both", ["layer", "module"], "os"),
    ("both", ["backward_layer", "config", "units"], 4),
    ("both", ["backward_layer", "config", "return_sequences"], True),
    ("each", ["layer", "class_name"], "TimeDistributed"),
    ("each", ["layer", "registered_name"], "Own>Dense"),
    ("each", ["layer", "config", "units"], HUGE),
    ("conv", ["kernel_size"], [2, 2, 2]),
    ("conv", ["padding"], "reflect"),
    ("conv", ["strides"], [0]),
    ("resizing", ["height"], 10**9),
    ("resizing", ["width"], HUGE),
    ("resizing", ["height"], 0),
    ("resizing", ["interpolation"], ["bilinear"]),
    ("crop", ["height"], 1 << 30),
    ("crop", ["width"], 0.5),
    ("larger", ["size"], [1 << 30, 1 << 30]),
    ("larger", ["size"], [2, 0]),
    ("larger", ["interpolation"], "area"),
    ("groups", ["groups"], 2),
    ("groups", ["groups"], 0),
    ("groups", ["groups"], -2),
    ("groups", ["axis"], 0),
    ("groups", ["axis"], [1, 2]),
    ("groups", ["scale"], False),
    ("groups", ["epsilon"], None),
    ("pad", ["pad_width"], [[0, 0], [1 << 30, 0], [0, 0]]),
    ("pad", ["pad_width"], [[1, 0], [1, 0], [0, 0]]),
    ("pad", ["pad_width"], [[0, 0], [-1, 0], [0, 0]]),
    ("pad", ["pad_width"], 1),
    ("pad", ["mode"], "reflect"),
    ("mean", ["axis"], 0),
    ("mean", ["axis"], None),
    ("mean", ["axis"], [1, 1]),
    ("mean", ["axis"], HUGE),
    ("expand", ["axis"], 0),
    ("expand", ["axis"], 9),
    ("transpose", ["axes"], [1, 0, 2]),
    ("transpose", ["axes"], [0, 1, 1]),
    ("transpose", ["axes"], None),
    ("clip", ["x_min"], [0.0] * 24),
    ("clip", ["x_max"], None),
    ("stack", ["axis"], 0),
]


@pytest.mark.parametrize(("name", "path", "value"), SETTINGS)
def test_setting_is_refused(tmp_path: Path, saved: Any, name: Any, path: Any, value: Any) -> None:
    description, weights = copy.deepcopy(saved[name][0]), saved[name][1]
    node = description["network"]["config"]["layers"][1]["config"]
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    refused(tmp_path, description, weights)


CALLS = [
    ("item", [..., [slices(0, 5), slices()]]),
    ("item", [..., [1]]),
    ("item", [..., [None, slices()]]),
    ("item", [..., [slices(), 99]]),
    ("item", [..., [slices(), slices(3, 3)]]),
    ("item", [..., [slices(), slices("a")]]),
    ("item", [..., [slices(), slices(None, None, 0)]]),
    ("item", [..., [slices(), HUGE]]),
    ("item", [..., [slices()] * 1000]),
    ("item", [..., []]),
    ("item", [..., array([[0, 1]])]),
    ("item", [...]),
    ("add", [..., array([1.0] * 24)]),
    ("add", [..., array([1.0])]),
    ("add", [..., array("1")]),
    ("add", [..., HUGE]),
    ("add", [1, 1]),
    ("clip", [..., 1]),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_call_is_refused(tmp_path: Path, saved: Any, name: Any, arguments: Any) -> None:
    description, weights = copy.deepcopy(saved[name][0]), saved[name][1]
    call = description["network"]["config"]["layers"][1]["inbound_nodes"][0]
    call["args"] = [call["args"][0] if item is ... else item for item in arguments]
    refused(tmp_path, description, weights)


def refused(folder: Path, description: Any, weights: Any) -> None:
    (folder / "network.json").write_text(json.dumps(description))
    (folder / "weights.bin").write_bytes(weights)
    with pytest.raises(UnverifiableModel) as caught:
        rebuild(read_export(folder, max_bytes=MAX_BYTES))
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("weights", "../weights.bin"),
        ("weights", "retraced.bin"),
        ("weights", None),
        ("hindrance", "x" * 401),
        ("hindrance", 3),
        ("always_training", ["a"] * 1001),
        ("always_training", "a"),
    ],
)
def test_what_is_said_of_the_retracing(tmp_path: Path, saved: Any, key: Any, value: Any) -> None:
    description, weights = copy.deepcopy(saved["add"][0]), saved["add"][1]
    description[key] = value
    refused(tmp_path, description, weights)


def test_arrays_beside_the_graph_are_counted(tmp_path: Path, saved: Any) -> None:
    description, weights = copy.deepcopy(saved["add"][0]), saved["add"][1]
    for index in range(2):
        description["arrays"].append(
            {
                "layer": [""],
                "index": index,
                "name": "kernel",
                "trainable": True,
                "shape": [50, 3],
                "dtype": "float32",
                "bytes": 600,
                "offset": len(weights) + 600 * index,
            }
        )
    (tmp_path / "network.json").write_text(json.dumps(description))
    (tmp_path / "weights.bin").write_bytes(weights + bytes(1200))
    export = read_export(tmp_path, max_bytes=MAX_BYTES)
    assert rebuild(export).parameters == 24 * 10 + 10 + 300
    assert count_parameters(export) == 24 * 10 + 10 + 300
