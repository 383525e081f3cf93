"""What staff see in their terminal."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from autograder.batch.loop import Progress
from autograder.core.config import CHECK_NAMES
from autograder.core.report import Report, Verdict
from autograder.core.text import one_line, plain_text
from autograder.sandbox import Isolation

STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "yellow", Verdict.GRADER_ERROR: "bold red"}
OTHER_STYLE = "magenta"
MIN_WIDTH_OF_POINTS = 140
"""Where a terminal has fewer columns, numbers would be cut: it lists what failed instead."""
MAX_SHOWN = 12
"""Running submissions that have a line of their own in the display."""
MAX_REASONS = 20
"""Submissions whose reason for having no points is printed; grades.csv has all of them."""
MAX_REASON_CHARACTERS = 300


def shown(text: str) -> str:
    """Text by strangers for the console: nothing in it that a terminal, or `rich`, would obey."""
    return escape(plain_text(text))


class TerminalProgress(Progress, contextlib.AbstractContextManager["TerminalProgress"]):
    """A live display on a terminal, plain lines elsewhere; a context manager.

    Parameters
    ----------
    console
        Where to write; standard error if it is not given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._bar = Bar(
            TextColumn("Graded"), BarColumn(bar_width=24), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("{task.fields[left]}"), console=self._console,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None, left="looking for submissions")
        self._running: dict[str, tuple[float, str]] = {}
        """When each had its turn, and where it is."""
        self._verdicts: Counter[Verdict] = Counter()
        self._total = 0
        self._began = self._last = time.monotonic()
        self._ran = 0
        """Submissions whose cells were run; what is refused at once tells nothing about time."""
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                get_renderable=self._display,
                refresh_per_second=4,
                transient=True,
            )

    def __enter__(self) -> TerminalProgress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def doing(self, sentence: str) -> None:
        """Say what is being done before the first submission has its turn."""
        self._bar.update(self._task, left=sentence)
        if self._live is None:
            self._say(f"{shown(sentence)} ...")

    def warned(self, sentence: str) -> None:
        """Show a sentence about the submissions."""
        self._say(f"[yellow]{shown(sentence)}[/]")

    def began(self, isolation: Isolation | None, *, total: int, jobs: int | None) -> None:
        """Say where it happens, in which box, and what the box lacks."""
        self._total = total
        self._began = time.monotonic()
        self._bar.update(self._task, total=total)
        if isolation is None:
            self._say(f"{total} to grade, on the cluster")
            return
        for reason in isolation.passed_over:
            self._say(f"[yellow]A stronger kind of box cannot be used: {shown(reason)}[/]")
        missing = isolation.missing
        state = f"but not every guarantee holds: {'; '.join(missing)}" if missing else "closed"
        self._say(
            shown(f"{total} to grade, {jobs} at a time. Box: {isolation.kind.value}, {state}")
        )

    def started(self, submission: str) -> None:
        """Show that it is running."""
        self._running[submission] = (time.monotonic(), "waiting for its box")
        if self._live is None:
            self._say(f"{shown(submission)}: started")

    def ran(self, submission: str, done: int, total: int, epoch: str) -> None:
        """Show how far it is."""
        if submission not in self._running:
            return
        place = f"cell {done + 1} of {total}" if done < total else "measuring the network"
        since, _ = self._running[submission]
        self._running[submission] = (since, f"{place}, {epoch}" if epoch else place)

    def gave_back(self, submission: str, reason: str) -> None:
        """Say why it starts again."""
        self._running.pop(submission, None)
        self._say(f"[yellow]{shown(submission)}: lost, will be tried again. {shown(reason)}[/]")

    def finished(self, report: Report, remark: str = "") -> None:
        """Show its grade."""
        started, _ = self._running.pop(report.submission, (time.monotonic(), ""))
        seconds = time.monotonic() - started
        self._verdicts[report.verdict] += 1
        if report.seconds and not remark:
            self._ran, self._last = self._ran + 1, time.monotonic()
        self._bar.update(self._task, advance=1)
        style = STYLES.get(report.verdict, OTHER_STYLE)
        score = "no grade" if report.score is None else f"{report.score:g}/{report.max_score:g}"
        line = f"{shown(report.submission)}: [{style}]{report.verdict.value}[/] {score}"
        self._say(f"{line} {shown(f'({remark})')}" if remark else f"{line} in {seconds:.0f} s")

    def stopping(self, running: Sequence[str]) -> None:
        """Say what is given up."""
        given_up = f", given up: {', '.join(running)}" if running else ""
        self._say(f"[yellow]Stopping{shown(given_up)}[/]")
        self._running.clear()

    def _say(self, line: str) -> None:
        self._console.print(line, soft_wrap=True)

    def _time_left(self) -> str:
        left = self._total - sum(self._verdicts.values())
        if not left:
            return ""
        if self._ran:
            seconds = (self._last - self._began) / self._ran * left
            minutes = (seconds - (time.monotonic() - self._last)) / 60
            if minutes > 0:
                return f"about {max(1, round(minutes))} min left"
        return "time left: unknown"

    def _display(self) -> RenderableType:
        now = time.monotonic()
        if self._total:
            self._bar.update(self._task, left=self._time_left())
        verdicts = Text("  ").join(
            Text(f"{count} {verdict.value}", STYLES.get(verdict, OTHER_STYLE))
            for verdict, count in self._verdicts.most_common()
        )
        running = Table.grid(padding=(0, 2))
        # The slowest first: that is where one looks.
        slowest = sorted(self._running.items(), key=lambda item: item[1][0])
        for submission, (started, place) in slowest[:MAX_SHOWN]:
            running.add_row(Text("  " + one_line(submission)), f"{now - started:.0f} s", place)
        if len(slowest) > MAX_SHOWN:
            running.add_row(f"  and {len(slowest) - MAX_SHOWN} more", "", "")
        return Group(running, self._bar, verdicts)


