"""The clerk: what it bounds, and that it goes on whatever a task has done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from autograder.core.clerk import Bounds, Clerk, Task, Trouble, Unfinished
from tests.core.odd_tasks import Number

SMALL = Bounds(cpu_seconds=1, wall_seconds=60, memory_bytes=256 << 20, answer_bytes=1 << 20)
HASTY = Bounds(cpu_seconds=1, wall_seconds=3, memory_bytes=256 << 20, answer_bytes=1 << 20)


def odd(name: str, bounds: Bounds = SMALL) -> Task[bytes, bytes]:
    return Task(f"tests.core.odd_tasks:{name}", bytes, bounds)


DOUBLE: Task[Number, Number] = Task("tests.core.odd_tasks:double", Number, SMALL)


@pytest.fixture(scope="module")
def clerk() -> Iterator[Clerk]:
    made = Clerk()
    yield made
    made.close()


WRONG = {
    "spin": (SMALL, Trouble.LATE),
    "sleep": (HASTY, Trouble.LATE),
    "hoard": (SMALL, Trouble.TOO_LARGE),
    "nest": (SMALL, Trouble.TOO_LARGE),
    "say_much": (SMALL, Trouble.TOO_LARGE),
    "crash": (SMALL, Trouble.BROKEN),
    "fail": (SMALL, Trouble.FAULT),
}
"""Tasks that go wrong: in which bounds, and what is said of them."""


@pytest.mark.parametrize("name", WRONG)
def test_a_task_that_goes_wrong_is_told_and_the_next_is_done(
    clerk: Clerk, tmp_path: Path, name: str
) -> None:
    bounds, trouble = WRONG[name]
    with pytest.raises(Unfinished) as caught:
        clerk.ask(odd(name, bounds), str(tmp_path / "begun").encode())
    assert caught.value.trouble is trouble
    assert str(caught.value)
    assert clerk.ask(DOUBLE, Number(21)) == Number(42)


def test_a_mistake_of_ours_is_told_with_its_place(clerk: Clerk) -> None:
    with pytest.raises(Unfinished, match=r"in fail[\s\S]*a mistake of ours"):
        clerk.ask(odd("fail"), b"")


def test_what_was_made_ready_is_there_for_each_task_and_what_fails_costs_none() -> None:
    clerk = Clerk(["no.such.module", "tests.core.odd_tasks:make_ready"])
    try:
        clerk.start()
        deadline = time.monotonic() + 60
        while clerk.ask(odd("what_is_ready"), b"") != b"ready":
            assert time.monotonic() < deadline
    finally:
        clerk.close()


def test_a_task_that_is_not_there_is_a_fault(clerk: Clerk) -> None:
    with pytest.raises(Unfinished, match="no_such_task") as caught:
        clerk.ask(odd("no_such_task"), b"")
    assert caught.value.trouble is Trouble.FAULT


def test_each_task_has_a_process_of_its_own_below_one_clerk(clerk: Clerk) -> None:
    first, second = (clerk.ask(odd("process_ids"), b"").split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] == second[1]


def test_what_a_task_prints_is_no_answer(clerk: Clerk) -> None:
    assert clerk.ask(odd("print_much"), b"") == b"done"


def test_a_clerk_that_was_killed_is_replaced() -> None:
    clerk = Clerk()
    try:
        _, pid = clerk.ask(odd("process_ids"), b"").split()
        os.kill(int(pid), signal.SIGKILL)
        psutil.Process(int(pid)).wait()
        assert clerk.ask(DOUBLE, Number(1)) == Number(2)
    finally:
        clerk.close()


def test_who_wants_to_stop_does_not_wait_for_a_task(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    others = set(psutil.Process().children(recursive=True))
    clerk = Clerk()
    clerk.is_stopping = begun.exists
    slow = Bounds(cpu_seconds=600, wall_seconds=600, memory_bytes=1 << 28, answer_bytes=1)
    with pytest.raises(KeyboardInterrupt):
        clerk.ask(odd("spin", slow), str(begun).encode())
    left = set(psutil.Process().children(recursive=True)) - others
    assert not psutil.wait_procs(left, timeout=60)[1]
    clerk.close()


ASKS = """
import os, signal, sys
sys.path[0] = os.getcwd()
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from autograder.core.clerk import Bounds, Task, ask
slow = Bounds(cpu_seconds=600, wall_seconds=600, memory_bytes=1 << 28, answer_bytes=1)
ask(Task("tests.core.odd_tasks:spin", bytes, slow), sys.argv[1].encode())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_task_ends_with_whoever_asked(tmp_path: Path, number: signal.Signals) -> None:
    begun = tmp_path / "begun"
    asker = subprocess.Popen(
        [sys.executable, "-c", ASKS, str(begun)], stderr=subprocess.DEVNULL, cwd=Path.cwd()
    )
    while not begun.exists():
        assert asker.poll() is None
        time.sleep(0.02)
    below = psutil.Process(asker.pid).children(recursive=True)
    assert len(below) == 2
    asker.send_signal(number)
    asker.wait(60)
    _, alive = psutil.wait_procs(below, timeout=60)
    assert not alive


def test_threads_take_turns() -> None:
    """Whoever asks first may end first: the clerk goes on for the others."""
    clerk = Clerk()
    answers: list[int] = []

    def ask(value: int) -> None:
        answers.append(clerk.ask(DOUBLE, Number(value)).value)

    threads = [threading.Thread(target=ask, args=(value,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clerk.close()
    assert sorted(answers) == [2 * value for value in range(8)]
