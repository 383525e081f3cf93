"""Who wants to know how a batch is getting on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from autograder.core.report import Report
from autograder.sandbox.box import Isolation


class Progress(Protocol):
    """Told what happens while a batch is graded."""

    def warned(self, sentence: str) -> None:
        """Something about the submissions that staff should know."""

    def began(self, isolation: Isolation | None, *, total: int, jobs: int | None) -> None:
        """The number of submissions is known, and where they will be graded.

        Both `isolation` and `jobs` are None on a cluster, where each machine has its own.
        """

    def started(self, submission: str) -> None:
        """A submission's turn has come."""

    def ran_cell(self, submission: str, done: int, total: int) -> None:
        """One of its code cells has ended."""

    def gave_back(self, submission: str, reason: str) -> None:
        """It was lost, and will be tried again."""

    def finished(self, report: Report, remark: str = "") -> None:
        """Its grade is on disk; the remark says why so soon."""

    def stopping(self, running: Sequence[str]) -> None:
        """Somebody wants it to end; these submissions are given up."""


class Quiet:
    """Tells nobody."""

    def warned(self, sentence: str) -> None:
        """Tell nobody."""

    def began(self, isolation: Isolation | None, *, total: int, jobs: int | None) -> None:
        """Tell nobody."""

    def started(self, submission: str) -> None:
        """Tell nobody."""

    def ran_cell(self, submission: str, done: int, total: int) -> None:
        """Tell nobody."""

    def gave_back(self, submission: str, reason: str) -> None:
        """Tell nobody."""

    def finished(self, report: Report, remark: str = "") -> None:
        """Tell nobody."""

    def stopping(self, running: Sequence[str]) -> None:
        """Tell nobody."""
