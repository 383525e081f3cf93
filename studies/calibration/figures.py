"""The numbers that a calibration gives: means, spreads, and how often a network passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from autograder.core.config import Config
from autograder.grading.evidence import is_near
from studies.calibration.measuring import Sample
from studies.calibration.subjects import Role, Subject

Z = 1.959964
"""Of the normal distribution, for 95 % (two-sided)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One network, over all seeds that it was measured from.

    Attributes
    ----------
    accuracies
        Those of runs that gave a verified network, in the order of the seeds.
    runs
        All runs.
    passed
        Runs with more than the threshold.
    again
        What second runs would make of it: the share of submissions that would pass.
    runs_each
        How often each submission would then be run, on average.
    seconds
        Wall time of the cells, on average.
    """

    subject: Subject
    accuracies: tuple[float, ...]
    parameters: int | None
    runs: int
    passed: int
    again: float
    runs_each: float
    seconds: float

    @property
    def mean(self) -> float | None:
        """Mean accuracy."""
        return mean(self.accuracies) if self.accuracies else None

    @property
    def spread(self) -> float | None:
        """Standard deviation of the accuracy, from one seed to another."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else None

    @property
    def share(self) -> float:
        """Share of the runs that passed."""
        return self.passed / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """Between which the probability of passing lies, with 95 % confidence."""
        return wilson(self.passed, self.runs)

    @property
    def surprise(self) -> str:
        """What is wrong, where the starter passed once or the reference failed once; or empty."""
        role, passed = self.subject.role, f"{self.passed} of {self.runs} runs passed"
        if role is Role.STARTER and self.passed:
            return f"{self.subject.name}: {passed}, and none should"
        if role is Role.REFERENCE and self.passed < self.runs:
            return f"{self.subject.name}: {passed}, and all should"
        return ""


def wilson(passed: int, runs: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion (E. B. Wilson, JASA 22, 1927).

    Unlike the textbook's plus or minus it stays within 0 and 1, and says something of 30 of 30.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(30, 30)], [round(b, 3) for b in wilson(5, 10)]
    ([0.886, 1.0], [0.237, 0.763])
    """
    share, square = passed / runs, Z * Z
    middle = (share + square / (2 * runs)) / (1 + square / runs)
    half = math.sqrt(share * (1 - share) / runs + square / (4 * runs**2)) * Z / (1 + square / runs)
    low = 0.0 if passed == 0 else middle - half
    return low, 1.0 if passed == runs else middle + half


def rows_of(subjects: Sequence[Subject], samples: Sequence[Sample], config: Config) -> list[Row]:
    """A row for each network of which there is at least one sample."""
    rows = []
    for subject in subjects:
        mine = {
            sample.seed: sample
            for sample in samples
            if (sample.subject, sample.content) == (subject.name, subject.content)
        }
        if mine:
            rows.append(_row(subject, [mine[seed] for seed in sorted(mine)], config))
    return rows


def _row(subject: Subject, samples: Sequence[Sample], config: Config) -> Row:
    accuracies = tuple(s.accuracy for s in samples if s.accuracy is not None)
    passed = sum(accuracy > config.accuracy.threshold for accuracy in accuracies)
    near = sum(is_near(accuracy, config) for accuracy in accuracies)
    again, runs_each = second_runs(
        runs=len(samples), passed=passed, near=near, count=config.second_runs.count
    )
    return Row(
        subject=subject,
        accuracies=accuracies,
        parameters=next((s.parameters for s in samples if s.parameters is not None), None),
        runs=len(samples),
        passed=passed,
        again=again,
        runs_each=runs_each,
        seconds=mean(sample.seconds for sample in samples),
    )


def second_runs(*, runs: int, passed: int, near: int, count: int) -> tuple[float, float]:
    """What second runs would do to these runs: (share that passes, runs on average).

    Seeds are as good as each other, so the runs that follow a near miss are as good as drawn
    from all the others without putting back: the share is over every order of the seeds.

    Parameters
    ----------
    near
        Runs that missed the threshold by less than the margin.
    count
        Second runs at most.

    Examples
    --------
    >>> second_runs(runs=4, passed=2, near=1, count=1)
    (0.6666666666666666, 1.25)
    """
    others, failing = runs - 1, runs - 1 - passed
    share, each = passed / runs, 1.0
    missed = near / runs  # those for which no run has passed yet
    for drawn in range(min(count, others)):
        each += missed
        still = missed * (failing - drawn) / (others - drawn) if failing > drawn else 0.0
        share += missed - still
        missed = still
    return share, each
