"""Grading on a Dask cluster: the same jobs, in the same grading processes, on other machines.

What travels is bytes: the assignment once per machine, a submission with each job, a result back.
On each of the cluster's workers a job is handed to a `LocalPool` of one process, so that boxes are
opened, watched and ended exactly as on one machine. The workers need this package installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import warnings
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

from autograder.batch.messages import Job, Refused, Setup, decode_answer
from autograder.batch.pool import Event
from autograder.batch.remote import LOST, grade_there, pack_kit
from autograder.core.errors import BoxError
from autograder.core.wire import encode

CONNECT_SECONDS = 30
ASK_SECONDS = 0.5
"""How long the number of the cluster's threads is believed."""
LEAST_QUEUED = 8
"""Handed over even if the cluster has no worker yet: it may start some because of it."""


class ClusterPool:
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

    def __enter__(self) -> ClusterPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
            return Event(
                submission=name, answer=None, lost_because=f"{type(error).__name__}: {error}"
            )
        finally:
            future.release()
        if isinstance(answer, Refused) and answer.reason.startswith(LOST):
            return Event(submission=name, answer=None, lost_because=answer.reason)
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
