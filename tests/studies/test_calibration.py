"""Does `make calibrate` measure what it says, count rightly, and notice what should not be?"""

from __future__ import annotations

import contextlib
import itertools
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from autograder.batch.messages import Graded, Job, Refused
from autograder.batch.pool import Event
from autograder.core.assignment import load_assignment
from autograder.core.config import Config, load_config
from autograder.core.errors import BoxError, DataError
from autograder.core.report import NetworkReport, Report, Verdict
from studies.calibration import (
    Role,
    Subject,
    measure_all,
    read_samples,
    rows_of,
    subjects_of,
)
from studies.calibration.__main__ import calibrate as command
from studies.calibration.figures import second_runs, wilson
from tests.pages.sample_reports import make_report
from tests.rules import with_own_rules

ROOT = Path(__file__).resolve().parents[2]
SEED = 100
Accuracy = Callable[[str, int], float | None]
"""Of the network of that name with so much added to its seeds; None where the grader fails."""


class FakePool:
    """Grades one job at a time, without running anything."""

    def __init__(self, config: Config, accuracy: Accuracy) -> None:
        self.config, self.accuracy = config, accuracy
        self.jobs: list[Job] = []
        self.waiting: list[Job] = []

    @property
    def free(self) -> int:
        return 1 - len(self.waiting)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        self.waiting.append(job)

    def wait(self, seconds: float) -> list[Event]:
        if not self.waiting:
            return []
        job = self.waiting.pop()
        name, _, shift = job.submission.rpartition("@")
        report = report_with(self.config, self.accuracy(name, int(shift)))
        answer = Graded(report=report, executed=None, log="")
        return [Event(submission=job.submission, answer=answer)]

    def close(self) -> None:
        self.waiting.clear()

    @property
    def measured(self) -> list[str]:
        return [job.submission for job in self.jobs]

    @contextlib.contextmanager
    def opened(self) -> Iterator[FakePool]:
        yield self


def report_with(config: Config, accuracy: float | None) -> Report:
    import msgspec

    if accuracy is None:
        return make_report(0, config, Verdict.GRADER_ERROR)
    report = make_report(0, config, Verdict.PASSED)
    assert isinstance(report.network, NetworkReport)
    network = msgspec.structs.replace(report.network, accuracy=accuracy)
    return msgspec.structs.replace(report, network=network)


@pytest.fixture
def config(assignment: Any) -> Config:
    return with_own_rules(assignment.config)


def subject(name: str, role: Role = Role.SOLUTION, text: str = "a") -> Subject:
    return Subject(
        name=name, role=role, passes=None, epochs=1, own_epochs=1, notebook=text.encode()
    )


# ---------------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("passed", "runs", "low", "high"),
    [  # n / (n + z^2) where all pass, and the mirror of it where none does
        (30, 30, 0.8865, 1.0),
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (1, 1, 0.2065, 1.0),
    ],
)
def test_wilson_interval(passed: int, runs: int, low: float, high: float) -> None:
    assert wilson(passed, runs) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
@pytest.mark.parametrize(
    "accuracies",
    [(0.951, 0.949, 0.93, 0.945), (0.949, 0.948, 0.947, 0.946), (0.96, 0.96, 0.94, 0.949), (0.9,)],
)
def test_second_runs_are_averaged_over_every_order(
    accuracies: tuple[float, ...], count: int
) -> None:
    passes = runs = 0
    orders = list(itertools.permutations(accuracies))
    for order in orders:
        tried = order[:1]
        if 0.94 < order[0] <= 0.95:
            for accuracy in order[1 : 1 + count]:
                tried += (accuracy,)
                if accuracy > 0.95:
                    break
        passes += max(tried) > 0.95
        runs += len(tried)
    share, each = second_runs(
        runs=len(accuracies),
        passed=sum(accuracy > 0.95 for accuracy in accuracies),
        near=sum(0.94 < accuracy <= 0.95 for accuracy in accuracies),
        count=count,
    )
    assert (share, each) == pytest.approx((passes / len(orders), runs / len(orders)))


# ---------------------------------------------------------------------- subjects


def test_subjects_are_the_starter_the_solutions_and_the_sweep() -> None:
    found = subjects_of(ROOT, widths=[8, 16], starter_epochs=2, sweep_epochs=3)
    assert [each.name for each in found[:2]] == ["starter", "reference"]
    solutions = {path.stem for path in (ROOT / "solutions").glob("*.ipynb")} - {"reference"}
    assert {each.name for each in found if each.role is Role.SOLUTION} == solutions
    assert [each.name for each in found[-2:]] == ["8 units", "16 units"]
    own = load_config(ROOT / "otter_config.json").starter.epochs
    assert [(each.epochs, each.own_epochs) for each in (found[0], found[-1])] == [(2, own), (3, 10)]
    assert {each.name: each.passes for each in found}["width_only"] is False
    assert {each.name: each.passes for each in found}["rate_only"] is True


