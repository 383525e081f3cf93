"""Has student-made contents handled by a helper process, with limits of time and memory.

Text, markup, pictures and JSON that a student wrote can be made to cost any library hours or
gigabytes. So they are parsed, matched and drawn elsewhere: each process of ours has one helper,
the clerk, which forks a child for every task (`autograder.core.clerk_process`). The child may use
so much processor time and memory and no more; when it is stopped, the clerk goes on, and whoever
asked gets `Unfinished` and takes a plain form in place of the answer.

What a task is, stands in the room that it belongs to: a function of ours that takes a record and
returns bytes or a record. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

import msgspec

from autograder.core.errors import AutograderError
from autograder.core.processes import HELPERS
from autograder.core.text import encode

A = TypeVar("A")
R = TypeVar("R")

LOOK_SECONDS = 0.1
"""Between two looks at whether somebody wants to stop."""
SPARE_SECONDS = 30.0
"""For the clerk itself, to import what a task needs and to pass the answer on."""
CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from autograder.core.clerk_process import main; main(int(sys.argv[1]), sys.argv[3:])"
)
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A process with one thread can be forked safely."""


class Trouble(str, Enum):
    """Why a task was not finished."""

    LATE = "late"
    """It used up its time."""
    TOO_LARGE = "too large"
    """It needed more memory than it may have, nested deeper than Python can, or said too much."""
    BROKEN = "broken"
    """It was ended by a signal that we did not send, such as a segmentation fault."""
    FAULT = "fault"
    """It raised an exception that nobody expected: a mistake of ours."""


class Unfinished(AutograderError):
    """A task was given up; the contents that it was about can only be handled plainly."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one task may use.

    Attributes
    ----------
    cpu_seconds
        Processor time, whole seconds.
    wall_seconds
        For a machine that is busy with other things; several times `cpu_seconds`.
    memory_bytes
        Address space beyond what the clerk itself has.
    answer_bytes
        Of the answer, encoded.
    """

    cpu_seconds: int
    wall_seconds: float
    memory_bytes: int
    answer_bytes: int


@dataclass(frozen=True, slots=True)
class Task(Generic[A, R]):
    """A function of ours that handles contents.

    Attributes
    ----------
    function
        ``module:function``, so that whoever asks does not import what the function needs. It
        takes one record and returns one, or bytes; its annotations say which.
    answer
        The type that it returns.
    """

    function: str
    answer: type[R]
    bounds: Bounds


class Request(msgspec.Struct, frozen=True, array_like=True):
    """A task on its way to the clerk, to be done for each of the arguments by one child."""

    function: str
    arguments: list[bytes]
    bounds: Bounds


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What came of it: the function's answers, encoded, or why there are none."""

    content: bytes
    trouble: Trouble | None = None
    text: str = ""


