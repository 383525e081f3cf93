"""grades.csv: one row a submission, on disk as soon as it is known."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from types import TracebackType
from typing import TextIO

from autograder.config import CHECK_NAMES
from autograder.report import Report

COLUMNS = (
    "submission",
    "name",
    "email",
    "score",
    "max_score",
    "verdict",
    "accuracy",
    "parameters",
    "seconds",
    *(f"points_{name}" for name in CHECK_NAMES),
    "notes",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet run a cell as a formula; names and notes come from strangers."""


class Gradebook:
    """Writes rows to a CSV file; a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Gradebook:
        # With a byte order mark, since spreadsheets take UTF-8 for something else without one.
        self._file = self._path.open("w", encoding="utf-8-sig", newline="")
        self._write(list(COLUMNS))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, report: Report) -> None:
        """Write one row through to the disk."""
        self._write(row_of(report))

    def _write(self, row: list[str]) -> None:
        assert self._file is not None
        csv.writer(self._file).writerow(row)
        self._file.flush()
        os.fsync(self._file.fileno())


def row_of(report: Report) -> list[str]:
    """The report's row, in the order of `COLUMNS`; what is not known is empty."""
    network = report.network
    values: dict[str, object] = {
        "submission": _text(report.submission),
        "name": _text(report.name),
        "email": _text(report.email),
        "score": _number(report.score),
        "max_score": _number(report.max_score),
        "verdict": report.verdict.value,
        "accuracy": f"{network.accuracy:.4f}" if network else "",
        "parameters": network.parameters if network else "",
        "seconds": f"{report.seconds:.1f}",
        "notes": _text(" ".join([report.headline, *report.notes, *report.staff_notes])),
    }
    values |= {f"points_{name}": _number(report.points_of(name)) for name in CHECK_NAMES}
    return [str(values[column]) for column in COLUMNS]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _text(text: str) -> str:
    text = " ".join(text.split())
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
