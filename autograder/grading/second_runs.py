"""Second runs: where a network misses by so little that chance may have decided.

The same network, trained from other seeds, comes out a little better or worse
(docs/calibration.md). One that misses the threshold by less than the margin is therefore run
again with the next seeds, until one run passes or they are used up; the best run counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from autograder.core.config import Config, Limits
from autograder.core.report import CheckResult, RunReport
from autograder.core.verdict import Ending
from autograder.grading.checks import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run of a notebook, and what the checks made of it.

    Attributes
    ----------
    seed
        Set before the first cell. Seeds that the notebook sets itself are later by as much as
        this one is later than the configured one.
    too_large
        Whether the network was too large to leave the box.
    score
        Points of all checks.
    """

    seed: int
    evidence: Evidence
    checks: list[CheckResult]
    score: float
    too_large: bool

    @property
    def accuracy(self) -> float | None:
        """The accuracy that counts, a fraction; None where there is no verified network."""
        measurement = self.evidence.measurement
        return None if measurement is None else measurement.accuracy

    @property
    def is_sound(self) -> bool:
        """Whether the notebook came to its end, and its network was verified and may count."""
        measurement = self.evidence.measurement
        return (
            self.evidence.execution.ending is Ending.COMPLETED
            and measurement is not None
            and not measurement.leaked
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """All runs of one notebook.

    Attributes
    ----------
    left_out
        Further runs that were due, but for which no time was left.
    """

    all: tuple[Attempt, ...]
    left_out: int = 0

    @property
    def best(self) -> Attempt:
        """The run that counts: most points, then highest accuracy, then the earliest.

        Points come first, so that no second run can take away what the first one earned.
        """
        return max(self.all, key=lambda attempt: (attempt.score, attempt.accuracy or 0.0))

    @property
    def reports(self) -> list[RunReport]:
        """A record for each run; empty where there was one only."""
        if len(self.all) == 1:
            return []
        best = self.best
        return [
            RunReport(
                seed=attempt.seed,
                accuracy=attempt.accuracy,
                seconds=round(attempt.evidence.execution.seconds, 3),
                counted=attempt is best,
            )
            for attempt in self.all
        ]

    def notes(self, config: Config) -> list[str]:
        """What to tell the student about it; nothing where there was no cause for a second run."""
        margin = f"less than {100 * config.second_runs.margin:g} percentage points"
        missed = (
            f"Your network missed the wanted accuracy by {margin}, which may be the luck of the "
            "random numbers that training begins with."
        )
        if len(self.all) == 1:
            if not self.left_out:
                return []
            return [f"{missed} There was no time left to run your notebook again with others."]
        best = self.best
        outcomes = [
            f"seed {attempt.seed}: "
            + ("no network" if attempt.accuracy is None else f"{attempt.accuracy:.4f}")
            + (" (this run counts)" if attempt is best else "")
            for attempt in self.all
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


def run_seeds(
    attempt: Callable[[int, Limits], Attempt],
    *,
    config: Config,
    deadline: float | None,
    clock: Callable[[], float] = time.monotonic,
) -> Attempts:
    """Run a notebook once, and again where its network only just misses.

    Parameters
    ----------
    attempt
        Runs it with so much added to every seed, within these limits.
    deadline
        When the last cell must have ended, by `clock`; None where nobody waits. A run takes as
        long as the first did, so none is begun that cannot be done by then.
    """
    started = clock()
    attempts = [attempt(0, config.limits)]
    needed = clock() - started
    first = attempts[0]
    if not first.is_sound or first.accuracy is None or not is_near(first.accuracy, config):
        return Attempts(all=tuple(attempts))
    count = config.second_runs.count
    for shift in range(1, count + 1):
        left = None if deadline is None else deadline - clock()
        if left is not None and left < needed:
            return Attempts(all=tuple(attempts), left_out=count + 1 - shift)
        attempts.append(attempt(shift, _within(config.limits, left)))
        reached = attempts[-1].accuracy
        if attempts[-1].is_sound and reached is not None and reached > config.accuracy.threshold:
            break
    return Attempts(all=tuple(attempts))


def _within(limits: Limits, seconds: float | None) -> Limits:
    """The limits with at most so many seconds for the cells."""
    if seconds is None:
        return limits
    return msgspec.structs.replace(
        limits,
        notebook_seconds=min(limits.notebook_seconds, seconds),
        cell_seconds=min(limits.cell_seconds, seconds),
    )
