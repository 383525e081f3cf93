"""What the tests of the Gradescope side share: an unpacked bundle, reports, a container."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from autograder.release.bundle import bundle_files, pack
from autograder.reports.results_json import schema

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = Path(__file__).with_name("container.py")
RUN_SECONDS = 700.0

GOOD_NETWORK = """
import keras
from keras import layers
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, x_test = x_train.astype("float32") / 255, x_test.astype("float32") / 255
model = keras.Sequential([
    keras.Input((28, 28)), layers.Flatten(),
    layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy",
              metrics=["accuracy"], steps_per_execution=50)
model.fit(x_train, y_train, batch_size=128, epochs=2, verbose=0)
"""
"""Passes accuracy and budget after some seconds."""


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the repository as it is."""
    path = tmp_path_factory.mktemp("bundle") / "autograder.zip"
    path.write_bytes(pack(bundle_files(ROOT)))
    return path


@dataclass(frozen=True)
class Autograder:
    """A folder like Gradescope's ``/autograder``."""

    root: Path

    @property
    def submission(self) -> Path:
        return self.root / "submission"

    @property
    def results_path(self) -> Path:
        return self.root / "results" / "results.json"

    @property
    def results(self) -> dict[str, Any]:
        """What Gradescope would read; valid, or the test fails here."""
        content: dict[str, Any] = json.loads(self.results_path.read_text())
        jsonschema.validate(content, schema())
        return content


@pytest.fixture
def autograder(bundle: Path, tmp_path: Path) -> Autograder:
    """Unpacked as Gradescope does it, with nothing submitted."""
    root = tmp_path / "autograder"
    (root / "submission").mkdir(parents=True)
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(root / "source")
    (root / "run_autograder").write_bytes((root / "source/run_autograder").read_bytes())
    (root / "run_autograder").chmod(0o755)
    return Autograder(root)


InContainer = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def in_container() -> InContainer:
    """Runs run_autograder in a container; skips where none can be made."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can make a container of the test's own")

    def run(
        autograder: Autograder, *options: str, command: tuple[str, ...] = ("./run_autograder",)
    ) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, str(CONTAINER), "--autograder", str(autograder.root)]
        line += ["--environment", sys.prefix, *options, "--", *command]
        done = subprocess.run(line, capture_output=True, text=True, timeout=RUN_SECONDS)
        if done.returncode == 125:
            pytest.skip(f"no container can be made here: {done.stderr.strip()}")
        return done

    return run