def print_grades(rows: Sequence[Mapping[str, str]], output: Path) -> None:
    """The table of grades, and where the files lie.

    Parameters
    ----------
    rows
        As in grades.csv.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=180)
    points = {
        f"{name.replace('reflection_', 'r')} points": f"points_{name}" for name in CHECK_NAMES
    }
    if is_narrow := console.width < MIN_WIDTH_OF_POINTS:
        points = {}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("submission", overflow="fold")
    table.add_column("verdict", overflow="fold")
    for heading in ("score", "accuracy", "parameters", *points):
        table.add_column(heading, justify="right", no_wrap=is_narrow)
    if is_narrow:
        table.add_column("failed")
    for row in rows:
        style = STYLES.get(Verdict(row["verdict"]), OTHER_STYLE)
        parameters = row["parameters"]
        table.add_row(
            shown(row["submission"]),
            f"[{style}]{row['verdict']}[/]",
            row["score"] or "-",
            row["accuracy"] or "-",
            f"{int(parameters):,}" if parameters else "-",
            *(row[column] or "-" for column in points.values()),
            *([row["failed"].replace("reflection_", "r") or "-"] if is_narrow else []),
        )
    console.print(table)
    _print_reasons(console, [row for row in rows if row["score"] in ("", "0")])
    _print_marks(console, [row for row in rows if row["overrides"]])
    console.print(f"\nGrades: {shown(str(output / 'grades.csv'))}")
    console.print("To be imported: canvas.csv and gradescope.csv, beside it")
    console.print(f"A folder per submission: {shown(str(output / 'submissions'))}")


def _print_reasons(console: Console, rows: Sequence[Mapping[str, str]]) -> None:
    """Why these have no points, or no score at all: the faults of ours first."""
    rows = sorted(rows, key=lambda row: row["verdict"] != Verdict.GRADER_ERROR.value)
    if rows:
        console.print()
    for row in rows[:MAX_REASONS]:
        style = STYLES.get(Verdict(row["verdict"]), OTHER_STYLE)
        score = "0 points" if row["score"] else "no score"
        why = shown(row["notes"][:MAX_REASON_CHARACTERS])
        console.print(f"[{style}]{shown(row['submission'])}[/], {score}: {why}", soft_wrap=True)
    if len(rows) > MAX_REASONS:
        console.print(f"and {len(rows) - MAX_REASONS} more without points: see grades.csv")


def _print_marks(console: Console, rows: Sequence[Mapping[str, str]]) -> None:
    """What a person gave in place of the grader's points."""
    for row in rows[:MAX_REASONS]:
        marks = shown(row["overrides"][:MAX_REASON_CHARACTERS])
        console.print(f"{shown(row['submission'])}: {marks}", soft_wrap=True)
    if len(rows) > MAX_REASONS:
        console.print(f"and {len(rows) - MAX_REASONS} more that a person marked: see grades.csv")


def print_summary(
    rows: Sequence[Mapping[str, str]], passed_over: Sequence[str], *, needing_a_person: int
) -> None:
    """The last line: how many passed, and how many wait for a person.

    Parameters
    ----------
    rows
        As in grades.csv.
    passed_over
        A sentence for each path in which no submission was found.
    needing_a_person
        Submissions that report.html names first.
    """
    passed = sum(row["verdict"] == Verdict.PASSED.value for row in rows)
    unscored = sum(not row["score"] for row in rows)
    line = f"{passed} passed, {len(rows) - passed - unscored} not yet"
    if unscored:
        line += f", {unscored} without a score"
    line += f"; {needing_a_person} need{'s' * (needing_a_person == 1)} you"
    if passed_over:
        line += f"; {len(passed_over)} path{'s' * (len(passed_over) > 1)} held no submission"
    Console(highlight=False).print(line + ".", soft_wrap=True)


def print_isolation(isolation: Isolation) -> None:
    """What a box here holds back, guarantee by guarantee."""
    console = Console(highlight=False)
    console.print(f"Kind of box: [bold]{isolation.kind.value}[/]")
    console.print(f"Layers: {shown(', '.join(isolation.layers))}")
    for sentence in isolation.passed_over:
        console.print(f"Passed over: {shown(sentence)}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("held")
    table.add_column("a submission ...", overflow="fold")
    table.add_column("how it is known", overflow="fold")
    for finding in isolation.findings:
        held = "[green]yes[/]" if finding.held else "[bold red]NO[/]"
        table.add_row(held, shown(finding.guarantee.value), shown(finding.reason))
    console.print(table)
