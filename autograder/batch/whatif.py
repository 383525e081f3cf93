"""How many would pass by other rules: two curves, from the reports that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from autograder.core.config import Config
from autograder.core.report import Report
from autograder.core.text import percent

STEPS = range(-4, 5)
THRESHOLD_STEP = 0.005
BUDGET_STEP = 0.2
"""Of the budget itself."""
BAR = 40
"""Characters for everybody."""


def curves(reports: Iterable[Report], tried: Config, *, today: Config) -> list[str]:
    """Lines for a terminal: the share of all who have a score that passes, by either rule alone.

    Each curve goes some steps to both sides of what is tried, and has the rule of today too.
    """
    graded = [report for report in reports if report.score is not None]
    threshold, budget = tried.accuracy.threshold, tried.budget.max_parameters
    thresholds = [round(threshold + step * THRESHOLD_STEP, 6) for step in STEPS]
    budgets = [round(budget * (1 + step * BUDGET_STEP)) for step in STEPS]
    return [
        "", "Would pass the check “accuracy”, by threshold:",
        *_curve(
            graded, [x for x in thresholds if 0 < x < 1],
            {threshold: "tried", today.accuracy.threshold: "now"}, reads_more_than,
            lambda value: f"more than {percent(value)}",
        ),
        "", "Would pass the check “budget”, by its size:",
        *_curve(
            graded, [x for x in budgets if x > 0],
            {budget: "tried", today.budget.max_parameters: "now"}, has_at_most,
            lambda value: f"at most {value:,.0f}",
        ),
        "",
    ]  # fmt: skip


def reads_more_than(report: Report, threshold: float) -> bool:
    """Whether its network is accurate enough, and has not seen the test images."""
    network = report.network
    return network is not None and not network.leaked and network.accuracy > threshold


def has_at_most(report: Report, budget: float) -> bool:
    """Whether its network is known to be small enough."""
    return report.parameters is not None and report.parameters <= budget


def _curve(
    graded: Sequence[Report],
    steps: Iterable[float],
    named: Mapping[float, str],
    passes: Callable[[Report, float], bool],
    told: Callable[[float], str],
) -> Iterator[str]:
    values = sorted({*steps, *named})
    width = max(len(told(value)) for value in values)
    for value in values:
        count = sum(passes(report, value) for report in graded)
        share = count / len(graded) if graded else 0.0
        mark = f" <- {named[value]}" if value in named else ""
        bar = "#" * round(BAR * share)
        yield (
            f"  {told(value):>{width}}  {bar:{BAR}} {100 * share:5.1f} %  "
            f"{count} of {len(graded)}{mark}"
        )
