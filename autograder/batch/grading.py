"""`m5 grade`: from paths to a folder of grades."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import msgspec

from autograder.batch.loop import Batch, Progress, told_of
from autograder.batch.messages import Setup
from autograder.batch.pool import HeadStart, LocalPool, Pool, default_jobs
from autograder.batch.resuming import configuration_hash, find_kept
from autograder.core.assignment import Assignment
from autograder.core.clerk import obeying
from autograder.core.config import Config
from autograder.intake.collecting import Intake, collect
from autograder.intake.submission import Handin
from autograder.reports.folder import ResultsFolder, Run
from autograder.reports.gradebooks import write_gradebooks
from autograder.reports.overrides import OVERRIDES_NAME, Overrides, read_overrides
from autograder.reports.tables import COLUMNS, Gradebook, row_of, write_table
from autograder.sandbox.box import BoxKind, Toolbox, probe

PROBED_SUBMISSIONS = 20
"""So many other submissions are tried to be read; if one is hidden, its neighbours are."""
MAX_LISTED = 5
"""Names in one sentence."""
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a run.

    Attributes
    ----------
    rows
        The rows of grades.csv, in the order in which submissions were found.
    passed_over
        Paths that were named and hold no submission, a sentence each.
    """

    rows: list[Row]
    passed_over: tuple[str, ...]


class Stop:
    """Whether SIGINT or SIGTERM has come.

    Until it is armed they interrupt whatever is going on; from then on they are only noted, and
    asked for between two writes, so that none is cut.
    """

    def __init__(self) -> None:
        self._asked = self._armed = False

    def __call__(self) -> bool:
        return self._asked

    def arm(self) -> None:
        """From now on, only note them."""
        self._armed = True

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        if not self._armed:
            raise KeyboardInterrupt
        self._asked = True


