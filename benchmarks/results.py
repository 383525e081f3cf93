"""What a run of the benchmarks found out: plain records, written as JSON beside the page."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from autograder.core.config import Record


class Spread(Record, frozen=True):
    """Several measurements of one thing."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up at least one value."""
        return cls(
            median=statistics.median(values), low=min(values), high=max(values), count=len(values)
        )


class Goal(Record, frozen=True):
    """What a number should be.

    Attributes
    ----------
    at_most, at_least
        One of them is a number in the row's unit.
    if_missed
        Why it may not be met, for the reader of a table in which it is not.
    """

    at_most: float | None = None
    at_least: float | None = None
    if_missed: str = ""

    def is_met(self, value: float) -> bool:
        """Whether `value` is as it should be; NaN never is."""
        over = self.at_least is None or value >= self.at_least
        under = self.at_most is None or value <= self.at_most
        return over and under


class Row(Record, frozen=True):
    """One line of the table.

    Attributes
    ----------
    unit
        ``s``, ``MB``, ``%``, or ``x`` for a ratio.
    text
        Stands in place of a number, for what is none.
    goal_met
        Whether the median is as it should be; None without a goal.
    """

    what: str
    unit: str = ""
    value: Spread | None = None
    text: str = ""
    goal: Goal | None = None
    goal_met: bool | None = None


class Part(Record, frozen=True):
    """One question, and its answer.

    Attributes
    ----------
    compared
        What exactly was run, for who wants to doubt it.
    seconds
        That it took.
    """

    name: str
    title: str
    compared: str
    rows: list[Row]
    seconds: float = 0.0


class Machine(Record, frozen=True):
    """Where it was measured."""

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    packages: dict[str, str]
    load_before: float
    """Processes that wanted to run, over the last minute before the start."""
    measured_by: str
    """How memory was seen."""


class Results(Record, frozen=True):
    """One run of ``python -m benchmarks``."""

    date: str
    command: str
    quick: bool
    rounds: int
    machine: Machine
    parts: list[Part]


def row(what: str, values: Sequence[float], unit: str, goal: Goal | None = None) -> Row:
    """A line for numbers."""
    value = Spread.of(values)
    met = None if goal is None else goal.is_met(value.median)
    return Row(what=what, unit=unit, value=value, goal=goal, goal_met=met)
