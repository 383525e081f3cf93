"""What staff see in their terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.box import Isolation
from autograder.config import CHECK_NAMES
from autograder.report import Report
from autograder.verdict import Verdict

STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "yellow", Verdict.GRADER_ERROR: "bold red"}
OTHER_STYLE = "magenta"


class TerminalProgress:
    """A live display on a terminal, plain lines elsewhere; a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[now]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("Graded", total=None, now="looking for notebooks")
        self._submission = ""
        self._started = 0.0

    def __enter__(self) -> TerminalProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def began(self, isolation: Isolation, total: int) -> None:
        """Say which box is used, and what it lacks."""
        self._progress.update(self._task, total=total)
        missing = isolation.missing
        state = f"but not every guarantee holds: {'; '.join(missing)}" if missing else "closed"
        self._console.print(escape(f"Box: {isolation.kind.value}, {state}"))

    def started(self, submission: str) -> None:
        """Name the submission that is being graded."""
        self._submission, self._started = submission, time.monotonic()
        self._progress.update(self._task, now=escape(submission))
        if not self._console.is_terminal:
            self._console.print(escape(f"{submission}: started"))

    def ran_cell(self, done: int, total: int) -> None:
        """Show how far it is."""
        self._progress.update(self._task, now=f"{escape(self._submission)}: cell {done} of {total}")

    def finished(self, report: Report) -> None:
        """Show its grade."""
        seconds = time.monotonic() - self._started
        style = STYLES.get(report.verdict, OTHER_STYLE)
        score = "no grade" if report.score is None else f"{report.score:g}/{report.max_score:g}"
        line = f"{escape(report.submission)}: [{style}]{report.verdict.value}[/] {score}"
        self._console.print(f"{line} in {seconds:.0f} s")
        self._progress.advance(self._task)


def print_grades(reports: Sequence[Report], output: Path) -> None:
    """The table of grades, and where the files lie."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("submission", overflow="fold")
    table.add_column("verdict")
    for heading in ("score", "accuracy", "parameters", *CHECK_NAMES):
        table.add_column(heading.replace("reflection_", "r"), justify="right")
    for report in reports:
        network = report.network
        style = STYLES.get(report.verdict, OTHER_STYLE)
        points = [report.points_of(name) for name in CHECK_NAMES]
        table.add_row(
            escape(report.submission),
            f"[{style}]{report.verdict.value}[/]",
            "-" if report.score is None else f"{report.score:g}",
            f"{network.accuracy:.4f}" if network else "-",
            f"{network.parameters:,}" if network else "-",
            *("-" if value is None else f"{value:g}" for value in points),
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=140)
    console.print(table)
    for report in reports:
        if report.verdict is Verdict.GRADER_ERROR:
            console.print(f"[bold red]{escape(report.submission)}[/]: "
                          f"{escape(' '.join(report.staff_notes))}")  # fmt: skip
    console.print(f"\nGrades: {escape(str(output / 'grades.csv'))}")
    console.print(f"One folder a submission: {escape(str(output / 'submissions'))}")


def print_isolation(isolation: Isolation) -> None:
    """What a box here holds back, guarantee by guarantee."""
    console = Console(highlight=False)
    console.print(f"Kind of box: [bold]{isolation.kind.value}[/]")
    console.print(f"Layers: {escape(', '.join(isolation.layers))}")
    for sentence in isolation.passed_over:
        console.print(f"Passed over: {escape(sentence)}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("held")
    table.add_column("a submission ...", overflow="fold")
    table.add_column("how it is known", overflow="fold")
    for finding in isolation.findings:
        held = "[green]yes[/]" if finding.held else "[bold red]NO[/]"
        table.add_row(held, escape(finding.guarantee.value), escape(finding.reason))
    console.print(table)