def test_only_what_training_depends_on_is_left_of_a_notebook() -> None:
    by_name = {each.name: each for each in subjects_of(ROOT, widths=[8], sweep_epochs=3)}
    cells = {
        name: ["".join(cell["source"]) for cell in json.loads(each.notebook)["cells"]]
        for name, each in by_name.items()
    }
    original = json.loads((ROOT / "solutions/reference.ipynb").read_bytes())["cells"]
    sources = ["".join(cell["source"]) for cell in original]
    assert len(cells["reference"]) == 2
    data, training = cells["reference"]
    assert data in sources
    [whole] = [source for source in sources if "model.fit(" in source and "model = " in source]
    assert whole.replace("    callbacks=[Progress()],\n", "").endswith(training)
    assert training.startswith("keras.utils.set_random_seed(") and "Progress" not in training
    assert cells["8 units"][0] == cells["reference"][0]
    changed = (
        cells["reference"][1].replace("Dense(64,", "Dense(8,").replace("epochs=10", "epochs=3")
    )
    assert cells["8 units"][1] == changed != cells["reference"][1]


# ---------------------------------------------------------------------- measuring


def measure(pool: FakePool, path: Path, tasks: Any, **options: Any) -> list[str]:
    options = {"conditions": "keras 3", "first_seed": SEED, **options}
    return measure_all(tasks, open_pool=pool.opened, path=path, **options)