@contextlib.contextmanager
def stop_asked() -> Iterator[Stop]:
    """Listen to SIGINT and SIGTERM."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {n: signal.signal(n, stop.handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


OpenPool = Callable[[Sequence[Handin]], contextlib.AbstractContextManager[Pool]]


def grade_batch(
    paths: Sequence[Path],
    *,
    assignment: Assignment,
    results: ResultsFolder,
    progress: Progress,
    kinds: Sequence[BoxKind] = tuple(BoxKind),
    require_isolation: bool = False,
    jobs: int | None = None,
    cluster: str | None = None,
    ahead: HeadStart | None = None,
) -> Done:
    """Grade every submission found in `paths`; each row is on disk as soon as it is known.

    Parameters
    ----------
    jobs
        Submissions at a time on this machine; None for what cores and memory allow.
    cluster
        Address of a Dask scheduler, to grade there instead.
    ahead
        What was started on this machine before.

    Raises
    ------
    UsageError
        If a path does not exist, or none of them holds a submission.
    BoxError
        If there is no box, or isolation is required and a guarantee does not hold.
    DataError
        If the digits cannot be read.
    ConfigError
        If the results folder may not be written.
    ResultsError
        If grades cannot be written; those that were are kept.
    KeyboardInterrupt
        If it was stopped by SIGINT or SIGTERM; what was finished is on disk.
    """
    with stop_asked() as stop, tempfile.TemporaryDirectory(prefix="m5-intake-") as scratch:
        _ = assignment.mnist  # so that a fault in it is known before anything is graded
        progress.doing("Looking for submissions")
        found = collect(paths, scratch=Path(scratch), assignment_id=assignment.config.assignment.id)
        setup = Setup.of(
            assignment, kinds=kinds, require_isolation=require_isolation, leftovers=[scratch]
        )
        open_pool = (
            partial(_local_pool, setup, assignment, progress, jobs, ahead)
            if cluster is None
            else partial(_cluster_pool, setup, progress, cluster)
        )
        rows = grade_handins(
            found,
            assignment=assignment,
            results=results,
            progress=progress,
            open_pool=open_pool,
            stop=stop,
        )
        return Done(rows=rows, passed_over=found.passed_over)


@contextlib.contextmanager
def _local_pool(
    setup: Setup,
    assignment: Assignment,
    progress: Progress,
    jobs: int | None,
    ahead: HeadStart | None,
    todo: Sequence[Handin],
) -> Iterator[Pool]:
    """Grading processes of this machine, which share a toolbox and what is known of boxes."""
    count = max(1, min(jobs or default_jobs(setup.config.limits), len(todo)))
    notebooks = [h.path for h in todo if h.path.suffix == ".ipynb"]
    progress.doing("Making a box, and trying to break out of it")
    with Toolbox.make(assignment.mnist) as toolbox:
        isolation = probe(
            limits=setup.config.limits,
            toolbox=toolbox,
            secret_files=[*assignment.secret_files, *notebooks[:PROBED_SUBMISSIONS]],
            kinds=setup.kinds,
            require=setup.require_isolation,
        )
        progress.began(isolation, total=len(todo), jobs=count)
        own = msgspec.structs.replace(
            setup,
            toolbox=str(toolbox.root),
            isolation=isolation,
            # For one alone it takes longer to make ready than it saves.
            warm=len(todo) > count,
            leftovers=[*setup.leftovers, str(toolbox.root)],
        )
        with LocalPool(own, size=count, ahead=ahead) as pool:
            yield pool


@contextlib.contextmanager
def _cluster_pool(
    setup: Setup, progress: Progress, address: str, todo: Sequence[Handin]
) -> Iterator[Pool]:
    from autograder.batch.dask import ClusterPool

    progress.began(None, total=len(todo), jobs=None)
    with ClusterPool(address, setup) as pool:
        yield pool


def grade_handins(
    found: Intake,
    *,
    assignment: Assignment,
    results: ResultsFolder,
    progress: Progress,
    open_pool: OpenPool,
    stop: Stop,
) -> list[Row]:
    """The same for what was found, wherever it is graded.

    Parameters
    ----------
    stop
        Asked again and again whether somebody wants it to end.
    open_pool
        Given what is left to be graded, opens the pool that grades it.
    """
    assignment_id = assignment.config.assignment.id
    run = Run(assignment=assignment_id, configuration_hash=configuration_hash(assignment))
    for sentence in (*found.passed_over, *found.warnings):
        progress.warned(sentence)
    with results.locked(), obeying(stop), contextlib.ExitStack() as stack:
        results.prepare(run)
        kept = []
        if results.resume:
            kept = [k for h in found.handins if (k := find_kept(h, results, run))]
        done = {each.handin.submission for each in kept}
        todo = [handin for handin in found.handins if handin.submission not in done]
        if kept:
            progress.warned(f"{len(kept)} were graded before, and are kept.")
        strangers = results.others({handin.submission for handin in found.handins})
        overrides = _overrides(found.handins, strangers, results, assignment.config)
        if strangers:
            progress.warned(
                f"{len(strangers)} graded before are not among these submissions: their folders "
                f"are kept, their rows are not ({', '.join(strangers[:MAX_LISTED])}, ...)."
            )
        pool = stack.enter_context(open_pool(todo)) if todo else None
        stop.arm()
        # Only now, so that what was there is as it was if there is no box.
        rows = [row_of(told_of(each.report, each.handin, overrides)) for each in kept]
        book = stack.enter_context(Gradebook(results.gradebook, rows))
        batch = Batch(
            config=assignment.config,
            results=results,
            gradebook=book,
            progress=progress,
            run=run,
            overrides=overrides,
            stop=stop,
        )
        batch.take_over(kept)
        try:
            complete = pool is None or batch.grade(todo, pool)
        finally:
            table = _finish(found.handins, batch.rows, results, assignment)
    if not complete:
        raise KeyboardInterrupt
    return table


def _overrides(
    handins: Sequence[Handin], strangers: Sequence[str], results: ResultsFolder, config: Config
) -> Overrides:
    """What people gave by hand, if the results folder has a file of it."""
    path = results.root / OVERRIDES_NAME
    if not path.exists():
        return Overrides()
    others = [Handin(submission=name, path=results.folder_of(name)) for name in strangers]
    return read_overrides([path], gradable=[*handins, *others], points=config.points)


def _finish(
    handins: Sequence[Handin],
    rows: dict[str, list[str]],
    results: ResultsFolder,
    assignment: Assignment,
) -> list[Row]:
    """Bring the rows into the order in which submissions were found; write the other tables."""
    known = [(handin, rows[handin.submission]) for handin in handins if handin.submission in rows]
    write_table(results.gradebook, COLUMNS, [row for _, row in known])
    named = [(handin, dict(zip(COLUMNS, row, strict=True))) for handin, row in known]
    write_gradebooks(results.root, named, assignment.config)
    return [row for _, row in named]
