"""Three ways to run the same notebook, each as a user would: from a shell."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks import notebooks
from benchmarks.bench import TIMEOUT_SECONDS, Bench, program
from benchmarks.measuring import BenchmarkError, Usage, measure

STOCK_TEST = """\
from otter.test_files import test_case

OK_FORMAT = False
name = "accuracy"
points = 40


@test_case(name="accurate enough", hidden=True)
def test_accuracy(model, x_test, y_test):
    assert model.evaluate(x_test, y_test, verbose=0)[1] > {threshold}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One run of a contestant.

    Attributes
    ----------
    lines
        That the training printed, where the contestant keeps them.
    cell_seconds, longest_cell_seconds
        Wall time of the notebook's cells together, and of the one that trains; ours alone says so.
    """

    usage: Usage
    lines: tuple[str, ...] = ()
    cell_seconds: float = 0.0
    longest_cell_seconds: float = 0.0


class Contestant(Protocol):
    """Runs its notebook from the start, and looks whether it did."""

    name: str

    def run(self) -> Done:
        """Run it once; BenchmarkError if the notebook did not train, or was not graded."""


@dataclass(slots=True, kw_only=True)
class Ours:
    """``m5 grade`` on a notebook or a folder of them, with everything that it does by default."""

    bench: Bench
    path: Path
    submissions: int = 1
    jobs: int | None = None
    must_train: bool = True
    prefix: Sequence[str] = ()
    name: str = "m5 grade"

    def run(self) -> Done:
        """See `Contestant`."""
        folder = self.bench.place("m5")
        more = ["--root", str(self.bench.root)]
        more += [] if self.jobs is None else ["--jobs", str(self.jobs)]
        usage = measure(
            [*self.prefix, program("m5"), "grade", self.path, "-o", folder / "out", *more],
            folder=folder,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        graded = rows(folder / "out")
        if len(graded) != self.submissions:
            raise BenchmarkError(f"{len(graded)} of {self.submissions} submissions were graded.")
        for each in graded:
            # Both are empty where the grader failed or there is no network.
            if not float(each["points_runs"] or 0) > 0:
                raise BenchmarkError(f"{each['submission']}: {each['verdict']}, not all cells ran.")
            if self.must_train and not float(each["accuracy"] or 0) > self.bench.wanted_accuracy:
                raise BenchmarkError(f"{each['submission']}: accuracy {each['accuracy']}.")
        cells = sum(float(each["seconds"]) for each in graded)
        if self.submissions > 1:
            return Done(usage=usage, cell_seconds=cells)
        (place,) = (folder / "out/submissions").iterdir()
        report = json.loads((place / "report.json").read_text())
        return Done(
            usage=usage,
            lines=tuple(notebooks.progress_lines(place / "executed.ipynb")),
            cell_seconds=cells,
            longest_cell_seconds=max(cell["seconds"] for cell in report["cells"]),
        )


@dataclass(slots=True, kw_only=True)
class Jupyter:
    """``jupyter execute``: the notebook, and nothing about grading."""

    bench: Bench
    path: Path
    name: str = "jupyter execute"

    def run(self) -> Done:
        """See `Contestant`."""
        folder = self.bench.place("jupyter")
        notebook = folder / "m5.ipynb"
        notebook.write_bytes(self.path.read_bytes())
        usage = measure(
            [program("jupyter"), "execute", "--output=executed", notebook],
            folder=folder,
            timeout_seconds=TIMEOUT_SECONDS,
            environment=stock_environment(self.bench),
        )
        lines = tuple(notebooks.progress_lines(folder / "executed.ipynb"))
        if not lines:
            raise BenchmarkError("jupyter execute: nothing was trained.")
        return Done(usage=usage, lines=lines)


@dataclass(slots=True, kw_only=True)
class Otter:
    """``otter run`` without our plugin, on an archive made by ``otter generate``: one test, that
    the network in the notebook's kernel is accurate enough."""

    bench: Bench
    path: Path
    archive: Path
    name: str = "otter run"

    def run(self) -> Done:
        """See `Contestant`."""
        folder = self.bench.place("otter")
        usage = measure(
            [program("otter"), "run", "--no-logo", "-a", self.archive, "-o", folder, self.path],
            folder=folder,
            timeout_seconds=TIMEOUT_SECONDS,
            environment=stock_environment(self.bench),
        )
        tests = json.loads((folder / "results.json").read_text())["tests"]
        scores = [test["score"] for test in tests if "score" in test]
        if scores != [40]:
            raise BenchmarkError(f"otter run: the test was to give 40 points, not {scores}.")
        return Done(usage=usage)


def otter_archive(bench: Bench) -> Path:
    """What Otter grades with, made by its own command."""
    folder = bench.place("archive")
    (folder / "tests").mkdir()
    test = STOCK_TEST.format(threshold=bench.wanted_accuracy)
    (folder / "tests/accuracy.py").write_text(test)
    measure(
        [program("otter"), "generate", "--no-environment", "-t", "tests", "-o", "autograder.zip"],
        folder=folder,
        timeout_seconds=TIMEOUT_SECONDS,
    )
    return folder / "autograder.zip"


def rows(output: Path) -> list[dict[str, str]]:
    """Of grades.csv."""
    with (output / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def stock_environment(bench: Bench) -> Mapping[str, str]:
    """A home without anybody's settings, in which the notebook's libraries have run before; and
    this Python's kernel before any other of the same name."""
    home = bench.folder / "home"
    environment = {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    if not home.exists():
        home.mkdir()
        # Once in its life Matplotlib lists the fonts of a machine: not a cost of each notebook.
        measure(
            [sys.executable, "-c", "import matplotlib.font_manager"],
            folder=home,
            timeout_seconds=TIMEOUT_SECONDS,
            environment=environment,
        )
    return environment
