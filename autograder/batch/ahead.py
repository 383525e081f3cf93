"""A grading process that is started before it is known what to grade, and how."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from autograder.batch.process import GradingProcess
from autograder.batch.workplace import Workplace


def start_in(place: Workplace, name: str, threads: int) -> GradingProcess:
    """Start a process whose files lie in the workplace under that name."""
    return GradingProcess(folder=place.root / name, setup_file=place.setup_file, threads=threads)


class HeadStart:
    """The workplace of a pool that is yet to be opened, and its first process.

    While submissions are collected and boxes tried, the process imports what it will need: about
    a second, which one submission alone would wait for.
    """

    def __init__(self, place: Workplace, process: GradingProcess) -> None:
        self._place, self._process = place, process
        self.is_taken = False

    def take(self) -> tuple[Workplace, GradingProcess]:
        """Hand both over, to be ended and removed by whoever asks; once."""
        assert not self.is_taken
        self.is_taken = True
        return self._place, self._process


@contextlib.contextmanager
def head_start(*, threads: int) -> Iterator[HeadStart]:
    """Start; what nobody has taken by the end is ended and removed."""
    place = Workplace()
    try:
        process = start_in(place, "w0", threads)
    except BaseException:
        place.remove()
        raise
    ahead = HeadStart(place, process)
    try:
        yield ahead
    finally:
        if not ahead.is_taken:
            process.end(at_once=True)
            place.remove()
