"""The notebooks that are run, made from those that the course has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks.measuring import BenchmarkError

LOAD = "(x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()"
EPOCHS = re.compile(r"(?<=^ {4})epochs=\d+", re.MULTILINE)
SEED = re.compile(r"^keras\.utils\.set_random_seed\((\d+)\)", re.MULTILINE)
"""Both as the training cell has them: the lesson's experiments train too."""
READ = """\
(x_train, y_train), (x_test, y_test) = [
        (digits[f"x_{{part}}"], digits[f"y_{{part}}"])
        for digits in [np.load({path!r})]
        for part in ("train", "test")
    ]"""
TRIVIAL = "answer = 1"


def read(path: Path) -> Any:
    """A notebook from a file."""
    return nbformat.read(path, as_version=4)


def write(path: Path, notebook: Any) -> Path:
    """Save it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def change(notebook: Any, old: str | re.Pattern[str], new: str) -> Any:
    """Replace what occurs exactly once in the code, or say that it does not."""
    pattern = re.compile(re.escape(old)) if isinstance(old, str) else old
    found = [
        cell for cell in notebook.cells if cell.cell_type == "code" and pattern.search(cell.source)
    ]
    if len(found) != 1 or len(pattern.findall(found[0].source)) != 1:
        raise BenchmarkError(f"{pattern.pattern!r} is not once in the notebook's code.")
    found[0].source = pattern.sub(lambda _: new, found[0].source)
    return notebook


def with_training(path: Path, training: str | None = None, *, seed_shift: int = 0) -> Any:
    """A notebook with another ``epochs=...``, and with another seed, so that it is another's."""
    made = read(path)
    if training is not None:
        change(made, EPOCHS, training)
    if seed_shift:
        old = next(match for cell in made.cells for match in [SEED.search(cell.source)] if match)
        change(made, SEED, f"keras.utils.set_random_seed({int(old[1]) + seed_shift})")
    return made


def with_data(notebook: Any, data: Path) -> Any:
    """The same, for programs that do not hand the digits out: it reads them from a file."""
    return change(notebook, LOAD, READ.format(path=str(data)))


def trivial() -> Any:
    """A notebook that trains nothing."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return new_notebook(cells=[new_code_cell(TRIVIAL)], metadata=metadata)


def progress_lines(path: Path) -> list[str]:
    """What the training in an executed notebook printed after each epoch."""
    return [
        line
        for cell in read(path).cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
        for line in output.text.splitlines()
        if line.startswith("Epoch ")
    ]
