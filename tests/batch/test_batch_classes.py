"""A class as it comes from each system, graded for real, stopped, and gone on with."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.batch.dask_cluster import DaskCluster
from tests.notebooks import SMALL_DATA, SMALL_NETWORK, notebook, write

pytestmark = pytest.mark.long

CLASS_SIZE = 24
KINDS = {
    "reference": nbformat.writes(notebook(SMALL_DATA, SMALL_NETWORK)),
    "wrong": nbformat.writes(notebook("x = 1", "1 / 0")),
    "hanging": nbformat.writes(notebook("while True:\n    pass")),
    "malformed": "<!DOCTYPE html><html></html>",
}
VERDICTS = {
    "reference": "FAILED",
    "wrong": "CELL_ERROR",
    "hanging": "TIMED_OUT",
    "malformed": "MALFORMED_SUBMISSION",
}
TIMEOUT = 45


def kind_of(number: int) -> str:
    return list(KINDS)[number % len(KINDS)]


def build_gradescope(folder: Path) -> Path:
    lines = ["---"]
    for n in range(CLASS_SIZE):
        write(folder / f"submission_{n}/m5.ipynb", KINDS[kind_of(n)])
        lines.append(f"submission_{n}:\n  :submitters:\n  - :name: Gö {n}\n    :sid: '{n}'")
        lines.append(f"    :email: g{n}@example.edu\n  :created_at: 2026-11-02 10:00:00 Z")
    write(folder / "submission_metadata.yml", "\n".join(lines))
    return folder


def build_canvas(folder: Path) -> Path:
    for n in range(CLASS_SIZE):
        write(folder / f"doe{n}_{100 + n}_{900 + n}_m5.ipynb", KINDS[kind_of(n)])
    return folder


def build_nbgrader(folder: Path) -> Path:
    for n in range(CLASS_SIZE):
        write(folder / f"submitted/nb{n}/m5/m5.ipynb", KINDS[kind_of(n)])
    return folder


def build_zip(archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for n in range(CLASS_SIZE):
            file.writestr(f"all/zipped{n}.ipynb", KINDS[kind_of(n)])
    return archive


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "autograder", "grade", *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def rows(out: Path) -> list[dict[str, str]]:
    if not (out / "grades.csv").exists():
        return []
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_layout_in_one_call_stopped_killed_and_gone_on_with(tmp_path: Path) -> None:
    paths = [
        build_gradescope(tmp_path / "assignment_7_export"),
        build_canvas(tmp_path / "canvas"),
        build_nbgrader(tmp_path / "course"),
        build_zip(tmp_path / "class.zip"),
    ]
    out = tmp_path / "out"
    arguments = (*paths, "-o", out, "--timeout", TIMEOUT, "--jobs", 2)
    for number in (signal.SIGINT, signal.SIGKILL):
        process = start(*arguments, "--resume")
        before, deadline = len(rows(out)), time.monotonic() + 200
        while len(rows(out)) < before + 5 and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=60)
        assert process.returncode == (130 if number is signal.SIGINT else -9), said
        assert len(rows(out)) >= before + 5
    process = start(*arguments, "--resume")
    printed, said = process.communicate(timeout=400)
    assert process.returncode == 1, said + printed
    found = rows(out)
    assert len(found) == 4 * CLASS_SIZE
    expected = Counter(VERDICTS[kind_of(n)] for n in range(CLASS_SIZE) for _ in range(4))
    assert Counter(row["verdict"] for row in found) == expected
    by_name = {row["submission"]: row for row in found}
    assert by_name["submission_4"]["name"] == "Gö 4"
    assert by_name["submission_4"]["email"] == "g4@example.edu"
    assert {by_name[n]["parameters"] for n in ("submission_0", "doe0_100_900", "nb0")} == {"25450"}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    """Two workers that can open boxes."""
    (tmp_path / "dask").mkdir()
    made = DaskCluster(tmp_path / "dask")
    yield made
    made.close()


def test_boxes_work_on_a_clusters_workers(cluster: DaskCluster, tmp_path: Path) -> None:
    for n in range(4):
        write(tmp_path / f"in/{kind_of(n)}.ipynb", KINDS[kind_of(n)])
    out = tmp_path / "out"
    process = start(tmp_path / "in", "-o", out, "--timeout", TIMEOUT, "--cluster", cluster.address)
    printed, said = process.communicate(timeout=300)
    assert process.returncode == 1, said + printed
    assert {row["submission"]: row["verdict"] for row in rows(out)} == VERDICTS
