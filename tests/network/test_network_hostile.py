"""Exports that no honest notebook writes: none may crash, stall or mislead the grader."""

from __future__ import annotations

import copy
import json
import os
import pickle
import socket
import struct
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers as kl

from autograder.core.errors import OutputTooLarge, SubmissionError, UnverifiableModel
from autograder.network.export import MAX_DESCRIPTION_BYTES, read_export
from autograder.network.rebuild import rebuild
from autograder.sandbox.inside.export import export_network
from tests.network.network_harness import FUZZ, MAX_BYTES


def measure(folder: Path) -> Any:
    """All that the grader does with an export."""
    network = rebuild(read_export(folder, max_bytes=MAX_BYTES))
    return network.predict(np.zeros((3, *network.input_shape), np.float32))


def functional() -> Any:
    source = keras.Input((6, 6, 1))
    x = kl.Conv2D(2, 3, padding="same")(kl.Rescaling(1 / 255)(source))
    x = kl.Concatenate()([kl.BatchNormalization()(x), source])
    x = kl.MaxPooling2D()(kl.ReLU(max_value=3.0)(x + x))
    inner = keras.Sequential([keras.Input((27,)), kl.Dense(3, activation="relu")])
    x = inner(kl.Flatten()(x))
    return keras.Model(source, kl.Dense(10, activation="softmax")(x))


def sequential() -> Any:
    return keras.Sequential(
        [
            keras.Input((4, 4)),
            kl.Normalization(),
            kl.Reshape((4, 4, 1)),
            kl.SeparableConv2D(2, 2, activation="relu"),
            kl.AveragePooling2D(2, padding="same"),
            kl.LayerNormalization(axis=[1, 2]),
            kl.Permute((3, 1, 2)),
            kl.Flatten(),
            kl.Softmax(),
            kl.Dense(10, activation="softmax"),
        ]
    )


def saved(model: Any) -> Any:
    """The two files of an export, with names that do not depend on earlier tests."""
    with tempfile.TemporaryDirectory() as folder:
        export_network(model, folder, chosen_by="the test's model")
        where = Path(folder)
        text, weights = (where / "network.json").read_text(), (where / "weights.bin").read_bytes()
    # Keras numbers layers of a kind within a process: conv2d, conv2d_1, conv2d_2.
    for item in sorted(json.loads(text)["network"]["config"]["layers"], key=number, reverse=True):
        name = item["config"]["name"]
        plain = name.rstrip("0123456789").rstrip("_") if number(item) else name
        text = text.replace(f'"{name}"', f'"{plain}"')
    return json.loads(text), weights


def number(item: Any) -> Any:
    digits = item["config"]["name"].rpartition("_")[2]
    return int(digits) if digits.isdigit() else 0


@pytest.fixture(scope="module")
def functional_files() -> Any:
    return saved(functional())


@pytest.fixture(scope="module")
def sequential_files() -> Any:
    return saved(sequential())


@pytest.fixture
def folder(tmp_path: Path, sequential_files: Any) -> Any:
    """A valid export, for a test to spoil."""
    write(tmp_path, *sequential_files)
    measure(tmp_path)
    return tmp_path


def write(folder: Path, description: Any, weights: Any) -> None:
    (folder / "network.json").write_text(json.dumps(description))
    (folder / "weights.bin").write_bytes(weights)


def refused(folder: Path, kind: Any = UnverifiableModel) -> Any:
    with pytest.raises(kind) as caught:
        measure(folder)
    text = str(caught.value)
    assert len(text) < 1000
    assert text.isprintable()
    return text


# --- the files -------------------------------------------------------------------------------


def test_nothing_was_saved(tmp_path: Path) -> None:
    assert "No network was saved" in refused(tmp_path)
    assert "No network was saved" in refused(tmp_path / "missing")


