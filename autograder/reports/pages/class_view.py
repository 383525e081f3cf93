"""What staff's page shows of each submission, and of all together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

from autograder.core.config import CHECK_NAMES
from autograder.core.report import CheckStatus
from autograder.core.text import excerpt
from autograder.core.verdict import Verdict
from autograder.reports.pages.reading import Entry

UNREADABLE = "UNREADABLE"
"""In place of a verdict, where a report cannot be read."""
MAX_NAME_CHARACTERS = 120
MAX_NOTE_CHARACTERS = 600
MAX_ANSWER_CHARACTERS = 6_000
"""About 1,000 words; the whole answer is in report.json."""
SCORE_BARS = 20
SLOWEST_CELLS = 15
SLOW_SECONDS = 1.0
"""Cells that took less are not worth a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How one check ended, as a mark in the table."""

    title: str
    status: str
    points: float
    max_points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; what is not known is None or empty."""

    key: str
    name: str
    email: str
    link: str
    verdict: str
    score: float | None = None
    accuracy: float | None = None
    parameters: int | None = None
    seconds: float | None = None
    marks: Sequence[Mark] = ()
    notes: str = ""
    is_leaked: bool = False
    passes_network: bool = False
    """Whether both checks of the network passed."""

    @property
    def words(self) -> str:
        """What a search looks through."""
        return " ".join([self.name, self.key, self.email, self.verdict, self.notes]).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The class in numbers.

    Attributes
    ----------
    verdicts
        (verdict, how many), in the order of `Verdict`.
    checks
        (title, how many of those with a score passed), in the order in which checks are shown.
    """

    submissions: int
    scored: int
    mean: float | None
    median: float | None
    full: int
    not_graded: int
    verdicts: list[tuple[str, int]]
    checks: list[tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreBar:
    """How many students have a score from `low` up to, but without, `high`."""

    low: float
    high: float
    students: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One student's answer to one question."""

    row: Row
    text: str
    is_accepted: bool
    reason: str
    remark: str
    """What is odd about an accepted answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowCell:
    """A cell that took long."""

    row: Row
    number: int
    seconds: float
    first_line: str


def row_of(entry: Entry, *, feedback: str) -> Row:
    """The line of one submission.

    Parameters
    ----------
    feedback
        Address of the student's page.
    """
    report, key = entry.report, excerpt(entry.key, MAX_NAME_CHARACTERS)
    if report is None:
        problem = excerpt(entry.problem, MAX_NOTE_CHARACTERS)
        return Row(
            key=key, name=key, email="", link=feedback, verdict=UNREADABLE, notes=problem
        )  # fmt: skip
    network = report.network
    passed = {check.name for check in report.checks if check.status is CheckStatus.PASSED}
    return Row(
        key=key,
        name=excerpt(report.name, MAX_NAME_CHARACTERS).strip() or key,
        email=excerpt(report.email, MAX_NAME_CHARACTERS),
        link=feedback,
        verdict=report.verdict.value,
        score=report.score,
        accuracy=network.accuracy if network else None,
        parameters=network.parameters if network else None,
        seconds=report.seconds if report.cells else None,
        marks=[
            Mark(
                title=check.title,
                status=check.status.value,
                points=check.points,
                max_points=check.max_points,
            )
            for check in report.checks
        ],
        notes=excerpt(" ".join([*report.notes, *report.staff_notes]), MAX_NOTE_CHARACTERS),
        is_leaked=bool(network and network.leaked),
        passes_network=passed >= {"accuracy", "budget"},
    )


def summary_of(rows: Sequence[Row]) -> Summary:
    """The class in numbers."""
    scores = [row.score for row in rows if row.score is not None]
    found = Counter(row.verdict for row in rows)
    order = [*(verdict.value for verdict in Verdict), UNREADABLE]
    with_score = [row for row in rows if row.score is not None]
    titles = {mark.title: 0 for row in with_score for mark in row.marks}
    for row in with_score:
        for mark in row.marks:
            titles[mark.title] += mark.status == CheckStatus.PASSED.value
    return Summary(
        submissions=len(rows),
        scored=len(scores),
        mean=mean(scores) if scores else None,
        median=median(scores) if scores else None,
        full=found[Verdict.PASSED.value],
        not_graded=len(rows) - len(scores),
        verdicts=[(verdict, found[verdict]) for verdict in order if found[verdict]],
        checks=list(titles.items())[: len(CHECK_NAMES)],
    )


def histogram_of(rows: Sequence[Row], max_score: float) -> list[ScoreBar]:
    """Everybody who has a score, in bars of a twentieth of the full score; empty bars are left out.

    The last bar holds the full score as well.
    """
    width = max_score / SCORE_BARS
    counts = Counter(
        min(int(row.score / width + 1e-9), SCORE_BARS - 1) for row in rows if row.score is not None
    )
    return [
        ScoreBar(low=number * width, high=(number + 1) * width, students=counts[number])
        for number in sorted(counts)
    ]


def answers_to(question: str, entries: Sequence[Entry], rows: Sequence[Row]) -> list[Answer]:
    """Every answer to one question, the odd ones first; an unread submission has none."""
    answers = []
    for entry, row in zip(entries, rows, strict=True):
        found = entry.report.reflections.get(question) if entry.report else None
        if found is None:
            continue
        answers.append(
            Answer(
                row=row,
                text=excerpt(found.text, MAX_ANSWER_CHARACTERS).strip(),
                is_accepted=found.present,
                reason=excerpt(found.reason, MAX_NOTE_CHARACTERS),
                remark=excerpt(found.remark, MAX_NOTE_CHARACTERS),
            )
        )
    return sorted(answers, key=lambda answer: not answer.remark)


def slowest_cells(entries: Sequence[Entry], rows: Sequence[Row]) -> list[SlowCell]:
    """The cells that took longest, of all submissions."""
    cells = [
        SlowCell(row=row, number=cell.number, seconds=cell.seconds, first_line=cell.first_line)
        for entry, row in zip(entries, rows, strict=True)
        if entry.report is not None
        for cell in entry.report.cells
        if cell.seconds >= SLOW_SECONDS
    ]
    cells.sort(key=lambda cell: -cell.seconds)
    return cells[:SLOWEST_CELLS]
