"""The notebooks that are compared are the course's, the floor learns, and the whole thing runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks import notebooks
from benchmarks.floor import CLASSES, Network
from benchmarks.measuring import BenchmarkError
from benchmarks.notebooks import LOAD, change, with_data, with_training
from benchmarks.results import Results, Row
from benchmarks.speed import REFERENCE, STARTER

RUN_SECONDS = 900


def code(notebook: Any) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", [REFERENCE, STARTER])
def test_only_the_training_and_the_data_are_changed(root: Path, path: str) -> None:
    original = code(notebooks.read(root / path))
    made = with_data(with_training(root / path, "epochs=1"), Path("/d/mnist.npz"))
    changed = code(made).splitlines()
    assert not any(LOAD in line for line in changed)
    left = set(changed) - set(original.splitlines())
    assert left == {
        "    epochs=1,",
        "    (x_train, y_train), (x_test, y_test) = [",
        '        (digits[f"x_{part}"], digits[f"y_{part}"])',
        "        for digits in [np.load('/d/mnist.npz')]",
        '        for part in ("train", "test")',
    }
    for cell in made.cells:
        if cell.cell_type == "code":
            compile(cell.source, "cell", "exec")


def test_no_two_of_a_class_are_alike(root: Path) -> None:
    one, other = (with_training(root / REFERENCE, seed_shift=shift) for shift in (1, 2))
    assert code(one) != code(other)


def test_what_is_not_there_once_is_not_changed(root: Path) -> None:
    with pytest.raises(BenchmarkError, match="not once"):
        change(notebooks.read(root / REFERENCE), "import", "export")
    with pytest.raises(BenchmarkError, match="not once"):
        change(notebooks.read(root / REFERENCE), "no such words", "")


def test_the_floor_follows_the_slope_of_the_loss() -> None:
    generator = np.random.default_rng(1)
    network = Network(20, generator)
    images = generator.random((8, 20), dtype=np.float32)
    labels = generator.integers(0, CLASSES, 8).astype(np.uint8)

    def loss() -> float:
        scores = network.hidden(images) @ network.layers[2] + network.layers[3]
        scores = scores.astype(np.float64)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return -float(scores[np.arange(len(labels)), labels].mean())

    weights = network.weights.copy()
    network.train(images, labels)
    slopes = network.gradients.copy()
    expected = np.zeros(len(weights))
    for place in range(len(weights)):
        for sign in (1, -1):
            network.weights[:] = weights
            network.weights[place] += sign * 1e-2
            expected[place] += sign * loss() / 2e-2
    assert np.abs(slopes - expected).max() < 0.02 * np.abs(expected).max()


def measured_quickly(root: Path, folder: Path, part: str) -> dict[str, Row]:
    """One part alone, as its program measures it and writes it down: its rows by their names."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "-o", str(folder), "--only", part],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = msgspec.json.decode((folder / "performance.json").read_bytes(), type=Results)
    assert [each.name for each in found.parts] == [part]
    return {row.what: row for row in found.parts[0].rows}


def goals(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if row.goal is not None}


@pytest.mark.timeout(RUN_SECONDS)
def test_a_quick_run_measures_and_writes(root: Path, tmp_path: Path) -> None:
    accuracy = measured_quickly(root, tmp_path, "floor")["accuracy reached"].value
    assert accuracy is not None and 88 < accuracy.median < 100
    assert "| accuracy reached |" in (tmp_path / "performance.md").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.timeout(RUN_SECONDS)
def test_starting_is_compared_with_an_import(root: Path, tmp_path: Path) -> None:
    rows = measured_quickly(root, tmp_path, "starting")
    assert goals(rows) == {"m5 --help", "the same less the import"}
    assert (tmp_path / "performance.svg").exists()


@pytest.mark.long
@pytest.mark.timeout(RUN_SECONDS)
def test_three_programs_run_one_notebook(root: Path, tmp_path: Path) -> None:
    rows = measured_quickly(root, tmp_path, "one_notebook")
    assert rows["m5 grade and jupyter execute printed the same accuracies"].text == "yes"
    for name in ("m5 grade", "jupyter execute", "otter run"):
        value = rows[f"{name}, processor time"].value
        # TensorFlow's import alone takes more, so the kernels were counted.
        assert value is not None and value.median > 2
    assert goals(rows) == {"m5 grade in units of jupyter execute", "m5 grade in units of otter run"}
