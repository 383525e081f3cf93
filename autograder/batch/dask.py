"""Grading on a Dask cluster: the same jobs, in the same grading processes, on other machines.

What travels is bytes: the assignment once per machine, a submission with each job, a result back.
On each of the cluster's workers a job is handed to a `LocalPool` of one process, so that boxes are
opened, watched and ended exactly as on one machine. The workers need this package installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from autograder.batch.messages import CellRan, Graded, Job, Lost, Setup, decode_answer
from autograder.batch.pool import Event, LocalPool
from autograder.core.config import Record
from autograder.core.errors import BoxError
from autograder.core.text import encode

CONNECT_SECONDS = 30
ASK_SECONDS = 0.5
"""How long the number of the cluster's threads is believed."""
LEAST_QUEUED = 8
"""Handed over even if the cluster has no worker yet: it may start some because of it."""
LOOK_SECONDS = 0.5
"""Between two looks at whether a job is still wanted."""
IDLE_SECONDS = 60.0
"""How long a grading process is kept without anything to do."""


class ClusterPool(contextlib.AbstractContextManager["ClusterPool"]):
    """Hands submissions to a Dask cluster; a context manager.

    Parameters
    ----------
    address
        Of the scheduler, such as ``tcp://host:8786``.
    setup
        With paths of this machine; their content is sent along.

    Raises
    ------
    BoxError
        If `distributed` is not installed, or there is no scheduler at that address.
    """

    def __init__(self, address: str, setup: Setup) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise BoxError(
                "--cluster needs the package `distributed`: pip install distributed."
            ) from None
        try:
            self._client: Any = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise BoxError(f"No Dask scheduler answers at {address}: {error}.") from error
        kit = pack_kit(setup)
        self._run = hashlib.sha256(kit).hexdigest()[:16] + f"-{time.time_ns()}"
        # As a task, not as stored data, so that the cluster can make it again on a new worker.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph")
            self._kit = self._client.submit(bytes, kit, key=f"m5-kit-{self._run}")
        self._futures: dict[str, Any] = {}
        self._ended: SimpleQueue[str] = SimpleQueue()
        self._count = 0
        self._threads = (0.0, 0)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def free(self) -> int:
        """Threads of the cluster without work, and a few more to be kept in its queue."""
        asked, threads = self._threads
        if time.monotonic() - asked > ASK_SECONDS:
            try:
                threads = sum(self._client.nthreads().values())
            except (OSError, TimeoutError) as error:
                raise _scheduler_gone() from error
            self._threads = (time.monotonic(), threads)
        return max(LEAST_QUEUED, threads + threads // 4) - len(self._futures)

    def submit(self, job: Job) -> None:
        """See `Pool.submit`."""
        self._count += 1
        key = f"m5-job-{self._run}-{self._count}"
        name = job.submission
        # What is lost with its worker, Dask itself gives to another; what was lost three times,
        # it gives back to us.
        future = self._client.submit(grade_there, self._kit, encode(job), key, key=key)
        self._futures[name] = future
        future.add_done_callback(lambda _: self._ended.put(name))

    def wait(self, seconds: float) -> list[Event]:
        """See `Pool.wait`."""
        events = []
        try:
            name = self._ended.get(timeout=seconds)
            while True:
                if (event := self._take(name)) is not None:
                    events.append(event)
                name = self._ended.get_nowait()
        except Empty:
            return events

    def _take(self, name: str) -> Event | None:
        future = self._futures.pop(name, None)
        if future is None:
            return None
        try:
            answer = decode_answer(future.result(timeout=CONNECT_SECONDS))
        except Exception as error:
            if self._client.status != "running":
                raise _scheduler_gone() from error
            # Of Dask's many (killed worker, lost link, cancelled), each means the same to us.
            answer = Lost(reason=f"{type(error).__name__}: {error}")
        finally:
            future.release()
        return Event(submission=name, answer=answer)

    def close(self) -> None:
        """See `Pool.close`. Workers notice within a second that nobody wants their job."""
        # If the scheduler is gone, its workers give up by themselves.
        with contextlib.suppress(Exception):
            self._client.cancel([*self._futures.values(), self._kit], force=True)
        self._client.close(timeout=5)


def _scheduler_gone() -> BoxError:
    return BoxError(
        "The Dask scheduler does not answer any more. What was graded is kept; go on with --resume."
    )


# ---------------------------------------------------------------------- on a worker


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
                if isinstance(event.answer, Graded):
                    _give_back(kit, pool)
                    pool = None
                return encode(event.answer)
        return encode(Lost(reason="Nobody wanted it any more."))
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
    return _open_pool(kit)


def _open_pool(kit: bytes) -> LocalPool:
    from distributed import get_worker

    content = msgspec.msgpack.decode(kit, type=Kit)
    # Where Dask keeps this worker's files.
    folder = Path(tempfile.mkdtemp(prefix="m5-kit-", dir=get_worker().local_directory))
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
    return LocalPool(setup, size=1, owned=folder)


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
