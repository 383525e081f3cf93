"""Measures every network from every seed, and keeps each outcome as soon as it is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.batch.messages import CellRan, Job, Lost, Refused, Setup
from autograder.batch.pool import LocalPool, Pool
from autograder.core.assignment import Assignment
from autograder.core.config import Record
from autograder.core.errors import BoxError, DataError
from autograder.core.report import Report, Verdict
from autograder.sandbox import BoxKind
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe
from studies.calibration.subjects import Role, Subject

WAIT_SECONDS = 0.5
TRIES = 2
"""Of one measurement; a process may be lost to something else that the machine does."""


Key = tuple[str, str, str, int]
"""Network, content of its notebook, conditions, seed."""


class Sample(Record, frozen=True, kw_only=True):
    """One network from one seed: a line of the file."""

    subject: str
    content: str
    """Of the notebook; a line about another notebook of that name does not count."""
    conditions: str
    """As `conditions_of` has them; a line under others does not count either."""
    seed: int
    accuracy: float | None
    """None where there was no verified network."""
    parameters: int | None
    verdict: Verdict
    seconds: float
    """Wall time of the notebook's cells."""

    @property
    def key(self) -> Key:
        """What it measures: see `key_of`."""
        return self.subject, self.content, self.conditions, self.seed


def key_of(subject: Subject, conditions: str, seed: int) -> Key:
    """What tells one measurement from another."""
    return subject.name, subject.content, conditions, seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is to be measured.

    Attributes
    ----------
    seeds
        For starter and reference.
    other_seeds
        For every other network.
    """

    seeds: int
    other_seeds: int

    def tasks(self, subjects: Sequence[Subject]) -> list[tuple[Subject, int]]:
        """(network, shift) of each run: starter and reference first, then all others evenly."""
        vital = [each for each in subjects if each.role in (Role.STARTER, Role.REFERENCE)]
        others = [each for each in subjects if each not in vital]
        return [
            (subject, shift)
            for group, count in ((vital, self.seeds), (others, self.other_seeds))
            for shift in range(count)
            for subject in group
        ]


OnSample = Callable[[Sample, int, int], None]
"""Given a new sample, how many are there, and how many there will be."""


def read_samples(path: Path) -> list[Sample]:
    """What was measured before; nothing where there is no such file.

    Raises
    ------
    DataError
        If a line other than a torn last one cannot be read.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    lines, _, torn = text.rpartition(b"\n")
    try:
        samples = [msgspec.json.decode(line, type=Sample) for line in lines.splitlines()]
    except msgspec.MsgspecError as error:
        raise DataError(f"{path}: cannot be read ({error}); measure anew.") from error
    if torn:  # a run was killed in the middle of a line
        path.write_bytes(lines + b"\n" if lines else b"")
    return samples


def measure_all(
    tasks: Sequence[tuple[Subject, int]],
    *,
    open_pool: Callable[[], AbstractContextManager[Pool]],
    conditions: str,
    first_seed: int,
    path: Path,
    on_sample: OnSample = lambda sample, done, total: None,
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> list[str]:
    """Measure what is not in the file yet, and add it there.

    Parameters
    ----------
    tasks
        (network, what to add to every seed).
    conditions
        Those of now, from `conditions_of`.
    first_seed
        The configured one, to which that is added.
    seconds
        After so long nothing new is begun; None for no such time.

    Returns
    -------
    list of str
        A sentence about each measurement that failed.

    Raises
    ------
    BoxError
        If nothing can be graded here.
    """
    known = {sample.key for sample in read_samples(path)}
    todo = [
        (subject, shift, 1)
        for subject, shift in tasks
        if key_of(subject, conditions, first_seed + shift) not in known
    ]
    done, problems = len(tasks) - len(todo), []
    end = None if seconds is None else clock() + seconds
    flights: dict[str, tuple[Subject, int, int]] = {}
    with open_pool() as pool, path.open("ab", buffering=0) as file:
        while todo or flights:
            if end is not None and clock() > end:
                todo.clear()
            while todo and pool.free > 0:
                subject, shift, tries = todo.pop(0)
                job = _job(subject, shift)
                flights[job.submission] = (subject, shift, tries)
                pool.submit(job)
            for event in pool.wait(WAIT_SECONDS):
                answer = event.answer
                if isinstance(answer, CellRan):
                    continue
                if isinstance(answer, Refused):
                    raise BoxError(answer.reason)
                subject, shift, tries = flights.pop(event.submission)
                if isinstance(answer, Lost) or answer.report.verdict is Verdict.GRADER_ERROR:
                    if tries < TRIES:
                        todo.insert(0, (subject, shift, tries + 1))
                    elif isinstance(answer, Lost):
                        problems.append(f"{event.submission}: {answer.reason}")
                    else:
                        why = " ".join(answer.report.staff_notes)
                        problems.append(f"{event.submission}: {why}")
                    continue
                sample = _sample(answer.report, subject, conditions, first_seed + shift)
                file.write(msgspec.json.encode(sample) + b"\n")
                done += 1
                on_sample(sample, done, len(tasks))
    return problems


@contextmanager
def local_pool(assignment: Assignment, *, jobs: int, kinds: Sequence[BoxKind]) -> Iterator[Pool]:
    """Grading processes as `m5 grade` has them, without second runs."""
    once = msgspec.structs.replace(assignment.config.second_runs, count=0)
    config = msgspec.structs.replace(assignment.config, second_runs=once)
    with Toolbox.make(assignment.mnist.handed_out()) as toolbox:
        setup = Setup(
            config=config,
            data=str(assignment.data.resolve()),
            tests=str(assignment.tests.resolve()),
            lesson=assignment.lesson,
            toolbox=str(toolbox.root),
            isolation=probe(
                limits=config.limits,
                toolbox=toolbox,
                secret_files=assignment.secret_files,
                kinds=kinds,
            ),
            kinds=list(kinds),
            require_isolation=False,
            warm=True,
            leftovers=[str(toolbox.root)],
            grader="studies.calibration.worker:make_grader",
        )
        with LocalPool(setup, size=jobs) as pool:
            yield pool


def _job(subject: Subject, shift: int) -> Job:
    return Job(
        submission=f"{subject.name}@{shift}",
        name="",
        email="",
        file_name=b"m5.ipynb",
        content=subject.notebook,
        refusal="",
    )


def _sample(report: Report, subject: Subject, conditions: str, seed: int) -> Sample:
    network = report.network
    return Sample(
        subject=subject.name,
        content=subject.content,
        conditions=conditions,
        seed=seed,
        accuracy=network.accuracy if network else None,
        parameters=network.parameters if network else None,
        verdict=report.verdict,
        seconds=round(report.seconds, 1),
    )
