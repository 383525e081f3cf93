"""What the journeys share: `m5` as a user types it, one graded class, copies of the checkout."""

from __future__ import annotations

import csv
import html
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.people import UNREADABLE, write_class
from tests.notebooks import read_json

ROOT = Path(__file__).resolve().parents[2]
M5 = Path(sys.prefix) / "bin/m5"
SECONDS = 900.0
BEFORE_CTRL_C = len(UNREADABLE) + 2
"""So many have a row: those that nothing is run for, and two others."""
NOT_OF_A_CHECKOUT = shutil.ignore_patterns(".*", "__pycache__", "out", "build", "*.egg-info")


def m5(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Type `m5` and these words in a folder; returns what it printed and its exit status."""
    return subprocess.run(
        [M5, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=SECONDS
    )


def read_rows(folder: Path) -> dict[str, dict[str, str]]:
    """The rows of grades.csv by submission; none as long as it is not there."""
    if not (folder / "grades.csv").exists():
        return {}
    with (folder / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    by_name = {row["submission"]: row for row in rows}
    assert len(by_name) == len(rows), "a submission has two rows"
    return by_name


def words_of(page: str) -> str:
    """A page as text, on one line."""
    page = re.sub(r"</?code>", "`", page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@dataclass(frozen=True)
class Graded:
    """A folder of grades, as those see it who open its files."""

    folder: Path
    rows: dict[str, dict[str, str]]

    def file(self, name: str, file: str) -> Path:
        """One file of one submission."""
        return self.folder / "submissions" / name / file

    def report(self, name: str) -> Any:
        """All that is known."""
        return read_json(self.file(name, "report.json"))

    def feedback(self, name: str) -> str:
        """The student's page."""
        return self.file(name, "feedback.html").read_text(encoding="utf-8")

    def points(self, name: str, check: str) -> float:
        """Points for a check, as in grades.csv."""
        return float(self.rows[name][f"points_{check}"])

    def printed(self, name: str, start: str) -> str:
        """What the cell printed, as it ran, whose source starts like this."""
        cells = read_json(self.file(name, "executed.ipynb"))["cells"]
        (cell,) = (cell for cell in cells if "".join(cell["source"]).startswith(start))
        outputs = (output.get("text", "") for output in cell["outputs"])
        return "".join("".join(text) for text in outputs)


@dataclass(frozen=True)
class GradedClass(Graded):
    """The class, and how its TA came by the grades.

    Attributes
    ----------
    before
        The rows that were there after Ctrl-C.
    resumed
        What `--resume` printed, and its exit status.
    """

    stopped: subprocess.CompletedProcess[str]
    before: dict[str, dict[str, str]]
    times: dict[str, int]
    resumed: subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def graded_class(tmp_path_factory: pytest.TempPathFactory) -> GradedClass:
    """A class, graded by a TA who pressed Ctrl-C in between, and then went on."""
    folder = tmp_path_factory.mktemp("ta")
    handed_in, out = write_class(folder / "class"), folder / "grades"
    # In one process, since each one imports TensorFlow for itself.
    command = [str(M5), "grade", str(handed_in), "-o", str(out), "--jobs", "1"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + SECONDS
    while (
        len(read_rows(out)) < BEFORE_CTRL_C
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)  # Ctrl-C reaches every process of the terminal
    printed, said = process.communicate(timeout=SECONDS)
    stopped = subprocess.CompletedProcess(command, process.returncode, printed, said)
    before = read_rows(out)
    times = {
        name: (out / "submissions" / name / "report.json").stat().st_mtime_ns for name in before
    }
    resumed = m5(*command[1:], "--resume")
    return GradedClass(out, read_rows(out), stopped, before, times, resumed)


def copy_checkout(folder: Path) -> Path:
    """What a clone would hold, without the tests."""
    shutil.copytree(
        ROOT,
        folder,
        ignore=lambda path, names: {
            *NOT_OF_A_CHECKOUT(path, names),
            *(names if path == str(ROOT / "tests") else ()),
        },
    )
    return folder
