"""The only file here that knows the grader's modules: when they move, this is what changes."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import msgspec
from click.testing import CliRunner

from autograder import cli
from autograder.batch import dask
from autograder.batch.messages import Graded
from autograder.batch.pool import Event
from autograder.core.assignment import load_assignment
from autograder.intake import Handin
from autograder.sandbox import Execution, Isolation
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe
from tests.recorded import store

ROOT = Path(__file__).resolve().parents[2]
DATA = Path("assignment/data/mnist.npz")
SECONDS = 90
"""For each notebook: one of them is stopped by it."""
ISOLATION = {
    "kind": "namespaces",
    "layers": ["recorded"],
    "findings": [
        {
            "guarantee": "cannot reach any network address, this machine's own included",
            "held": False,
            "reason": "this run was recorded",
        }
    ],
    "passed_over": [],
}


def grade(
    out: Path,
    *,
    names: list[str] | None = None,
    record: bool = False,
    course: Path = store.COURSE,
    command: Sequence[str] = ("grade", "SUBMISSIONS", "-o", "OUT"),
) -> str:
    """Have `m5 grade` grade the recorded submissions into `out`; returns what it prints.

    Parameters
    ----------
    command
        Another one that runs submissions; `SUBMISSIONS` and `OUT` are put in.
    names
        Of submissions; None for all.
    record
        Run them in real boxes, and keep what these hand out, in place of handing out what is kept.
    """
    with (
        tempfile.TemporaryDirectory(prefix="m5-recorded-") as folder,
        contextlib.ExitStack() as stack,
    ):
        root = Path(folder) / "course"
        copy_course(root, course)
        submissions = Path(folder) / "submissions"
        submissions.mkdir()
        for path in sorted(store.SUBMISSIONS.iterdir()):
            if names is None or path.stem in names:
                shutil.copy(path, submissions)
        pool = _Pool(root, stack, record=record)
        stack.enter_context(
            mock.patch.object(dask, "ClusterPool", lambda _, setup: pool.ready(setup))
        )
        places = {"SUBMISSIONS": str(submissions), "OUT": str(out)}
        words = [places.get(word, word) for word in command]
        words += ["--root", str(root), "--timeout", str(SECONDS), "--cluster", "this process"]
        done = CliRunner().invoke(cli.main, words, catch_exceptions=False)
    return done.output.replace(str(out), "OUT")


def copy_course(root: Path, course: Path = store.COURSE) -> Path:
    """A course that a command may be told of with --root."""
    shutil.copytree(course, root, ignore=shutil.ignore_patterns("assignment"))
    (root / DATA).parent.mkdir(parents=True)
    (root / DATA).symlink_to(ROOT / DATA)
    return root


class _Pool:
    """Grades in this process what `m5 grade` means to send to a cluster."""

    def __init__(self, root: Path, stack: contextlib.ExitStack, *, record: bool) -> None:
        self._root = root
        self._stack = stack
        self._record = record
        self._events: list[Event] = []
        self._name = ""

    @contextlib.contextmanager
    def ready(self, setup: Any) -> Iterator[_Pool]:
        toolbox, isolation = None, msgspec.convert(ISOLATION, Isolation)
        if self._record:
            assignment = load_assignment(self._root)
            toolbox = self._stack.enter_context(Toolbox.make(assignment.mnist.handed_out()))
            isolation = probe(limits=setup.config.limits, toolbox=toolbox, secret_files=())
        module, _, name = setup.grader.partition(":")
        make = getattr(importlib.import_module(module), name)
        setup = msgspec.structs.replace(setup, warm=self._record)
        self._grader = make(setup, toolbox, isolation, lambda *_: None, self._stack)
        pipeline = sys.modules[type(self._grader).__module__]
        with contextlib.ExitStack() as patches:
            if self._record:
                executor = self._recording(pipeline.Executor)
            else:
                executor = self._replaying()
                patches.enter_context(mock.patch.object(pipeline, "Box", _paper_box))
            patches.enter_context(mock.patch.object(pipeline, "Executor", executor))
            yield self

    @property
    def free(self) -> int:
        return 1 - len(self._events)

    def submit(self, job: Any) -> None:
        self._name = job.submission
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / os.fsdecode(job.file_name)
            if job.content is not None:
                path.write_bytes(job.content)
            outcome = self._grader.grade(
                Handin(submission=job.submission, path=path, refusal=job.refusal)
            )
        self._events.append(Event(submission=job.submission, answer=Graded.of(outcome)))

    def wait(self, seconds: float) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _replaying(self) -> Any:
        """An executor that runs nothing: the cells end as they did, and the export is there."""

        def make(*, box: Any, shift: int, **_: object) -> Any:
            def execute(notebook: Any) -> Execution:
                return msgspec.convert(
                    store.load(self._name, shift, notebook, box.scratch.export), Execution
                )

            return SimpleNamespace(execute=execute)

        return make

    def _recording(self, real: Any) -> Any:
        """The executor; what it leaves is kept."""

        def make(*, box: Any, shift: int, **options: Any) -> Any:
            executor = real(box=box, shift=shift, **options)

            def execute(notebook: Any) -> Any:
                execution = executor.execute(notebook)
                told = msgspec.to_builtins(execution)
                store.save(self._name, shift, told, Path(box.scratch.export))
                return execution

            return SimpleNamespace(execute=execute)

        return make


@contextlib.contextmanager
def _paper_box(**_: object) -> Iterator[Any]:
    """In place of a box: a folder for the export."""
    with tempfile.TemporaryDirectory() as folder:
        yield SimpleNamespace(scratch=SimpleNamespace(export=Path(folder)))
