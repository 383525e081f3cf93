"""Every case in the folders beside this file, graded as a submission is graded. See README.md."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from attack_cases import Allowed, Case, find_cases, join

from autograder.batch.messages import Graded
from autograder.core.assignment import Assignment
from autograder.core.config import CHECK_NAMES
from autograder.core.processes import owned_by
from autograder.core.report import Verdict
from autograder.grading import pipeline
from autograder.grading.evidence import Outcome
from autograder.grading.pipeline import Grader
from autograder.intake.collecting import collect
from autograder.intake.folders import handin_at
from autograder.reports.files import RunFiles
from autograder.reports.folder import ResultsFolder
from autograder.reports.tables import Gradebook
from autograder.sandbox import Isolation
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox

THRESHOLD = 0.80
"""Reached within two seconds of training on 6,000 images; guessing gives 0.10."""

LIMITS: dict[str, int | float] = {
    "cell_seconds": 200,
    "notebook_seconds": 400,
    "interrupt_grace_seconds": 5,
    "memory_bytes": 2 << 30,
    "processes": 200,
    "file_bytes": 64 << 20,
    "scratch_bytes": 256 << 20,
    "kept_output_bytes": 1 << 20,
    "output_bytes": 16 << 20,
    "export_bytes": 64 << 20,
}

MAX_GROWTH_BYTES = 700 << 20
"""Of the grader's own memory: measuring a network takes 250 MB."""

CASE_SECONDS = 1200

STARTED_TOO = {"honest_plain"}
"""Short cases that `make test` grades in both kinds of start; `make test-long` does it with all."""
OPEN_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")

CASES = {case.name: case for case in find_cases()}
HONEST = CASES["honest_plain"]
LOOKING_AROUND = (
    *("hunts_for_files", "hunts_for_the_grader", "reaches_for_the_network", "gains_privileges"),
    *("traces_processes", "overwrites_results"),
)
"""Each asserts that it is refused. `make test` has one notebook try it all."""


@pytest.fixture(scope="session")
def course(
    assignment: Assignment, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Case], Assignment]:
    """The course with small limits and a low threshold, or those that a case asks for."""

    def make(case: Case) -> Assignment:
        threshold = case.expectation.threshold or THRESHOLD
        folder = tmp_path_factory.getbasetemp() / f"tests-{threshold:g}"
        if not folder.is_dir():
            shutil.copytree(assignment.tests, folder)
            test = folder / "accuracy.py"
            wanted = f"threshold = {assignment.config.accuracy.threshold:g}"
            assert test.read_text().count(wanted) >= 2
            test.write_text(test.read_text().replace(wanted, f"threshold = {threshold:g}"))
        limits = {**LIMITS, **case.expectation.limits}
        config = msgspec.structs.replace(
            assignment.config,
            limits=msgspec.structs.replace(assignment.config.limits, **limits),
            accuracy=msgspec.structs.replace(assignment.config.accuracy, threshold=threshold),
        )
        return replace(assignment, config=config, tests=folder)

    return make


@pytest.fixture(scope="session")
def secrets(assignment: Assignment, root: Path) -> list[str]:
    """Texts that no student may read in a result: lines of hidden tests, for instance."""
    found = ["private_accuracy", "private half", "leak_z", "staff_notes", "all_or_nothing"]
    for path in assignment.tests.glob("*.py"):
        found += [f"def {name}" for name in re.findall(r"^def (\w+)", path.read_text(), re.M)]
    return [*found, str(assignment.tests), str(root / "assignment"), str(root / "autograder")]


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> list[Box]:
    """Every box that the pipeline opens, to look for what is left of it."""
    opened: list[Box] = []

    def recorded(**settings: Any) -> Box:
        opened.append(Box(**settings))
        return opened[-1]

    monkeypatch.setattr(pipeline, "Box", recorded)
    return opened


