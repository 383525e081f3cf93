"""What staff's page shows of each submission, and of all together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, log10
from statistics import mean, median, quantiles

from autograder.core.report import CheckResult, CheckStatus, Verdict
from autograder.core.text import excerpt
from autograder.reports.files import Entry
from autograder.reports.spreadsheets import plain_cell

UNREADABLE = "UNREADABLE"
"""In place of a verdict, where a report cannot be read."""
MAX_NAME_CHARACTERS = 120
MAX_NOTE_CHARACTERS = 600
MAX_ANSWER_CHARACTERS = 6_000
"""About 1,000 words; the whole answer is in report.json."""
SCORE_BARS = 20
SHOWN_CELLS = 12
LEAST_SECONDS = 0.1
"""Where the axis begins; who was faster stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; what is not known is None or empty."""

    key: str
    name: str
    link: str
    verdict: str
    email: str = ""
    score: float | None = None
    accuracy: float | None = None
    parameters: int | None = None
    seconds: float | None = None
    checks: Sequence[CheckResult] = ()
    notes: str = ""
    is_leaked: bool = False

    @property
    def words(self) -> str:
        """What a search looks through."""
        return " ".join([self.name, self.key, self.email, self.verdict, self.notes]).casefold()

    @property
    def passes_network(self) -> bool:
        """Whether both checks of the network passed."""
        passed = {check.name for check in self.checks if check.status is CheckStatus.PASSED}
        return passed >= {"accuracy", "budget"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One student's answer to one question, to be marked.

    Attributes
    ----------
    submission, student
        As overrides.csv names them.
    check
        What was given for it, if anything.
    """

    row: Row
    submission: str
    student: str
    text: str
    is_accepted: bool
    reason: str
    remark: str
    """What is odd about an accepted answer."""
    check: CheckResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long one cell took a class.

    Attributes
    ----------
    seconds
        Of the fastest student, at a quarter, at half, at three quarters, of the slowest student.
    slowest
        That student.
    """

    first_line: str
    students: int
    seconds: Sequence[float]
    slowest: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long cells took, on one logarithmic axis.

    Attributes
    ----------
    others, other_seconds
        Cells that are not shown, and how long they took all students together.
    """

    spreads: Sequence[Spread]
    others: int
    other_seconds: float
    least: float
    most: float

    @property
    def ticks(self) -> list[float]:
        """Powers of ten, in seconds."""
        return [10.0**n for n in range(round(log10(self.least)), round(log10(self.most)) + 1)]

    def place(self, seconds: float) -> float:
        """Where so many seconds stand, in percent of the axis."""
        share = log10(max(seconds, self.least) / self.least) / log10(self.most / self.least)
        return round(100 * share, 2)


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
        return Row(key=key, name=key, link=feedback, verdict=UNREADABLE, notes=problem)
    network = report.network
    notes = [*report.override_notes, *report.notes, *report.staff_notes]
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
        checks=report.checks,
        notes=excerpt(" ".join(notes), MAX_NOTE_CHARACTERS),
        is_leaked=bool(network and network.leaked),
    )


def summary_of(rows: Sequence[Row]) -> dict[str, object]:
    """The class in numbers; who has no score is in no mean and no median, but is counted."""
    scores = [row.score for row in rows if row.score is not None]
    found = Counter(row.verdict for row in rows)
    order = [*(verdict.value for verdict in Verdict), UNREADABLE]
    return {
        "submissions": len(rows),
        "scored": len(scores),
        "not_graded": len(rows) - len(scores),
        "mean": mean(scores) if scores else None,
        "median": median(scores) if scores else None,
        "full": found[Verdict.PASSED.value],
        "verdicts": [(verdict, found[verdict]) for verdict in order if found[verdict]],
    }


def passed_checks(rows: Iterable[Row]) -> dict[str, int]:
    """How many of those with a score passed each check, by its title, in the order of checks."""
    checks = [check for row in rows if row.score is not None for check in row.checks]
    passed = dict.fromkeys((check.title for check in checks), 0)
    for check in checks:
        passed[check.title] += check.status is CheckStatus.PASSED
    return passed


def histogram_of(rows: Iterable[Row], max_score: float) -> list[tuple[float, float, int]]:
    """Everybody who has a score: (from, below, students), in bars of a twentieth of the full score.

    Empty bars are left out; the last one holds the full score as well.
    """
    width = max_score / SCORE_BARS
    counts = Counter(
        min(int(row.score / width + 1e-9), SCORE_BARS - 1) for row in rows if row.score is not None
    )
    return [(number * width, (number + 1) * width, counts[number]) for number in sorted(counts)]


def answers_to(question: str, entries: Sequence[Entry], rows: Sequence[Row]) -> list[Answer]:
    """Every answer to one question, the odd ones first; an unread submission has none."""
    answers = []
    for entry, row in zip(entries, rows, strict=True):
        report = entry.report
        if report is None or question not in report.reflections:
            continue
        found = report.reflections[question]
        names = ", ".join(student.name for student in report.students if student.name)
        answers.append(
            Answer(
                row=row,
                submission=plain_cell(entry.key),
                student=plain_cell(names),
                text=excerpt(found.text, MAX_ANSWER_CHARACTERS).strip(),
                is_accepted=found.present,
                reason=excerpt(found.reason, MAX_NOTE_CHARACTERS),
                remark=excerpt(found.remark, MAX_NOTE_CHARACTERS),
                check=next((check for check in report.checks if check.name == question), None),
            )
        )
    return sorted(answers, key=lambda answer: not answer.remark)


def times_of(entries: Sequence[Entry], rows: Sequence[Row]) -> Times:
    """How long cells took, those that took the class longest first.

    Cells that begin with the same line are the same cell, as the lesson's are for everybody.
    """
    found: dict[str, list[tuple[float, int]]] = {}
    for number, entry in enumerate(entries):
        for cell in entry.report.cells if entry.report else ():
            found.setdefault(cell.first_line, []).append((cell.seconds, number))
    order = sorted(found, key=lambda line: -sum(seconds for seconds, _ in found[line]))
    spreads = []
    for line in order[:SHOWN_CELLS]:
        seconds = sorted(each for each, _ in found[line])
        quarters = quantiles(seconds, method="inclusive") if len(seconds) > 1 else seconds * 3
        spreads.append(
            Spread(
                first_line=line,
                students=len(seconds),
                seconds=(seconds[0], *quarters, seconds[-1]),
                slowest=rows[max(found[line])[1]],
            )
        )
    rest = order[SHOWN_CELLS:]
    most = max((spread.seconds[-1] for spread in spreads), default=0)
    return Times(
        spreads=spreads,
        others=len(rest),
        other_seconds=sum(seconds for line in rest for seconds, _ in found[line]),
        least=LEAST_SECONDS,
        most=10.0 ** max(1, ceil(log10(max(most, 1)))),
    )
