"""Has the contents of many submissions handled: several in one task, by as many clerks as cores.

To fork a child and hand things over takes longer than most tasks. So some are done together, within
the bounds of one; where that does not suffice, or one of them ends the child, each is done by
itself. What comes of one is therefore what would have come of it alone.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from autograder.core.clerk import Clerk, Task, Unfinished, clerk, obeying
from autograder.core.text import encode

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")

MOST_CLERKS = 4
"""More than these get no work from one process, which reads what they need and writes what they
make."""
MOST_BYTES = 32 << 20
"""Of arguments that are handed over together; one may have more."""


def ask_each(
    task: Task[A, R],
    items: Iterable[T],
    argument_of: Callable[[T], A | None],
    *,
    together: int,
) -> Iterator[tuple[T, R | Unfinished | None]]:
    """Have a task done for each item, some of them at a time, and read ahead meanwhile.

    Parameters
    ----------
    argument_of
        What the task is given for an item; None where there is nothing to do.
    together
        Items in one task: so many that they take a part of the time that one of them may take.

    Yields
    ------
    Each item, in order, with its answer, or why there is none.

    Raises
    ------
    KeyboardInterrupt
        If somebody wants to stop.
    """
    count = min(MOST_CLERKS, len(os.sched_getaffinity(0)))
    first = clerk()
    waiting: deque[Future[list[tuple[T, R | Unfinished | None]]]] = deque()
    with ThreadPoolExecutor(max_workers=count) as threads:
        try:
            for batch in _batches(items, argument_of, together):
                waiting.append(threads.submit(_do, first, task, batch))
                if len(waiting) > count:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BaseException:
            with obeying(lambda: True):
                threads.shutdown(cancel_futures=True)
            raise


def _batches(
    items: Iterable[T], argument_of: Callable[[T], A | None], together: int
) -> Iterator[list[tuple[T, bytes | None]]]:
    batch: list[tuple[T, bytes | None]] = []
    size = 0
    for item in items:
        argument = argument_of(item)
        content = None if argument is None else encode(argument)
        batch.append((item, content))
        size += len(content or b"")
        if len(batch) == together or size > MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _do(
    first: Clerk, task: Task[A, R], batch: list[tuple[T, bytes | None]]
) -> list[tuple[T, R | Unfinished | None]]:
    contents = [content for _, content in batch if content is not None]
    try:
        helper = first.idle.pop()
    except IndexError:  # all have something to do
        helper = first.another()
    try:
        found = _answers(helper, task, contents)
    finally:
        first.idle.append(helper)
    answers = iter(found)
    return [(item, None if content is None else next(answers)) for item, content in batch]


def _answers(helper: Clerk, task: Task[A, R], contents: list[bytes]) -> list[R | Unfinished]:
    if not contents:
        return []
    try:
        answers: list[R] = helper.ask_all(task, contents)
        return [*answers]
    except Unfinished as unfinished:
        if len(contents) == 1:
            return [unfinished]
    return [answer for each in contents for answer in _answers(helper, task, [each])]