def _ways() -> Iterator[Any]:
    """Every case in a forked box, as in a class; and in one started from nothing, as one alone."""
    together = join("looks_around", [CASES[name] for name in LOOKING_AROUND])
    for case in (*CASES.values(), together):
        for way in ("forked", "started"):
            is_long = (
                case.expectation.long
                or case.name in LOOKING_AROUND
                or (way == "started" and case.name not in STARTED_TOO)
            )
            marks = [pytest.mark.long] * is_long
            yield pytest.param(case, way, id=f"{case.name}-{way}", marks=marks)


@pytest.mark.xdist_group("zygote")  # in one process with all others that fork from one
@pytest.mark.timeout(CASE_SECONDS)
@pytest.mark.parametrize(("case", "way"), _ways())
def test_case_gets_the_grade_it_deserves(
    case: Case,
    way: str,
    course: Callable[[Case], Assignment],
    toolbox: Toolbox,
    isolation: Isolation,
    request: pytest.FixtureRequest,
    secrets: list[str],
    boxes: list[Box],
    tmp_path: Path,
) -> None:
    toolbox_before = _state(toolbox.root)
    zygote = request.getfixturevalue("zygote") if way == "forked" else None

    def grade(case: Case) -> None:
        grader = Grader(
            assignment=course(case), toolbox=toolbox, isolation=isolation, zygote=zygote
        )
        _grade_and_check(case, grader, secrets, tmp_path)

    with _bounded_memory():
        grade(case)
        if case.expectation.honest_after:
            grade(HONEST)
    assert boxes
    for box in boxes:
        assert box.is_forked == (way == "forked")
        _check_nothing_is_left_of(box)
    assert _state(toolbox.root) == toolbox_before
    # Where an export that is read as code would write.
    assert not Path("/tmp/attacked").exists()


def keep(results: ResultsFolder, outcome: Outcome) -> None:
    """As `m5 grade` keeps what a grading process sends."""
    graded = Graded.of(outcome)
    results.keep(graded.report, run=RunFiles(executed=graded.executed, log=graded.log))


def _grade_and_check(case: Case, grader: Grader, secrets: list[str], tmp_path: Path) -> None:
    submitted = tmp_path / f"submitted-{case.name}"
    submitted.mkdir()
    candidates = [handin_at(case.build(submitted))]
    results = ResultsFolder(tmp_path / f"results-{case.name}", overwrite=False)
    results.prepare()
    outcome = grader.grade(candidates[0])
    # First of all, since what it says is the quickest way to what went wrong.
    assert outcome.report.verdict is not Verdict.GRADER_ERROR, outcome.log
    keep(results, outcome)
    with Gradebook(results.gradebook) as gradebook:
        gradebook.add(outcome.report)
    _check_outcome(case, outcome)
    _check_files(case, results.folder_of(outcome.report.submission), outcome, secrets)


def _check_outcome(case: Case, outcome: Outcome) -> None:
    report, expected = outcome.report, case.expectation
    points = {check.name: check.points for check in report.checks}
    assert list(points) == list(CHECK_NAMES)
    groups = {name: points[name] for name in ("runs", "accuracy", "budget")}
    groups["reflections"] = sum(points[name] for name in CHECK_NAMES if "reflection" in name)
    story = f"{report.verdict.name} {groups} {report.notes} " + " | ".join(
        f"cell {cell.number} {cell.status}: {cell.error}" for cell in report.cells if cell.error
    )
    assert report.verdict in expected.verdicts, story
    for name, value in groups.items():
        assert value in _values(getattr(expected.points, name)), f"{name}: {story}"
    assert report.score == sum(points.values())
    print(f"GRADED {case.name}: {story}")


def _values(allowed: Allowed) -> list[int]:
    return allowed if isinstance(allowed, list) else [allowed]


