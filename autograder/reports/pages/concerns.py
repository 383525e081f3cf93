"""At which submissions a person should look, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder.core.config import REFLECTION_NAMES, Config
from autograder.core.report import Report
from autograder.core.text import excerpt, percent
from autograder.core.verdict import Verdict
from autograder.reports.pages.class_view import MAX_NOTE_CHARACTERS, Row
from autograder.reports.pages.reading import Entry

FAILED, ABSENT = "The grader failed", "No score, since nothing was handed in"
LEAKED = "Learned from test images"
REFUSED, UNPROVED = "Networks that could not be measured", "Preparation of the images not proved"
NEAR, ODD, ALIKE = "Near the threshold", "Odd or very short reflections", "Alike"
TITLES = (FAILED, ABSENT, LEAKED, REFUSED, UNPROVED, NEAR, ODD, ALIKE)
"""Why a person should look, the most urgent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Submissions at which a person should look, for one reason."""

    title: str
    found: Sequence[tuple[Sequence[Row], str]]
    """Which, and what is to be said of each."""


def concerns_of(
    entries: Sequence[Entry],
    rows: Sequence[Row],
    similar: Sequence[tuple[Sequence[Row], str]],
    config: Config,
) -> list[Concern]:
    """Where a person should look, the most urgent first; reasons that nobody gives are left out.

    Parameters
    ----------
    similar
        Submissions that are alike, and in what.
    """
    found: dict[str, list[tuple[Sequence[Row], str]]] = {}
    for entry, row in zip(entries, rows, strict=True):
        for title, text in _concerns(entry.report, row, config):
            found.setdefault(title, []).append(([row], text))
    if similar:
        found[ALIKE] = list(similar)
    return [Concern(title=title, found=found[title]) for title in TITLES if title in found]


def needing(concerns: Iterable[Concern]) -> int:
    """How many submissions a person should look at; where there is none, there is nothing to do."""
    return len(
        {
            row.key
            for concern in concerns
            if concern.title != ABSENT
            for rows, _ in concern.found
            for row in rows
        }
    )


def _concerns(report: Report | None, row: Row, config: Config) -> Iterator[tuple[str, str]]:
    """(title, what to say) for one submission."""
    if report is None or report.verdict is Verdict.GRADER_ERROR:
        yield FAILED, row.notes or "See its grading.log."
        return
    if report.score is None:
        yield ABSENT, row.notes
        return
    if report.verdict is Verdict.UNVERIFIABLE_MODEL:
        yield REFUSED, excerpt(" ".join(report.reasons), MAX_NOTE_CHARACTERS)
    if network := report.network:
        told = f"{percent(network.accuracy)} of the test images"
        if network.leaked:
            yield LEAKED, f"{told}, {percent(network.training_accuracy)} of the training images"
        if not network.preparation_proved_by:
            yield UNPROVED, f"taken for {network.preparation}; {told}"
        if abs(network.accuracy - config.accuracy.threshold) <= config.second_runs.margin:
            yield NEAR, told
    for number, name in enumerate(REFLECTION_NAMES, start=1):
        if (answer := report.reflections.get(name)) and answer.remark:
            yield ODD, f"reflection {number}: {excerpt(answer.remark, MAX_NOTE_CHARACTERS)}"
