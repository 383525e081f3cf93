"""A process that is started before there is anything to do: put to use, or taken away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from autograder.batch.messages import CellRan, Graded, Job
from autograder.batch.pool import LocalPool, head_start
from autograder.cli import main
from autograder.core.assignment import Assignment
from autograder.core.processes import HELPERS
from tests.batch.fakes import command, fake_setup
from tests.notebooks import notebook, write

ROOT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 240.0


def job(name: str) -> Job:
    content = json.dumps(command("points: 7")).encode()
    return Job(
        submission=name, name="", email="", file_name=b"m5.ipynb", content=content, refusal=""
    )


def children() -> set[psutil.Process]:
    return {child for child in psutil.Process().children() if child.pid not in HELPERS}


def test_the_first_submission_goes_to_it_and_others_to_new_ones(assignment: Assignment) -> None:
    before = children()
    with head_start(threads=1) as ahead:
        (early,) = children() - before
        with LocalPool(
            fake_setup(assignment), size=2, job_seconds=ANSWER_SECONDS, ahead=ahead
        ) as pool:
            assert pool.pids == []
            pool.submit(job("ann"))
            assert pool.pids == [early.pid]
            pool.submit(job("bob"))
            answers: dict[Any, Any] = {}
            while len(answers) < 2:
                for event in pool.wait(ANSWER_SECONDS):
                    if not isinstance(event.answer, CellRan):
                        answers[event.submission] = type(event.answer)
            assert answers == {"ann": Graded, "bob": Graded}
        assert not early.is_running()


@pytest.mark.parametrize("with_pool", [False, True])
def test_nothing_is_left_where_there_was_nothing_to_do(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_pool: bool
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = children()
    with head_start(threads=1) as ahead:
        (early,) = children() - before
        assert list(tmp_path.iterdir())
        if with_pool:
            LocalPool(fake_setup(assignment), size=1, job_seconds=1.0, ahead=ahead).close()
    assert not early.is_running() and not list(tmp_path.iterdir())


def test_a_fault_in_the_digits_is_known_before_anything_is_graded(tmp_path: Path) -> None:
    root = tmp_path / "course"
    for folder in ("dist/tests", "assignment", "student"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "otter_config.json", root)
    (root / "assignment/data/mnist.npz").write_bytes(b"no digits")
    path = write(tmp_path / "ann.ipynb", notebook("1"))
    out, before = tmp_path / "out", children()
    done = CliRunner().invoke(main, ["grade", str(path), "-o", str(out), "--root", str(root)])
    assert done.exit_code == 2 and "mnist.npz: not the MNIST data" in done.output
    assert not (out / "grades.csv").exists() and children() == before
