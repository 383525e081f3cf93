"""Soft limits of time within a task, so that one odd cell does not cost the whole page."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from types import FrameType


class OutOfTime(BaseException):
    """Not an `Exception`, which a library might take for one of its own."""


class Budget:
    """Processor time that several pieces of work may use together. For the main thread alone.

    Parameters
    ----------
    seconds
        In all.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @contextlib.contextmanager
    def spend(self, most: float) -> Iterator[None]:
        """Do a piece of work, in at most so many seconds.

        Python's own regular expressions are interrupted as well; other libraries in C are when
        they return.

        Raises
        ------
        OutOfTime
            If it takes longer, or the budget is used up.
        """
        seconds = min(most, self._left)
        if seconds <= 0:
            raise OutOfTime
        before = signal.signal(signal.SIGVTALRM, _interrupt)
        started = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
            self._left -= time.process_time() - started


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise OutOfTime
