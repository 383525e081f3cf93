"""A class of hostile contents and two honest notebooks, graded in one call of `m5 grade`."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.core.assignment import Lesson, load_assignment
from autograder.reports.pages import rebuild_pages
from tests.batch.fakes import Said, grade_obediently
from tests.contents.hostile_contents import hostile_files
from tests.notebooks import ANSWERS, released, train_little, write

OBEY_SECONDS = 10.0
HONEST = ("honest_ann", "honest_bob")
REFUSED = {"file_deep", "file_many_cells"}


@pytest.fixture(scope="module")
def class_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    for name, content in hostile_files().items():
        write(folder / f"{name}.ipynb", content)
    for name in HONEST:
        made = released(*(f"{answer} This is what {name} saw." for answer in ANSWERS))
        train_little(made)
        write(folder / f"{name}.ipynb", made)
    return folder


def start(class_folder: Path, out: Path, root: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "autograder", "grade", str(class_folder), "-o", str(out)]
    return subprocess.Popen(
        [*command, "--root", str(root), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    path = out / "grades.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def test_every_file_goes_through_all_but_its_run(root: Path, tmp_path: Path) -> None:
    """The same without kernels, so that it is tried each time; the long test leaves nothing out."""
    for name, content in hostile_files().items():
        write(tmp_path / "in" / f"{name}.ipynb", content)
    out, assignment = tmp_path / "out", load_assignment(root)
    rows = grade_obediently(
        [tmp_path / "in"], out, assignment=assignment, progress=Said(), scratch=tmp_path / "scratch"
    )
    verdicts = {row["submission"]: row["verdict"] for row in rows}
    refused = dict.fromkeys(REFUSED, "MALFORMED_SUBMISSION")
    assert verdicts == {**dict.fromkeys(hostile_files(), "PASSED"), **refused}
    rebuilt = rebuild_pages(out, assignment.config, Lesson())
    assert (rebuilt.feedback, rebuilt.problems) == (len(verdicts), [])


@pytest.mark.long
def test_every_submission_has_its_row_and_its_page(
    class_folder: Path, root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(class_folder, out, root)
    said, _ = process.communicate(timeout=3_000)
    rows = rows_of(out)
    assert set(rows) == {*hostile_files(), *HONEST}, said
    verdicts = {name: row["verdict"] for name, row in rows.items()}
    assert "GRADER_ERROR" not in verdicts.values(), verdicts
    assert {n for n, v in verdicts.items() if v == "MALFORMED_SUBMISSION"} == REFUSED, verdicts
    for name in HONEST:
        report = json.loads((out / "submissions" / name / "report.json").read_bytes())
        points = {check["name"]: check["points"] for check in report["checks"]}
        assert [points[f"reflection_{number}"] > 0 for number in (1, 2, 3)] == [True] * 3
    for name in rows:
        page = (out / "submissions" / name / "feedback.html").read_text("utf-8")
        assert "Checks" in page and len(page) < 30_000_000, name
    assert (out / "report.html").exists()


@pytest.fixture
def stopped(class_folder: Path, root: Path, tmp_path: Path) -> Iterator[tuple[Path, float]]:
    out = tmp_path / "out"
    process = start(class_folder, out, root)
    try:
        while len(rows_of(out)) < 3:
            assert process.poll() is None
            time.sleep(0.2)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        yield out, time.monotonic() - began
    finally:
        process.kill()
        process.communicate()


@pytest.mark.long
def test_ctrl_c_is_obeyed_and_what_is_finished_is_kept(stopped: tuple[Path, float]) -> None:
    out, seconds = stopped
    assert len(rows_of(out)) >= 3
    assert seconds < OBEY_SECONDS
