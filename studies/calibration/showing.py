"""What `make calibrate` shows in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from studies.calibration.figures import Row
from studies.calibration.measuring import Sample
from studies.calibration.writing import HEADINGS, table_of

WIDE = 170
"""Characters of a line, where it goes into a file and nobody's window sets a width."""


class Watching:
    """A bar that moves, and a line for each run; a context manager."""

    def __init__(self, total: int) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
        )
        self._task = self._bar.add_task("Measured", total=total)

    def __enter__(self) -> Watching:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def measured(self, sample: Sample, done: int, total: int) -> None:
        """Show what came of one run."""
        accuracy = "no network" if sample.accuracy is None else f"{sample.accuracy:.4f}"
        self._bar.console.print(
            f"{done}/{total} {escape(sample.subject)}, seed {sample.seed}: {accuracy} "
            f"in {sample.seconds:.0f} s"
        )
        self._bar.update(self._task, completed=done, total=total)


def print_rows(rows: Sequence[Row]) -> None:
    """The table, as it stands on the page."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if number == 0 else "right")
    for cells in table_of(rows):
        table.add_row(*map(escape, cells))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    console.print(table)
