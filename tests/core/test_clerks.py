"""Many tasks together: does each come out as it would alone, whatever the others do?"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from autograder.core.clerk import Bounds, Clerk, Task, Unfinished, clerk, obeying
from autograder.core.clerks import ask_each
from tests.core.test_clerk import SMALL, WRONG

TOGETHER = 4


def obey(bounds: Bounds = SMALL) -> Task[bytes, bytes]:
    return Task("tests.core.odd_tasks:obey", bytes, bounds)


@pytest.fixture(autouse=True)
def helpers() -> Iterator[Clerk]:
    yield clerk()
    clerk().close()


def _encoded(item: str | None) -> bytes | None:
    return None if item is None else item.encode()


def ask(
    items: Sequence[str | None], bounds: Bounds = SMALL
) -> list[tuple[str | None, bytes | Unfinished | None]]:
    return [*ask_each(obey(bounds), items, _encoded, together=TOGETHER)]


@pytest.mark.parametrize("name", sorted(set(WRONG) - {"nest"}))
def test_one_that_goes_wrong_costs_the_others_nothing(tmp_path: Path, name: str) -> None:
    bounds, trouble = WRONG[name]
    hostile = f"{name} {tmp_path / 'begun'}"
    items = [None, "echo a", hostile, "echo b", "echo c", None, "echo d", hostile, "echo e"]
    found = ask(items, bounds)
    assert [item for item, _ in found] == items
    for item, answer in found:
        if item is None:
            assert answer is None
        elif item == hostile:
            assert isinstance(answer, Unfinished) and answer.trouble is trouble and str(answer)
        else:
            assert answer == item.removeprefix("echo ").encode()


def test_some_are_done_by_one_process_and_no_more_at_once_than_there_are_cores() -> None:
    found = ask(["process_ids"] * 6 * TOGETHER)
    ids = [answer.split() for _, answer in found if isinstance(answer, bytes)]
    assert len({child for child, _ in ids}) == 6
    assert {child for child, _ in ids[:TOGETHER]} == {ids[0][0]}
    assert len({parent for _, parent in ids}) <= len(os.sched_getaffinity(0))


def test_much_of_a_task_is_too_much_for_several_together_and_not_for_one() -> None:
    size = SMALL.answer_bytes // 2
    found = ask([f"echo {'x' * size}"] * TOGETHER)
    assert {answer for _, answer in found} == {b"x" * size}


def test_who_wants_to_stop_does_not_wait(tmp_path: Path) -> None:
    slow = Bounds(cpu_seconds=600, wall_seconds=600, memory_bytes=1 << 28, answer_bytes=1)
    begun = tmp_path / "begun"
    started = time.monotonic()
    with obeying(begun.exists), pytest.raises(KeyboardInterrupt):
        ask([f"spin {begun}"] * 20, slow)
    each = ask_each(obey(slow), ["echo", *[f"spin {begun}"] * 20], str.encode, together=1)
    assert next(each)[0] == "echo"
    each.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < slow.wall_seconds
    assert ask(["echo a"]) == [("echo a", b"a")]