def test_an_interrupted_run_goes_on(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    tasks = [(subject("one"), shift) for shift in range(4)]

    def stop_at_third(name: str, shift: int) -> float:
        if shift == 2:
            raise KeyboardInterrupt
        return 0.9

    with pytest.raises(KeyboardInterrupt):
        measure(FakePool(config, stop_at_third), path, tasks)
    with path.open("ab") as file:
        file.write(b'{"subject": "one", "con')  # killed in the middle of a line
    pool = FakePool(config, lambda name, shift: 0.95 + shift / 100)
    assert measure(pool, path, tasks) == []
    assert pool.measured == ["one@2", "one@3"]
    samples = read_samples(path)
    assert [(s.seed - SEED, s.accuracy) for s in samples] == [
        (0, 0.9),
        (1, 0.9),
        (2, 0.97),
        (3, 0.98),
    ]


def test_another_notebook_is_measured_anew(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    for text, accuracy in (("old", 0.5), ("new", 0.96)):
        task = (subject("one", text=text), 0)
        measure(FakePool(config, lambda name, shift, a=accuracy: a), path, [task])  # type: ignore[misc]
    [row] = rows_of([subject("one", text="new")], read_samples(path), config)
    assert row.accuracies == (0.96,) and row.passed == row.runs == 1


def test_what_was_measured_under_other_conditions_is_measured_anew(
    config: Config, tmp_path: Path
) -> None:
    path, tasks = tmp_path / "samples.jsonl", [(subject("one"), 0)]
    measured = []
    for conditions in ("keras 3, 1 thread", "keras 3, 2 threads", "keras 3, 1 thread"):
        pool = FakePool(config, lambda name, shift: 0.9)
        measure(pool, path, tasks, conditions=conditions)
        measured.append(len(pool.measured))
    assert measured == [1, 1, 0]


def test_what_the_grader_fails_with_is_tried_once_more_and_then_named(
    config: Config, tmp_path: Path
) -> None:
    path = tmp_path / "samples.jsonl"
    pool = FakePool(config, lambda name, shift: None if shift == 1 else 0.9)
    problems = measure(pool, path, [(subject("one"), shift) for shift in range(3)])
    assert pool.measured == ["one@0", "one@1", "one@1", "one@2"]
    assert len(problems) == 1 and problems[0].startswith("one@1: ")
    assert len(read_samples(path)) == 2


def test_nothing_is_begun_after_its_time(config: Config, tmp_path: Path) -> None:
    now = itertools.count(step=20.0)
    pool = FakePool(config, lambda name, shift: 0.9)
    tasks = [(subject("one"), shift) for shift in range(9)]
    measure(pool, tmp_path / "s.jsonl", tasks, seconds=50.0, clock=lambda: next(now))
    assert 0 < len(pool.measured) < 9
    assert len(read_samples(tmp_path / "s.jsonl")) == len(pool.measured), "what runs is finished"


def test_where_nothing_can_be_graded_it_stops(config: Config, tmp_path: Path) -> None:
    class Refusing(FakePool):
        def wait(self, seconds: float) -> list[Event]:
            job = self.waiting.pop()
            return [Event(submission=job.submission, answer=Refused(reason="no box"))]

    with pytest.raises(BoxError, match="no box"):
        measure(Refusing(config, lambda name, shift: 0.9), tmp_path / "s", [(subject("one"), 0)])


def test_garbage_among_the_samples_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"accuracy": 1}\n')
    with pytest.raises(DataError, match=r"samples\.jsonl"):
        read_samples(path)


# ---------------------------------------------------------------------- the command


def calibrate(
    monkeypatch: pytest.MonkeyPatch, config: Config, accuracy: Accuracy, *arguments: str
) -> tuple[Result, FakePool]:
    pool = FakePool(config, accuracy)
    monkeypatch.setattr(
        "studies.calibration.measuring.local_pool", lambda *a, **named: pool.opened()
    )
    known = replace(load_assignment(ROOT), config=config)
    monkeypatch.setattr("autograder.core.assignment.load_assignment", lambda root: known)
    options = ["--root", str(ROOT), "--seeds", "3", "--other-seeds", "2", "--widths", "8,32"]
    return CliRunner().invoke(command, [*options, *arguments]), pool


def as_wanted(name: str, shift: int) -> float:
    known = {"starter": 0.1, "8 units": 0.90, "32 units": 0.949 + 0.004 * shift}
    return known.get(name, 0.97)


def test_page_and_plot(monkeypatch: pytest.MonkeyPatch, config: Config, tmp_path: Path) -> None:
    done, pool = calibrate(monkeypatch, config, as_wanted, "-o", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert pool.measured[:4] == ["starter@0", "reference@0", "starter@1", "reference@1"]
    everything = sorted(pool.measured)
    page = (tmp_path / "calibration.md").read_text("utf-8")
    rows = {
        line.split(" | ")[0].strip("| "): line.strip("|").split(" | ") for line in page.splitlines()
    }
    assert rows["starter"][8] == "0 of 3" and rows["reference"][8] == "3 of 3"
    assert [cell.strip() for cell in rows["32 units"][4:]] == [
        "0.9510", "0.0028", "0.9490", "0.9530", "1 of 2", "0.50 (0.09 to 0.91)", "1.00", "1.5",
    ]  # fmt: skip
    assert "`python -m studies.calibration --seeds 3 --other-seeds 2 --widths 8,32`" in page
    assert str(tmp_path) not in page and "not made" not in page
    plot = (tmp_path / "calibration.svg").read_bytes()
    assert ElementTree.fromstring(plot).tag.endswith("svg")
    again, pool = calibrate(monkeypatch, config, as_wanted, "-o", str(tmp_path), "--resume")
    assert again.exit_code == 0 and pool.measured == []
    assert (tmp_path / "calibration.svg").read_bytes() == plot
    monkeypatch.setattr("studies.calibration.conditions.version", lambda name: "0.0")
    other, pool = calibrate(monkeypatch, config, as_wanted, "-o", str(tmp_path), "--resume")
    assert other.exit_code == 0 and sorted(pool.measured) == everything
    assert "keras 0.0" in (tmp_path / "calibration.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "accuracy", "said"),
    [
        ("starter", 0.96, "starter: 1 of 3 runs passed, and none should"),
        ("reference", 0.95, "reference: 2 of 3 runs passed, and all should"),
    ],
)
def test_a_wrong_verdict_from_one_seed_is_an_exit_status(
    monkeypatch: pytest.MonkeyPatch,
    config: Config,
    tmp_path: Path,
    name: str,
    accuracy: float,
    said: str,
) -> None:
    def once(subject: str, shift: int) -> float:
        return accuracy if (subject, shift) == (name, 1) else as_wanted(subject, shift)

    done, _ = calibrate(monkeypatch, config, once, "-o", str(tmp_path))
    assert done.exit_code == 1
    assert said in done.output and said in (tmp_path / "calibration.md").read_text("utf-8")


def test_an_unfinished_measurement_is_no_success(
    monkeypatch: pytest.MonkeyPatch, config: Config, tmp_path: Path
) -> None:
    def fails(name: str, shift: int) -> float | None:
        return None if name == "8 units" and shift else as_wanted(name, shift)

    done, _ = calibrate(monkeypatch, config, fails, "-o", str(tmp_path))
    assert done.exit_code == 1
    page = (tmp_path / "calibration.md").read_text("utf-8")
    assert "Of the runs that were planned, 1 were not made." in page


def test_earlier_samples_are_not_lost_by_mistake(
    monkeypatch: pytest.MonkeyPatch, config: Config, tmp_path: Path
) -> None:
    calibrate(monkeypatch, config, as_wanted, "-o", str(tmp_path))
    again, pool = calibrate(monkeypatch, config, as_wanted, "-o", str(tmp_path))
    assert again.exit_code == 2 and "--resume" in again.output and pool.measured == []


@pytest.mark.parametrize("widths", ["0", "8,x", "8,20000", "-4"])
def test_absurd_widths_are_refused(
    monkeypatch: pytest.MonkeyPatch, config: Config, tmp_path: Path, widths: str
) -> None:
    done, pool = calibrate(monkeypatch, config, as_wanted, "-o", str(tmp_path), "--widths", widths)
    assert done.exit_code == 2 and "whole numbers from 1" in done.output and not pool.measured
