"""What the container gives, and what of it a notebook may have."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from autograder.core.assignment import Assignment
from autograder.core.config import parse_config
from autograder.core.errors import BoxError, ConfigError
from autograder.core.processes import container_bytes
from autograder.core.report import Verdict
from autograder.gradescope import grading
from autograder.gradescope.container import GRADER_BYTES, fit_limits
from autograder.grading.evidence import Outcome
from autograder.intake.folders import handin_at
from tests.gradescope.reports import report
from tests.notebooks import write

GB = 10**9


def measured(tmp_path: Path, own: str, files: dict[str, str]) -> int:
    for name, content in files.items():
        write(tmp_path / "groups" / name, content)
    write(tmp_path / "own", own)
    return container_bytes(tmp_path / "groups", tmp_path / "own")


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"memory.max": "1500000000\n"}, 1_500_000_000),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "900000000"}, 900_000_000),
        ("0::/../../x\n", {"memory.max": "800000000"}, 800_000_000),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "700000000"}, 700_000_000),
        ("4:cpu,memory:/docker/1\n", {"memory/memory.limit_in_bytes": "600000000"}, 600_000_000),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, 0),
        ("0::/\n", {"memory.max": "max"}, 0),
        ("0::/\n", {"memory.max": "a lot"}, 0),
        ("nonsense", {}, 0),
        ("", {}, 0),
    ],
)
def test_the_least_limit_counts(
    tmp_path: Path, own: str, files: dict[str, str], expected: int
) -> None:
    assert measured(tmp_path, own, files) == (expected or psutil.virtual_memory().total)


def test_a_roomy_container_changes_nothing(assignment: Assignment) -> None:
    limits = assignment.config.limits
    fit = fit_limits(limits, memory_bytes=limits.memory_bytes * 2, seconds=10_000)
    assert fit.limits == limits and fit.remarks == ()


def test_a_smaller_container_cuts_memory_and_says_so(assignment: Assignment) -> None:
    fit = fit_limits(assignment.config.limits, memory_bytes=3 * GB, seconds=10_000)
    assert fit.limits.memory_bytes == 3 * GB - GRADER_BYTES
    assert len(fit.remarks) == 1 and "3.00 GB" in fit.remarks[0]


@pytest.mark.parametrize("size", [500_000_000, 768_000_000, 1_400_000_000])
def test_what_no_notebook_would_fit_into_is_refused(assignment: Assignment, size: int) -> None:
    with pytest.raises(BoxError, match=r"GB of memory.*Choose 3 GB"):
        fit_limits(assignment.config.limits, memory_bytes=size, seconds=10_000)


@pytest.mark.parametrize(
    ("size", "is_ample"),
    [(1_500_000_000, False), (1_610_612_736, False), (2_000_000_000, True), (3 * GB, True)],
)
def test_whose_fault_it_is_to_run_out_of_memory(
    assignment: Assignment, size: int, is_ample: bool
) -> None:
    fit = fit_limits(assignment.config.limits, memory_bytes=size, seconds=10_000)
    assert fit.is_ample == is_ample


@pytest.mark.parametrize("size", [1_500_000_000, 3 * GB])
def test_who_runs_out_of_what_may_be_too_little_is_not_graded(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """A notebook does so in test_in_container.py, at night."""
    graded = Outcome(report=report(Verdict.OUT_OF_MEMORY))
    grader = SimpleNamespace(grade=lambda upload: graded)
    monkeypatch.setattr(grading, "Grader", lambda **_: grader)
    monkeypatch.setattr(grading, "container_bytes", lambda: size)
    upload = handin_at(write(tmp_path / "m5.ipynb", "{}"))
    nothing: Any = None

    def grade() -> Outcome:
        return grading._grade(upload, assignment, nothing, nothing, time.monotonic() + 1000)[0]

    if size == 3 * GB:
        assert grade().report.verdict is Verdict.OUT_OF_MEMORY
    else:
        with pytest.raises(BoxError, match=r"needed more than 1\.06 GB.*Choose 3 GB"):
            grade()


def test_time_is_cut_for_the_notebook_and_for_each_cell(assignment: Assignment) -> None:
    fit = fit_limits(assignment.config.limits, memory_bytes=99 * GB, seconds=400.0)
    assert fit.limits.notebook_seconds == fit.limits.cell_seconds == 400.0
    assert len(fit.remarks) == 1


def test_no_time_left_is_our_fault(assignment: Assignment) -> None:
    with pytest.raises(BoxError, match="container_seconds"):
        fit_limits(assignment.config.limits, memory_bytes=99 * GB, seconds=-5.0)


def test_the_reserve_must_leave_time_for_the_cells(root: Path) -> None:
    text = (root / "otter_config.json").read_text()
    assert '"reserve_seconds": 120' in text
    parse_config(text.replace('"reserve_seconds": 120', '"reserve_seconds": 300').encode())
    with pytest.raises(ConfigError, match="reserve_seconds"):
        parse_config(text.replace('"reserve_seconds": 120', '"reserve_seconds": 301').encode())


def test_gradescope_ends_every_container_after_forty_minutes(root: Path) -> None:
    text = (root / "otter_config.json").read_text()
    with pytest.raises(ConfigError, match="container_seconds"):
        parse_config(text.replace('"container_seconds": 600', '"container_seconds": 2401').encode())