class Clerk:
    """The helper process; started when it is first needed, and started anew if it is gone.

    Parameters
    ----------
    ahead
        Modules to be imported, and functions of ours to be called (``module:function``), while it
        has nothing to do: what they leave behind, each task finds ready.

    Attributes
    ----------
    is_stopping
        Asked several times a second while a task runs; once it is true the task is given up with
        `KeyboardInterrupt`.
    idle
        Itself, and others that were started to help it, as long as they have nothing to do.
    """

    def __init__(self, ahead: Sequence[str] = ()) -> None:
        self.is_stopping: Callable[[], bool] = lambda: False
        self._ahead = list(ahead)
        self.idle = [self]
        self._busy = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Connection | None = None
        # Linux ends the clerk with the thread that started it, so that it never outlives us: that
        # must be a thread which ends with us, and not with whoever asks first.
        self._starter: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Have it import what it will need."""
        with self._busy:
            self._connect()

    def ask(self, task: Task[A, R], argument: A) -> R:
        """Have a task done.

        Raises
        ------
        Unfinished
            If it took too long, too much memory, or failed.
        KeyboardInterrupt
            If somebody wants to stop.
        """
        return self.ask_all(task, [encode(argument)])[0]

    def ask_all(self, task: Task[A, R], arguments: Sequence[bytes]) -> list[R]:
        """Have a task done for each of some encoded records, within the bounds of one.

        Raises
        ------
        Unfinished, KeyboardInterrupt
            See `ask`; none has an answer then.
        """
        request = encode(Request(task.function, list(arguments), task.bounds))
        with self._busy:
            try:
                answer = self._exchange(request, task.bounds)
            except BaseException:
                self._end()
                raise
        if answer.trouble is not None:
            raise Unfinished(answer.trouble, answer.text)
        contents = msgspec.msgpack.decode(answer.content, type=list[bytes])
        if task.answer is bytes:
            return contents  # type: ignore[return-value]
        return [msgspec.msgpack.decode(content, type=task.answer) for content in contents]

    def another(self) -> Clerk:
        """One more, which stops when this one does."""
        made = Clerk(self._ahead)
        made.is_stopping = lambda: self.is_stopping()
        return made

    def close(self) -> None:
        """End it, and those that help it."""
        others = [helper for helper in self.idle if helper is not self]
        self.idle = [self]
        for helper in others:
            helper.close()
        with self._busy:
            self._end()
            if self._starter is not None:
                self._starter.shutdown()
            self._starter = None

    def _exchange(self, request: bytes, bounds: Bounds) -> Answer:
        try:
            link = self._connect()
            link.send_bytes(request)
        except OSError:  # it has been killed since the last task
            self._end()
            link = self._connect()
            link.send_bytes(request)
        deadline = time.monotonic() + bounds.wall_seconds + SPARE_SECONDS
        while not link.poll(LOOK_SECONDS):
            if self.is_stopping():
                raise KeyboardInterrupt
            if time.monotonic() > deadline:
                raise Unfinished(Trouble.LATE, "The helper process did not answer in time.")
        try:
            return msgspec.msgpack.decode(link.recv_bytes(), type=Answer)
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            raise Unfinished(Trouble.BROKEN, f"The helper process ended: {error}.") from error

    def _connect(self) -> Connection:
        if self._link is not None:
            return self._link
        self._starter = self._starter or ThreadPoolExecutor(max_workers=1)
        self._process, self._link = self._starter.submit(self._spawn).result()
        HELPERS.add(self._process.pid)
        return self._link

    def _spawn(self) -> tuple[subprocess.Popen[bytes], Connection]:
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-c", CODE, str(theirs.fileno())),
                    *(json.dumps([path for path in sys.path if path]), *self._ahead),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env={**os.environ, **ONE_THREAD},
                pass_fds=(theirs.fileno(),),
                # Ctrl-C is for the one who asks; it then ends the task.
                start_new_session=True,
            )
        return process, ours

    def _end(self) -> None:
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            HELPERS.discard(self._process.pid)
        self._link = self._process = None


_clerk: tuple[int, Clerk] | None = None
_making = threading.Lock()


def clerk(ahead: Sequence[str] = ()) -> Clerk:
    """The clerk of this process.

    Parameters
    ----------
    ahead
        See `Clerk`; where this is the first call.
    """
    global _clerk
    with _making:
        if _clerk is None or _clerk[0] != os.getpid():  # a fork has none of its own yet
            _clerk = (os.getpid(), Clerk(ahead))
        return _clerk[1]


def ask(task: Task[A, R], argument: A) -> R:
    """Have the clerk of this process do a task; see `Clerk.ask`."""
    return clerk().ask(task, argument)


@contextlib.contextmanager
def obeying(is_stopping: Callable[[], bool]) -> Iterator[None]:
    """Give tasks up as soon as `is_stopping` says so."""
    helper = clerk()
    before, helper.is_stopping = helper.is_stopping, is_stopping
    try:
        yield
    finally:
        helper.is_stopping = before
