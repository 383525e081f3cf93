"""A process that has TensorFlow imported, from which boxes are forked."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograder.core.errors import BoxError
from autograder.core.processes import descendants, kill_all
from autograder.sandbox import BoxKind
from autograder.sandbox.box.command import (
    ORDINARY_USER,
    environment,
    interpreter,
    readable_paths,
    zygote_command,
)
from autograder.sandbox.box.folders import MAX_PARENT_BYTES, Scratch, Toolbox, is_root
from autograder.sandbox.box.process import ForkedProcess, LastWords, Launch

IMPORT_SECONDS = 300.0
"""For importing TensorFlow, 3 to 9 s on an idle machine, on a machine that is far from idle."""
FORK_SECONDS = 30.0
KERNEL_MODULES = ("ipykernel.kernelapp", "tensorflow", "keras", "keras.datasets.mnist")
"""What a kernel has imported before the student's first cell."""
NAME_BYTES = 12
"""What the nest's own name adds to the path of a scratch folder."""


class Zygote(contextlib.AbstractContextManager["Zygote"]):
    """Forks the processes of boxes of one kind; a context manager.

    Importing TensorFlow takes longer than all else that grading costs beside the training. Here it
    is done once, in a process that never runs a line of a submission.

    Parameters
    ----------
    kind
        Of the boxes that it forks.
    threads
        To compute with; None leaves it to the libraries.
    parent
        Where to make the folder for all their scratch folders; None for the system's place.
    modules
        To import.

    Notes
    -----
    The kernel ends it when the thread that made it ends.
    """

    def __init__(
        self,
        *,
        kind: BoxKind,
        toolbox: Toolbox,
        threads: int | None = None,
        parent: Path | None = None,
        modules: Sequence[str] = KERNEL_MODULES,
    ) -> None:
        self.kind = kind
        self._toolbox = toolbox
        self._threads = threads
        self._modules = modules
        self._lock = threading.Lock()
        self._ready = False
        parent = parent or Path(tempfile.gettempdir())
        if len(os.fsencode(parent)) > MAX_PARENT_BYTES - NAME_BYTES:
            parent = Path("/tmp")
        try:
            self.nest = Path(tempfile.mkdtemp(prefix="m5-", dir=parent)).resolve()
            self.nest.chmod(0o711 if is_root() else 0o700)
            self._scratch = Scratch.create(uid=None, parent=self.nest)
            self._start()
        except OSError as error:
            raise BoxError(f"A warm start could not be made ready: {error}.") from error

    def _start(self) -> None:
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command: list[str] = []
        if self.kind is BoxKind.NAMESPACES:
            command = zygote_command(
                nest=self.nest, readable=readable_paths(self._toolbox.root), as_root=is_root()
            )
        program = str(self._toolbox.program("zygote.py"))
        # Only where what it forks starts the box's processes and leaves: else orphans are ours.
        adopts = "1" if self.kind is BoxKind.NAMESPACES else "0"
        command += [interpreter(), "-s", program, str(theirs.fileno()), adopts]
        # Its folders have the names of a box's, so that paths in them can be translated.
        command += [str(self._scratch.work), *self._modules]
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment(self._scratch, threads=self._threads),
                cwd="/",
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._words = LastWords(self._process)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_alive(self) -> bool:
        """Whether it can still fork."""
        return self._process.poll() is None

    @property
    def pids(self) -> list[int]:
        """Its processes, and those of the boxes that it has forked."""
        return sorted(descendants(self._process.pid))

    def fork(self, launch: Launch, status: int) -> ForkedProcess:
        """Fork the process of a box, whose scratch folder must lie in `nest`.

        Parameters
        ----------
        status
            Descriptor to which the new process writes which layers came about.

        Raises
        ------
        BoxError
            If the zygote has died, or does not answer. Nothing was forked then.
        """
        has_own = self.kind is BoxKind.NAMESPACES
        request = {
            # It is not the grader's child: the zygote knows whose.
            "enter": {**launch.specification, "parent": None},
            "environment": launch.environment,
            "namespaces": self._namespaces(launch.scratch) if has_own else None,
        }
        stderr_read, stderr_write = os.pipe()
        go_read, go_write = os.pipe()
        stderr = os.fdopen(stderr_read, "rb")
        pid: int | None = None
        try:
            with self._lock:
                self._wait_until_ready()
                packet = [json.dumps(request).encode()]
                socket.send_fds(self._link, packet, [stderr_write, status, go_read])
                pid = int(self._hear(FORK_SECONDS)["pid"])
            if launch.cgroup is not None:
                launch.cgroup.add(pid)
            return ForkedProcess(pid=pid, stderr=stderr)
        except (OSError, KeyError, ValueError) as error:
            stderr.close()
            if pid is not None:
                # It still waits for the pipe that is closed below.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise self._failure(f"{type(error).__name__}: {error}") from error
        finally:
            for descriptor in (stderr_write, go_read, go_write):
                os.close(descriptor)

    def close(self) -> None:
        """End it; what it forked ends with it."""
        self._link.close()
        kill_all(lambda: descendants(self._process.pid))
        self._process.wait()
        shutil.rmtree(self.nest, ignore_errors=True)

    def _namespaces(self, scratch: Scratch) -> dict[str, object]:
        """What `inside/nest.py` is told; see there for the keys."""
        below = [path for path in readable_paths(self._toolbox.root) if path.startswith("/tmp/")]
        return {
            "nest": str(self.nest),
            "writable": [str(folder) for folder in scratch.writable],
            "tmp": str(scratch.tmp),
            "shm": str(scratch.shm),
            "below_tmp": below,
            "user": None if is_root() else ORDINARY_USER,
            "reaper": str(self._toolbox.program("reaper.py")),
        }

    def _wait_until_ready(self) -> None:
        if not self._ready:
            self._hear(IMPORT_SECONDS)
            self._ready = True

    def _hear(self, seconds: float) -> dict[str, Any]:
        if not select.select([self._link], [], [], seconds)[0]:
            raise OSError(f"no answer within {seconds:.0f} s")
        if not (packet := self._link.recv(1 << 16)):
            raise OSError("it has ended")
        answer: dict[str, Any] = json.loads(packet)
        return answer

    def _failure(self, what: str) -> BoxError:
        return BoxError(
            f"The process with TensorFlow imported cannot be forked ({what}): {self._words.text}."
        )