def _check_files(case: Case, folder: Path, outcome: Outcome, secrets: list[str]) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert {"results.json", "report.json", "grading.log", "executed.ipynb"} <= set(texts)
    results = json.loads(texts["results.json"])
    assert results["score"] == outcome.report.score
    # A test without points of its own would get a share of Gradescope's.
    assert sum(test["score"] for test in results["tests"]) == outcome.report.score
    seen = "\n".join(_strings(results))
    # Only text, so that no markup of a student's is ever one of the page's.
    assert all(value == "text" for key, value in _pairs(results) if key.endswith("output_format"))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", seen), "control characters"
    for text in case.expectation.says:
        assert text in seen, f"{text!r} is not in:\n{seen}"
    for name in ("results.json", "report.json", "executed.ipynb"):
        for text in case.expectation.never:
            assert text not in texts[name], f"{text!r} is in {name}"
    for name in ("results.json", "executed.ipynb"):
        for text in secrets:
            # Its own source may well say these words.
            if text not in case.source:
                assert text not in texts[name], f"{text!r} is in {name}"
    json.loads(texts["executed.ipynb"])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, str):
            yield item
        elif isinstance(item, (dict, list)):
            yield from _strings(item)


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)):
            yield from _pairs(item)


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.iterdir()}


def _check_nothing_is_left_of(box: Box) -> None:
    assert not box.is_alive
    assert not box.scratch.root.exists()
    uid = box._uid
    if uid is None:
        return
    assert not _living(uid), "processes of the box's user live on"
    for folder in OPEN_FOLDERS:
        with contextlib.suppress(FileNotFoundError):
            left = [entry.path for entry in os.scandir(folder) if _owner(entry) == uid]
            assert not left


def _living(uid: int) -> list[str]:
    """Processes of a user, but for those that are dead, whose parent has not noticed yet."""
    living = []
    for pid in owned_by(uid):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
                living.append(f"{pid} {process.status()} {process.cmdline()}")
    return living


def _owner(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat(follow_symlinks=False).st_uid
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _bounded_memory() -> Iterator[None]:
    """Fails if the grader itself grows much: what a box sends may fill no memory but its own."""
    before = _resident_bytes("VmRSS")
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    yield
    grown = _resident_bytes("VmHWM") - before
    assert grown < MAX_GROWTH_BYTES, f"the grader grew by {grown >> 20} MiB"


def _resident_bytes(which: str) -> int:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(re.search(rf"^{which}:\s+(\d+) kB", status, re.M)[1]) << 10  # type: ignore[index]


NAMES = (
    "..",
    ".. .. etc passwd",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(1)",
    "-2+3",
    "<img src=x onerror=alert(1)>",
    "a\nb",
    "\x1b[31mred",
    "CON",
    "x" * 200,
    "..\\..\\evil",
    "\u202egpj.exe",
    "$(touch pwned)",
    "; rm -rf ~",
    "results",
    "grades.csv",
)
"""Stems of files that a student might upload."""


def test_names_of_files_stay_names(
    assignment: Assignment, toolbox: Toolbox, isolation: Isolation, tmp_path: Path
) -> None:
    """Names reach folders, a spreadsheet and a report: none may act there, none may get lost."""
    submitted = tmp_path / "submitted"
    submitted.mkdir()
    for name in NAMES:
        with contextlib.suppress(OSError):
            (submitted / f"{name}.ipynb").write_text("{}")
    with tempfile.TemporaryDirectory() as scratch:  # nothing is to be unpacked
        found = collect([submitted], scratch=Path(scratch), assignment_id="activity-m5")
    candidates = found.handins
    # Hidden files are passed over: editors and file systems leave them beside notebooks.
    shown = [path for path in submitted.iterdir() if not path.name.startswith(".")]
    assert len(candidates) == len(shown) >= len(NAMES) - 4
    results = ResultsFolder(tmp_path / "results", overwrite=False)
    results.prepare()
    grader = Grader(assignment=assignment, toolbox=toolbox, isolation=isolation)
    with Gradebook(results.gradebook) as gradebook:
        for candidate in candidates:
            outcome = grader.grade(candidate)
            assert outcome.report.verdict is Verdict.MALFORMED_SUBMISSION
            keep(results, outcome)
            gradebook.add(outcome.report)
    made = sorted(path.name for path in (results.root / "submissions").iterdir())
    assert len(made) == len(candidates)
    assert sorted(path.name for path in results.root.iterdir()) == ["grades.csv", "submissions"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results", "submitted"]
    with results.gradebook.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == len(candidates) + 1
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows[1:] for value in row)
    assert not any("\x1b" in value or "\n" in value for row in rows for value in row)
