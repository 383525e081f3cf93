"""What of a batch happens on a cluster's workers: the same grading processes as at home.

Called by Dask with bytes, answers with bytes.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from autograder.batch.messages import CellRan, Graded, Job, Refused, Setup
from autograder.batch.pool import OVERHEAD_SECONDS, LocalPool
from autograder.core.config import Record
from autograder.core.wire import encode

LOOK_SECONDS = 0.5
"""Between two looks at whether a job is still wanted."""
IDLE_SECONDS = 60.0
"""How long a grading process is kept without anything to do."""
LOST = "lost on the cluster: "


class Kit(Record, frozen=True):
    """An assignment as it travels."""

    setup: Setup
    data: bytes
    tests: dict[str, bytes]


def pack_kit(setup: Setup) -> bytes:
    """All that a machine needs, which has nothing but this package."""
    tests = {path.name: path.read_bytes() for path in sorted(Path(setup.tests).glob("*.py"))}
    kit = Kit(setup=setup, data=Path(setup.data).read_bytes(), tests=tests)
    return msgspec.msgpack.encode(kit)


_idle: dict[str, deque[LocalPool]] = {}
_lock = threading.Lock()


def grade_there(kit: bytes, job: bytes, key: str) -> bytes:
    """Grade one submission on the machine that this is called on; an `Answer`, as bytes."""
    return grade_job(kit, msgspec.msgpack.decode(job, type=Job), wanted=lambda: _is_wanted(key))


def grade_job(kit: bytes, job: Job, *, wanted: Callable[[], bool]) -> bytes:
    """The same, until nobody wants it any more."""
    pool: LocalPool | None = _take_pool(kit)
    assert pool is not None
    try:
        pool.submit(job)
        while wanted():
            for event in pool.wait(LOOK_SECONDS):
                if isinstance(event.answer, CellRan):
                    continue
                if event.answer is None:
                    return encode(Refused(reason=LOST + event.lost_because))
                if isinstance(event.answer, Graded):
                    _give_back(kit, pool)
                    pool = None
                return encode(event.answer)
        return encode(Refused(reason=LOST + "nobody wanted it any more"))
    finally:
        if pool is not None:
            pool.close()


def _is_wanted(key: str) -> bool:
    """Whether Dask still wants the task: not once its client has stopped, or is gone."""
    from distributed import get_worker

    task = get_worker().state.tasks.get(key)
    return task is not None and task.state in ("executing", "long-running")


def _take_pool(kit: bytes) -> LocalPool:
    """A grading process for this assignment, used if there is one."""
    with _lock:
        waiting = _idle.get(_digest(kit))
        if waiting:
            return waiting.pop()
    return _open_pool(kit, _place())


def _open_pool(kit: bytes, parent: str | None) -> LocalPool:
    content = msgspec.msgpack.decode(kit, type=Kit)
    folder = Path(tempfile.mkdtemp(prefix="m5-kit-", dir=parent))
    data = folder / "mnist.npz"
    data.write_bytes(content.data)
    tests = folder / "tests"
    tests.mkdir()
    for name, text in content.tests.items():
        (tests / name).write_bytes(text)
    setup = msgspec.structs.replace(
        content.setup,
        data=str(data),
        tests=str(tests),
        # Those of the one who sent it lie on another machine.
        leftovers=[str(folder)],
    )
    seconds = setup.config.longest_seconds + OVERHEAD_SECONDS
    return LocalPool(setup, size=1, job_seconds=seconds, owned=folder)


def _place() -> str | None:
    """Where Dask keeps this worker's files."""
    from distributed import get_worker

    folder: str | None = get_worker().local_directory
    return folder


def _give_back(kit: bytes, pool: LocalPool) -> None:
    """Keep the process for the next job, but not for ever: it holds the data in memory."""
    with _lock:
        _idle.setdefault(_digest(kit), deque()).append(pool)
    timer = threading.Timer(IDLE_SECONDS, _close_idle, (kit, pool))
    timer.daemon = True
    timer.start()


def _close_idle(kit: bytes, pool: LocalPool) -> None:
    with _lock:
        waiting = _idle.get(_digest(kit), deque())
        if pool not in waiting or pool.idle_seconds < IDLE_SECONDS:
            return
        waiting.remove(pool)
    pool.close()


def _digest(kit: bytes) -> str:
    return hashlib.sha256(kit).hexdigest()
