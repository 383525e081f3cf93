"""How many would pass by other rules: two curves, from the reports that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from autograder.core.config import Config
from autograder.core.report import Report
from autograder.core.text import percent

STEPS = range(-4, 5)
THRESHOLD_STEP = 0.005
BUDGET_STEP = 0.2
"""Of the budget itself."""
BAR = 40
"""Characters for everybody."""


def curves(reports: Iterable[Report], config: Config) -> list[str]:
    """Lines for a terminal: the share of all who have a score that passes, by either rule alone."""
    graded = [report for report in reports if report.score is not None]
    threshold, budget = config.accuracy.threshold, config.budget.max_parameters
    thresholds = [round(threshold + step * THRESHOLD_STEP, 6) for step in STEPS]
    budgets = [round(budget * (1 + step * BUDGET_STEP)) for step in STEPS]
    return [
        "", "Would pass the check “accuracy”, by threshold:",
        *_curve(
            graded, [x for x in thresholds if 0 < x < 1], threshold, reads_more_than,
            lambda value: f"more than {percent(value)}",
        ),
        "", "Would pass the check “budget”, by its size:",
        *_curve(
            graded, [x for x in budgets if x > 0], budget, has_at_most,
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
    values: Sequence[float],
    wanted: float,
    passes: Callable[[Report, float], bool],
    named: Callable[[float], str],
) -> Iterator[str]:
    names = [named(value) for value in values]
    for value, name in zip(values, names, strict=True):
        count = sum(passes(report, value) for report in graded)
        share = count / len(graded) if graded else 0.0
        mark = " <" if value == wanted else ""
        bar = "#" * round(BAR * share)
        yield (
            f"  {name:>{max(map(len, names))}}  {bar:{BAR}} {100 * share:5.1f} %  "
            f"{count} of {len(graded)}{mark}"
        )
