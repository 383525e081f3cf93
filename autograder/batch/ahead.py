"""A grading process that is started before it is known what to grade, and how."""

from __future__ import annotations

from types import TracebackType

from autograder.batch.process import GradingProcess
from autograder.batch.workplace import Workplace


def start_in(place: Workplace, name: str, threads: int) -> GradingProcess:
    """Start a process whose files lie in the workplace under that name."""
    return GradingProcess(folder=place.root / name, setup_file=place.setup_file, threads=threads)


class HeadStart:
    """The workplace of a pool that is yet to be opened, and its first process; a context manager.

    While submissions are collected and boxes tried, the process imports what it will need: about
    a second, which one submission alone would wait for.
    """

    def __init__(self, *, threads: int) -> None:
        self._place: Workplace | None = Workplace()
        try:
            self._process = start_in(self._place, "w0", threads)
        except BaseException:
            self._place.remove()
            raise

    def take(self) -> tuple[Workplace, GradingProcess]:
        """Hand both over, to be ended and removed by whoever asks; once."""
        place, self._place = self._place, None
        assert place is not None
        return place, self._process

    def __enter__(self) -> HeadStart:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._place is not None:
            self._process.end(at_once=True)
            self._place.remove()
