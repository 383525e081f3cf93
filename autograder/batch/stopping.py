"""Ctrl-C, and the SIGTERM of a machine that is shut down."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Stop:
    """Whether SIGINT or SIGTERM has come.

    Until it is armed they interrupt whatever is going on; from then on they are only noted, and
    asked for between two writes, so that none is cut.
    """

    def __init__(self) -> None:
        self._asked = self._armed = False

    def __call__(self) -> bool:
        return self._asked

    def arm(self) -> None:
        """From now on, only note them."""
        self._armed = True

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        if not self._armed:
            raise KeyboardInterrupt
        self._asked = True


@contextlib.contextmanager
def stop_asked() -> Iterator[Stop]:
    """Listen to SIGINT and SIGTERM."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {n: signal.signal(n, stop.handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
