"""A process that grades one submission after another, for whoever started it.

It ends when it is told to, and when the one who started it is gone: either way its box is
closed and its files are removed first.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from autograder.core.clerk import clerk
from autograder.core.processes import end_children

if TYPE_CHECKING:
    from autograder.batch.messages import Graded, Job, Setup
    from autograder.grading.evidence import Outcome
    from autograder.intake import Handin
    from autograder.sandbox import Isolation
    from autograder.sandbox.box.folders import Toolbox
    from autograder.sandbox.box.zygote import Zygote

END_SECONDS = 4.0
"""For closing the box and leaving, before the process is ended whatever it does: somebody waits,
and an exception that asks it to leave may get lost, where it comes in a callback of a library."""
AHEAD = (
    "autograder.core.assignment",
    "autograder.sandbox.box.guarantees",
    "autograder.sandbox.executor",
    "autograder.grading.pipeline",
)
"""Imported while there is no setup yet."""
CLERKS_AHEAD = (
    "autograder.intake",
    "autograder.grading.reflections",
    "autograder.batch.executed:warm_up",
)
"""The same for what our helper will be asked, also in Gradescope's container."""
PAGE_AHEAD = "autograder.reports.pages.feedback:warm_up"
"""And here alone: Gradescope shows no pages of ours."""
OnCell = Callable[[int, int, str], None]


class HandinGrader(Protocol):
    """Grades one submission; whatever happens, there is an outcome."""

    def grade(self, handin: Handin) -> Outcome:
        """Grade it."""


def make_grader(
    setup: Setup,
    toolbox: Toolbox,
    isolation: Isolation,
    on_cell: OnCell,
    stack: contextlib.ExitStack,
) -> HandinGrader:
    """The real grader: `autograder.grading.pipeline.Grader`."""
    # First, since TensorFlow is imported meanwhile.
    zygote = _start_zygote(setup, toolbox, isolation, stack) if setup.warm else None
    from autograder.core.assignment import Assignment
    from autograder.core.errors import BoxError
    from autograder.grading.pipeline import Grader
    from autograder.sandbox.box.guarantees import probe_forked

    if zygote is not None:
        try:
            isolation = probe_forked(
                isolation,
                zygote,
                limits=setup.config.limits,
                toolbox=toolbox,
                secret_files=_secret_files(setup),
            )
        except BoxError as error:
            # Slower, and just as safe.
            print(f"Every box is started from nothing. {error}", file=sys.stderr)
            zygote = None
    return Grader(
        assignment=Assignment(
            config=setup.config,
            data=Path(setup.data),
            tests=Path(setup.tests),
            lesson=setup.lesson,
            secret_files=(),
        ),
        toolbox=toolbox,
        isolation=isolation,
        on_cell=on_cell,
        zygote=zygote,
    )


def _start_zygote(
    setup: Setup, toolbox: Toolbox, isolation: Isolation, stack: contextlib.ExitStack
) -> Zygote | None:
    from autograder.core.errors import BoxError
    from autograder.sandbox.box.zygote import Zygote

    try:
        return stack.enter_context(
            Zygote(
                kind=isolation.kind,
                toolbox=toolbox,
                threads=setup.config.verification.threads,
            )
        )
    except BoxError as error:
        print(f"Every box is started from nothing. {error}", file=sys.stderr)
        return None


def _secret_files(setup: Setup) -> list[Path]:
    return [Path(setup.data), *sorted(Path(setup.tests).glob("*.py"))]


def main(descriptor: int, setup_file: str) -> None:
    """Serve whoever holds the other end of the connection `descriptor`, and end this process."""
    status = 1
    try:
        _main(descriptor, setup_file)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    # Nothing is left to be done, and somebody waits: Python would take a quarter of a second.
    sys.stderr.flush()
    os._exit(status)


def _main(descriptor: int, setup_file: str) -> None:
    os.set_inheritable(descriptor, False)
    parent = os.getppid()
    # Not ignored, as they may be in the process that started us: a box would inherit that, and
    # then the kernel in it could not be interrupted.
    signal.signal(signal.SIGINT, _pass)
    signal.signal(signal.SIGTERM, _leave)
    clerk((*CLERKS_AHEAD, PAGE_AHEAD)).start()
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    try:
        with Connection(descriptor) as link:
            threading.Thread(target=_listen, args=(link, jobs), daemon=True, name="m5-jobs").start()
            # Only now what takes a second to import: jobs may be waiting.
            from autograder.batch.messages import Refused
            from autograder.core.errors import AutograderError
            from autograder.core.text import encode

            for module in AHEAD:
                if not jobs.empty():
                    break
                importlib.import_module(module)
            jobs.get()  # BEGIN
            try:
                _serve(link, jobs, Path(setup_file))
            except AutograderError as error:
                link.send_bytes(encode(Refused(reason=str(error))))
    finally:
        if os.getppid() != parent:
            from autograder.batch.process import remove_workplace

            remove_workplace(Path(setup_file).parent)


