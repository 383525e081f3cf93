"""Second runs: where a network misses by so little that chance may have decided.

The same network, trained from other seeds, comes out a little better or worse
(docs/calibration.md). One that misses the threshold by less than the margin is therefore run
again with the next seeds, until one run passes or they are used up; the best run counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder.core.config import Config, Limits
from autograder.core.report import CheckResult, RunReport
from autograder.grading.evidence import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One run of a notebook, and what the checks made of it.

    Attributes
    ----------
    score
        Points of all checks.
    """

    attempt: Attempt
    checks: list[CheckResult]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """All runs of one notebook.

    Attributes
    ----------
    left_out
        Further runs that were due, but for which no time was left.
    """

    all: tuple[Checked, ...]
    left_out: int = 0

    @property
    def best(self) -> Checked:
        """The run that counts: most points, then highest accuracy, then the earliest.

        Points come first, so that no second run can take away what the first one earned.
        """
        return max(self.all, key=lambda each: (each.score, each.attempt.accuracy or 0.0))

    @property
    def reports(self) -> list[RunReport]:
        """A record for each run; empty where there was one only."""
        if len(self.all) == 1:
            return []
        best = self.best
        return [
            RunReport(
                seed=each.attempt.seed,
                accuracy=each.attempt.accuracy,
                seconds=round(each.attempt.execution.seconds, 3),
                counted=each is best,
            )
            for each in self.all
        ]

    def notes(self, config: Config) -> list[str]:
        """What to tell the student about it; nothing where there was no cause for a second run."""
        points = f"{100 * config.second_runs.margin:g}"
        margin = f"less than {points} percentage point{'s' * (points != '1')}"
        missed = (
            f"Your network missed the wanted accuracy by {margin}, which may be the luck of the "
            "random numbers that training begins with."
        )
        if len(self.all) == 1:
            if not self.left_out:
                return []
            return [f"{missed} There was no time left to run your notebook again with others."]
        outcomes = [
            f"seed {run.seed}: "
            + ("no network" if run.accuracy is None else f"{run.accuracy:.4f}")
            + (" (this run counts)" if run.counted else "")
            for run in self.reports
        ]
        late = " There was no time left for a further run." if self.left_out else ""
        return [
            f"{missed} So your notebook was run again with other seeds, and the best run counts. "
            f"{'; '.join(outcomes)}.{late}"
        ]


def is_near(accuracy: float, config: Config) -> bool:
    """Whether an accuracy misses the threshold, but by less than the margin."""
    threshold = config.accuracy.threshold
    return not accuracy > threshold and threshold - accuracy < config.second_runs.margin


def is_due(attempts: Sequence[Attempt], config: Config) -> bool:
    """Whether a notebook is to be run again after these runs, the first one first."""
    first, last = attempts[0], attempts[-1]
    if not first.is_sound or first.accuracy is None or not is_near(first.accuracy, config):
        return False
    has_passed = last.is_sound and (last.accuracy or 0.0) > config.accuracy.threshold
    return len(attempts) <= config.second_runs.count and not has_passed


def run_seeds(
    attempt: Callable[[int, Limits], Attempt],
    *,
    config: Config,
    deadline: float | None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[tuple[Attempt, ...], int]:
    """Run a notebook once, and again where its network only just misses.

    Parameters
    ----------
    attempt
        Runs it with so much added to every seed, within these limits.
    deadline
        When the last cell must have ended, by `clock`; None where nobody waits. A run takes as
        long as the first did, so none is begun that cannot be done by then.

    Returns
    -------
    All runs, and how many more were due, but for which no time was left.
    """
    started = clock()
    attempts = [attempt(0, config.limits)]
    needed = clock() - started
    while is_due(attempts, config):
        left = None if deadline is None else deadline - clock()
        if left is not None and left < needed:
            return tuple(attempts), config.second_runs.count + 1 - len(attempts)
        limits = config.limits if left is None else config.limits.within(left)
        attempts.append(attempt(len(attempts), limits))
    return tuple(attempts), 0