def replaced_by(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """Take a file away, and put something else there."""

    def replace(path: Path) -> None:
        path.unlink()
        change(path)

    return replace


def moved_aside(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def archived(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # a socket's path must be short


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "No network was saved"),
    "pipe": (replaced_by(os.mkfifo), "plain file"),
    "symbolic link": (moved_aside, "opened"),
    "link to a device": (replaced_by(lambda path: path.symlink_to("/dev/zero")), "opened"),
    "hard link": (lambda path: os.link(path, path.with_name("second")), "plain file"),
    "folder": (replaced_by(Path.mkdir), "plain file"),
    "socket": (replaced_by(listening), ""),
    "empty": (lambda path: path.write_bytes(b""), ""),
    "archive": (archived, ""),
}


@pytest.mark.parametrize("name", ["network.json", "weights.bin"])
@pytest.mark.parametrize(("change", "said"), FILES.values(), ids=FILES)
def test_a_file_that_is_something_else(
    folder: Path,
    name: str,
    change: Callable[[Path], object],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    change(folder / name)
    assert said in refused(folder)


@pytest.mark.parametrize("name", ["network.json", "weights.bin"])
def test_a_pickle_is_not_loaded(folder: Path, name: str) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {folder}/exploded",)

    (folder / name).write_bytes(pickle.dumps(Bomb()))
    refused(folder)
    np.save(folder / "bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    (folder / name).write_bytes((folder / "bomb.npy").read_bytes())
    refused(folder)
    assert not (folder / "exploded").exists()


@pytest.mark.parametrize("name", ["network.json", "weights.bin"])
def test_a_file_that_is_too_large_is_not_read(folder: Path, name: str) -> None:
    with (folder / name).open("r+b") as file:
        file.truncate(1 << 36)  # sparse: reading it would take all memory
    refused(folder, OutputTooLarge)


def test_folder_that_is_a_link(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    refused(tmp_path / "link")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(folder: Path) -> None:
    (folder / "network.json").chmod(0)
    refused(folder)


def test_size_limits_are_exact(folder: Path) -> None:
    weights = (folder / "weights.bin").stat().st_size
    read_export(folder, max_bytes=weights)
    with pytest.raises(OutputTooLarge):
        read_export(folder, max_bytes=weights - 1)
    description = (folder / "network.json").read_bytes()
    (folder / "network.json").write_bytes(description.ljust(MAX_DESCRIPTION_BYTES))
    measure(folder)
    (folder / "network.json").write_bytes(description.ljust(MAX_DESCRIPTION_BYTES + 1))
    refused(folder, OutputTooLarge)


@pytest.mark.parametrize("change", [-4, -1, 1, 4])
def test_weights_of_another_length(folder: Path, change: Any) -> None:
    weights = (folder / "weights.bin").read_bytes()
    changed = weights[:change] if change < 0 else weights + b"\0" * change
    (folder / "weights.bin").write_bytes(changed)
    refused(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_number(folder: Path, sequential_files: Any, value: Any) -> None:
    description, weights = sequential_files
    place = description["arrays"][-1]["offset"]
    content = bytearray(weights)
    content[place : place + 4] = struct.pack("<f", value)
    (folder / "weights.bin").write_bytes(content)
    text = refused(folder)
    assert "infinite or not a number" in text
    assert "learning rate" in text


TEXTS: dict[str, str | bytes] = {
    "list": "[]",
    "null": "null",
    "number": "1e999",
    "deep-list": "[" * 100_000,
    "deep-object": '{"a":' * 100_000,
    "deep-config": (
        '{"format":1,"kind":"network","chosen_by":"","keras_version":"","compile":null,'
        '"history":null,"arrays":[],"network":{"module":"keras","registered_name":null,'
        '"class_name":"Sequential","config":' + '{"layers":[' * 50_000 + "]}" * 50_000 + "}}"
    ),
    "not-utf-8": b'{"format":1,"kind":"\xff\xfe"}',
    "half-a-pair": '{"format":1,"kind":"failure","reason":"failed","detail":"\\ud800"}',
    "unknown-kind": '{"format":1,"kind":"other"}',
    "long-number": '{"format":' + "9" * 100_000 + "}",
    "same-key-twice": '{"format":1,"format":1,"kind":"failure"}',
}


@pytest.mark.parametrize("name", TEXTS)
def test_description_that_is_something_else(folder: Path, name: Any) -> None:
    text = TEXTS[name]
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "network.json").write_bytes(content)
    refused(folder)


# --- the description -------------------------------------------------------------------------

HUGE = 10**400


def at(path: Any, value: Any) -> Any:
    """A change that puts `value` at a place in the description, or removes it with ``...``."""

    def change(description: Any) -> None:
        *way, last = path
        node = description
        for key in way:
            node = node[key]
        if value is ...:
            del node[last]
        else:
            node[last] = value

    return change


def layer(index: Any, *path: Any) -> Any:
    return ("network", "config", "layers", index, *path)


CHANGES = {
    "format": at(["format"], 2),
    "unknown-field": at(["extra"], 1),
    "class": at(["network", "class_name"], "Dense"),
    "own-class": at(["network", "registered_name"], "Own>Sequential"),
    "module-os": at(["network", "module"], "os"),
    "module-kerasx": at(["network", "module"], "kerasx"),
    "no-layers": at(["network", "config", "layers"], []),
    "layers-no-list": at(["network", "config", "layers"], {"a": 1}),
    "layer-no-object": at(layer(1), 7),
    "layer-no-name": at(layer(1, "config", "name"), ...),
    "layer-name-list": at(layer(1, "config", "name"), ["a"]),
    "layer-name-twice": at(layer(2, "config", "name"), "normalization"),
    "layer-name-slash": at(layer(2, "config", "name"), "a/b"),
    "layer-kind-list": at(layer(1, "class_name"), ["Dense"]),
    "layer-removed": at(layer(3), ...),
    "batch-shape": at(layer(0, "config", "batch_shape"), None),
    "batch-shape-empty": at(layer(0, "config", "batch_shape"), []),
    "batch-shape-huge": at(layer(0, "config", "batch_shape"), [None, HUGE, HUGE]),
    "batch-shape-zero": at(layer(0, "config", "batch_shape"), [None, 0, 4]),
    "batch-shape-negative": at(layer(0, "config", "batch_shape"), [None, -4, -4]),
    "batch-shape-text": at(layer(0, "config", "batch_shape"), [None, "4", "4"]),
    "reshape-huge": at(layer(2, "config", "target_shape"), [HUGE, 1]),
    "reshape-negative": at(layer(2, "config", "target_shape"), [-4, -4]),
    "reshape-two-open": at(layer(2, "config", "target_shape"), [-1, -1]),
    "reshape-float": at(layer(2, "config", "target_shape"), [4.0, 4.0]),
    "filters-huge": at(layer(3, "config", "filters"), 10**9),
    "filters-negative": at(layer(3, "config", "filters"), -2),
    "filters-text": at(layer(3, "config", "filters"), "2"),
    "filters-true": at(layer(3, "config", "filters"), True),
    "kernel-huge": at(layer(3, "config", "kernel_size"), [10**9, 10**9]),
    "kernel-zero": at(layer(3, "config", "kernel_size"), [0, 0]),
    "strides-zero": at(layer(3, "config", "strides"), 0),
    "dilation-huge": at(layer(3, "config", "dilation_rate"), [1 << 31, 1]),
    "activation-number": at(layer(3, "config", "activation"), 3),
    "activation-list": at(layer(3, "config", "activation"), ["relu"]),
    "activation-object": at(layer(3, "config", "activation"), {"class_name": ["ReLU"]}),
    "activation-eval": at(layer(3, "config", "activation"), "__import__('os')"),
    "padding-causal": at(layer(3, "config", "padding"), "causal"),
    "padding-list": at(layer(3, "config", "padding"), ["same"]),
    "pool-huge": at(layer(4, "config", "pool_size"), [1 << 31, 1 << 31]),
    "pool-large": at(layer(4, "config", "pool_size"), [2000, 2000]),
    "axis-batch": at(layer(5, "config", "axis"), 0),
    "axis-far": at(layer(5, "config", "axis"), [7]),
    "axis-twice": at(layer(5, "config", "axis"), [1, -3]),
    "epsilon-text": at(layer(5, "config", "epsilon"), "nan"),
    "epsilon-huge": at(layer(5, "config", "epsilon"), HUGE),
    "dims-far": at(layer(6, "config", "dims"), [1, 2, 9]),
    "dims-short": at(layer(6, "config", "dims"), [1]),
    "softmax-none": at(layer(8, "config", "axis"), None),
    "units": at(layer(9, "config", "units"), 11),
    "bias": at(layer(9, "config", "use_bias"), False),
    "bias-number": at(layer(9, "config", "use_bias"), 1),
    "module": at(layer(9, "module"), "builtins"),
    "registered": at(layer(9, "registered_name"), "Own>Dense"),
    "array-missing": at(["arrays", 0], ...),
    "array-shape": at(["arrays", -1, "shape"], [5, 2]),
    "array-shape-huge": at(["arrays", -1, "shape"], [1 << 31] * 8),
    "array-shape-zero": at(["arrays", -1, "shape"], [0]),
    "array-shape-negative": at(["arrays", -1, "shape"], [-10]),
    "array-dtype": at(["arrays", -1, "dtype"], "object"),
    "array-dtype-wider": at(["arrays", -1, "dtype"], "float64"),
    "array-offset": at(["arrays", -1, "offset"], 4),
    "array-offset-first": at(["arrays", -1, "offset"], 0),
    "array-offset-far": at(["arrays", -1, "offset"], 1 << 40),
    "array-offset-negative": at(["arrays", -1, "offset"], -4),
    "array-index": at(["arrays", -1, "index"], 5),
    "array-layer": at(["arrays", -1, "layer"], ["elsewhere"]),
    "array-layer-empty": at(["arrays", -1, "layer"], []),
    "array-layer-deep": at(["arrays", -1, "layer"], ["a"] * 1000),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_description(folder: Path, sequential_files: Any, name: Any) -> None:
    description, weights = copy.deepcopy(sequential_files[0]), sequential_files[1]
    CHANGES[name](description)
    write(folder, description, weights)
    started = time.process_time()
    refused(folder)
    assert time.process_time() - started < 5


def test_arrays_may_not_overlap_to_save_parameters(folder: Path, sequential_files: Any) -> None:
    """A weight may be another one as a whole, and counts once; it may not be a part of one."""
    description, weights = copy.deepcopy(sequential_files[0]), sequential_files[1]
    bias = description["arrays"][-1]
    weights = weights[: bias["offset"]]
    kernel = description["arrays"][-2]
    bias["offset"] = kernel["offset"]
    write(folder, description, weights)
    assert "overlap" in refused(folder)
    bias["offset"] = kernel["offset"] + 4
    write(folder, description, weights)
    assert "overlap" in refused(folder)


@pytest.mark.parametrize(
    ("path", "index", "words"), [(["elsewhere"], 0, "'elsewhere'"), (["dense"], 2, "3 arrays")]
)
def test_array_that_no_layer_has(
    folder: Path, sequential_files: Any, path: Any, index: Any, words: Any
) -> None:
    description, weights = copy.deepcopy(sequential_files[0]), sequential_files[1]
    extra = {**description["arrays"][-1], "layer": path, "index": index, "offset": len(weights)}
    description["arrays"].append(extra)
    write(folder, description, weights + bytes(extra["bytes"]))
    assert words in refused(folder)


def test_one_array_under_two_names_counts_once(tmp_path: Path) -> None:
    twins = [kl.Dense(4, use_bias=False, name=name) for name in ("a", "b")]
    description, weights = saved(keras.Sequential([keras.Input((4,)), *twins]))
    description["arrays"][1]["offset"] = 0
    write(tmp_path, description, weights[:64])
    assert rebuild(read_export(tmp_path, max_bytes=MAX_BYTES)).parameters == 16


def node(index: Any, *path: Any) -> Any:
    return layer(index, "inbound_nodes", *path)


def reference(name: Any, call: Any = 0, output: Any = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, output]}}


GRAPHS = {
    "circle": at(node(2, 0, "args"), [reference("flatten")]),
    "itself": at(node(2, 0, "args"), [reference("conv2d")]),
    "unknown": at(node(2, 0, "args"), [reference("nobody")]),
    "unknown-call": at(node(2, 0, "args"), [reference("rescaling", 5)]),
    "unknown-output": at(node(2, 0, "args"), [reference("rescaling", 0, 1)]),
    "unhashable": at(node(2, 0, "args"), [reference(["rescaling"])]),
    "no-arguments": at(node(2, 0, "args"), []),
    "no-nodes": at(node(2), []),
    "nodes-missing": at(node(2), ...),
    "nodes-object": at(node(2), {"a": 1}),
    "number": at(node(2, 0, "args"), [3]),
    "history-missing": at(node(2, 0, "args"), [{"config": {}}]),
    "keyword": at(node(2, 0, "kwargs"), {"mask": 1}),
    "too-many": at(node(4, 0, "args"), [[reference("input_layer")] * 1000]),
    "input": at(["network", "config", "input_layers"], ["nobody", 0, 0]),
    "input-missing": at(["network", "config", "input_layers"], ...),
    "input-layer": at(["network", "config", "input_layers"], ["conv2d", 0, 0]),
    "output": at(["network", "config", "output_layers"], ["nobody", 0, 0]),
    "output-null": at(["network", "config", "output_layers"], None),
    "outputs-none": at(["network", "config", "output_layers"], []),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_changed_graph(tmp_path: Path, functional_files: Any, name: Any) -> None:
    description, weights = copy.deepcopy(functional_files[0]), functional_files[1]
    write(tmp_path, description, weights)
    measure(tmp_path)
    GRAPHS[name](description)
    write(tmp_path, description, weights)
    refused(tmp_path)


def test_networks_within_networks_do_not_multiply(tmp_path: Path) -> None:
    """Each calls the one within it ten times: a small description of 10^15 calls."""

    def network(depth: Any) -> dict[str, Any]:
        name = f"n{depth}"
        calls = [{"args": [reference("i")], "kwargs": {}}] * 10
        inner = [{**network(depth - 1), "inbound_nodes": calls}] if depth else []
        start: dict[str, Any] = {
            "module": "keras.layers",
            "class_name": "InputLayer",
            "name": "i",
            "config": {"name": "i", "batch_shape": [None, 4]},
            "registered_name": None,
            "inbound_nodes": [],
        }
        end = [f"n{depth - 1}", 9, 0] if depth else ["i", 0, 0]
        config = {
            "name": name,
            "layers": [start, *inner],
            "input_layers": ["i", 0, 0],
            "output_layers": end,
        }
        return {
            "module": "keras.src.models.functional",
            "class_name": "Functional",
            "registered_name": "Functional",
            "config": config,
        }

    description = {"format": 1, "kind": "network", "chosen_by": "", "keras_version": ""}
    description |= {"compile": None, "history": None, "arrays": []}
    for depth in (15, 40):
        write(tmp_path, {**description, "network": network(depth)}, b"")
        started = time.process_time()
        refused(tmp_path)
        assert time.process_time() - started < 5


# --- at random -------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([-1, 0, 1, 2, 1 << 31, 1 << 64, HUGE, 1e308, "relu", "same", "Dense"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def nodes(value: Any, path: Any = ()) -> Iterator[Any]:
    """Every place in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items if isinstance(value, (dict, list)) else ():
        if isinstance(item, (dict, list)):
            yield from nodes(item, (*path, key))
        else:
            yield (*path, key)


def only_refused(folder: Path) -> None:
    """Whether the export is refused; anything else than a refusal is an error."""
    try:
        measure(folder)
    except SubmissionError as error:
        assert str(error).isprintable()


@FUZZ
@given(name=st.sampled_from(["network.json", "weights.bin"]), content=st.binary(max_size=200))
def test_random_bytes(
    tmp_path_factory: Any, sequential_files: Any, name: Any, content: Any
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    write(folder, *sequential_files)
    (folder / name).write_bytes(content)
    only_refused(folder)


@FUZZ
@given(config=JSON)
def test_random_configuration(tmp_path_factory: Any, sequential_files: Any, config: Any) -> None:
    folder = tmp_path_factory.mktemp("config")
    description = copy.deepcopy(sequential_files[0])
    description["network"]["config"] = config
    write(folder, description, sequential_files[1])
    only_refused(folder)


@FUZZ
@given(data=st.data())
@pytest.mark.parametrize("which", ["functional_files", "sequential_files"])
def test_mutated_exports(tmp_path_factory: Any, request: Any, which: Any, data: Any) -> None:
    description, weights = copy.deepcopy(request.getfixturevalue(which))
    for _ in range(data.draw(st.integers(1, 3))):
        places = [place for place in nodes(description) if place]
        place = data.draw(st.sampled_from(places))
        other = data.draw(st.sampled_from(places))
        at(place, data.draw(JSON | st.just(...) | st.just(find(description, other))))(description)
    if data.draw(st.integers(0, 9)) == 0:
        cut = data.draw(st.integers(0, len(weights)))
        weights = weights[:cut] + data.draw(st.binary(max_size=64))
    folder = tmp_path_factory.mktemp("mutated")
    write(folder, description, weights)
    only_refused(folder)


def find(description: Any, path: Any) -> Any:
    value = description
    for key in path:
        value = value[key]
    return copy.deepcopy(value)