def _serve(link: Connection, jobs: queue.SimpleQueue[bytes], setup_file: Path) -> None:
    import msgspec

    from autograder.batch.messages import CellRan, Graded, Job, Setup
    from autograder.core.text import encode

    setup = msgspec.json.decode(setup_file.read_bytes(), type=Setup)
    decoder = msgspec.msgpack.Decoder(Job)
    with contextlib.ExitStack() as stack:
        toolbox, isolation = _place(setup, stack)
        module, _, name = setup.grader.partition(":")
        maker = getattr(importlib.import_module(module), name)

        def on_cell(done: int, total: int, epoch: str) -> None:
            link.send_bytes(encode(CellRan(done=done, total=total, epoch=epoch)))

        grader: HandinGrader = maker(setup, toolbox, isolation, on_cell, stack)
        while True:
            job = decoder.decode(jobs.get())
            with tempfile.TemporaryDirectory(prefix="job-") as folder:
                outcome = grader.grade(_handin(job, Path(folder)))
            graded = Graded.of(outcome)
            if job.page_notes is not None:
                graded = _with_page(graded, job.page_notes, setup)
            link.send_bytes(encode(graded))


def _with_page(graded: Graded, notes: list[str], setup: Setup) -> Graded:
    """With the student's page: drawn here, so that the pages of a class are drawn side by side."""
    import msgspec

    from autograder.reports.pages.drawing import draw_student

    report = msgspec.structs.replace(graded.report, notes=[*notes, *graded.report.notes])
    try:
        page = draw_student(report, graded.executed, setup.config, setup.lesson)
    except Exception:  # must not cost a grade; whoever writes the files tries too, and says why not
        return graded
    return msgspec.structs.replace(graded, page=page)


def _place(setup: Setup, stack: contextlib.ExitStack) -> tuple[Toolbox, Isolation]:
    """The toolbox and what is known of boxes: as given, or of our own."""
    from autograder.core.mnist import load_mnist
    from autograder.sandbox.box.folders import Toolbox
    from autograder.sandbox.box.guarantees import probe

    if setup.toolbox is None:
        toolbox = stack.enter_context(Toolbox.make(load_mnist(Path(setup.data)).handed_out()))
    else:
        toolbox = Toolbox(root=Path(setup.toolbox))
    isolation = setup.isolation or probe(
        limits=setup.config.limits,
        toolbox=toolbox,
        secret_files=_secret_files(setup),
        kinds=setup.kinds,
        require=setup.require_isolation,
    )
    return toolbox, isolation


def _handin(job: Job, folder: Path) -> Handin:
    from autograder.core.errors import BoxError
    from autograder.core.report import Student
    from autograder.intake import Handin

    path = folder / os.fsdecode(job.file_name)
    if job.content is not None:
        try:
            path.write_bytes(job.content)
        except OSError as error:
            raise BoxError(f"{folder}: cannot be written: {error.strerror}.") from error
    return Handin(
        submission=job.submission,
        path=path,
        students=(Student(name=job.name, email=job.email),),
        refusal=job.refusal,
    )


def _listen(link: Connection, jobs: queue.SimpleQueue[bytes]) -> None:
    """Take jobs in while another is graded; at the end of the line, end this process."""
    try:
        while True:
            jobs.put(link.recv_bytes())
    except (EOFError, OSError):
        # To that thread: sent to the process, the signal may come to this one, and wake nobody.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(END_SECONDS)
    end_children()
    os._exit(1)


def _leave(number: int, frame: FrameType | None) -> None:
    """Unwind, so that every box on the way is closed; once."""
    signal.signal(signal.SIGTERM, _pass)
    sys.exit(128 + number)


def _pass(number: int, frame: FrameType | None) -> None:
    """Do nothing; unlike an ignored signal, this is not inherited by other programs."""
