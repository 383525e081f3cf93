"""`m5 grade`: from paths to a folder of grades."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType

import msgspec

from autograder.batch.filing import Origin
from autograder.batch.loop import Batch, Progress
from autograder.batch.messages import Setup
from autograder.batch.pool import HeadStart, LocalPool, Pool, default_jobs
from autograder.batch.regrading import forget_begun
from autograder.batch.resuming import (
    Known,
    Rejudge,
    Row,
    listed_reports,
    load_overrides,
    run_of,
    write_tables,
)
from autograder.core.assignment import Assignment
from autograder.core.clerk import obeying
from autograder.intake import Handin
from autograder.intake.collecting import Intake, collect
from autograder.reports.folder import ResultsFolder
from autograder.reports.tables import Gradebook, row_of
from autograder.sandbox import BoxKind
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe

PROBED_SUBMISSIONS = 20
"""So many other submissions are tried to be read; if one is hidden, its neighbours are."""
MAX_LISTED = 5
"""Names in one sentence."""


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
    only: Container[str] | None = None,
) -> Done:
    """Grade every submission found in `paths`; each row is on disk as soon as it is known.

    Parameters
    ----------
    jobs
        Submissions at a time here; None for what cores and memory allow.
    cluster
        Address of a Dask scheduler, to grade there instead.
    ahead
        What was started on this machine before.
    only
        See `grade_handins`.

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
        here = partial(_local_pool, setup, assignment, progress, jobs, ahead)
        open_pool = here if cluster is None else partial(_cluster_pool, setup, progress, cluster)
        rows = grade_handins(
            found,
            assignment=assignment,
            results=results,
            progress=progress,
            open_pool=open_pool,
            stop=stop,
            only=only,
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
    with Toolbox.make(assignment.mnist.handed_out()) as toolbox:
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
    only: Container[str] | None = None,
) -> list[Row]:
    """The same for what was found, wherever it is graded.

    Parameters
    ----------
    only
        Submissions to be run though they were graded before, and no others; None for all.
    stop
        Asked again and again whether somebody wants it to end.
    open_pool
        Given what is left to be graded, opens the pool that grades it.
    """
    run = run_of(assignment)
    if only is not None:
        found = replace(found, handins=tuple(h for h in found.handins if h.submission in only))
    for sentence in (*found.passed_over, *found.warnings):
        progress.warned(sentence)
    with results.locked(), obeying(stop), contextlib.ExitStack() as stack:
        results.prepare(run)
        # With their old rows, which stay until there are new ones.
        before = [] if only is None else listed_reports(results)
        overrides = load_overrides(results, assignment.config, [*before, *found.handins])
        kept, todo = _divide(found.handins, assignment, results, keeping=only is None)
        names = [handin.submission for handin in found.handins]
        _tell_of_earlier(progress, kept, results.others(set(names)) if only is None else [])
        pool = stack.enter_context(open_pool(todo)) if todo else None
        stop.arm()
        rows = [*map(row_of, before), *(each.row for each in kept)]
        # Only now, so that what was there is as it was if there is no box.
        batch = Batch(
            config=assignment.config,
            results=results,
            gradebook=stack.enter_context(Gradebook(results.gradebook, rows)),
            progress=progress,
            run=run,
            origin=Origin.of(assignment),
            overrides=overrides,
            stop=stop,
        )
        batch.take_over(kept)
        try:
            complete = pool is None or batch.grade(todo, pool)
        finally:
            # Who had no report that could be read may have one now.
            order = [*(row.submission for row in before), *filter(batch.rows.__contains__, names)]
            table = write_tables(results, list(dict.fromkeys(order)), assignment.config)
    if not complete:
        raise KeyboardInterrupt
    if only is None:
        forget_begun(results)
    return table


def _divide(
    handins: Sequence[Handin], assignment: Assignment, results: ResultsFolder, *, keeping: bool
) -> tuple[list[Known], list[Handin]]:
    """Those that an earlier run graded, if they are to be kept, and those left to be graded."""
    if not (keeping and results.resume):
        return [], list(handins)
    again = Rejudge(assignment, results, run_of(assignment))
    kept = [known for handin in handins if (known := again.find(handin))]
    done = {each.handin.submission for each in kept}
    return kept, [handin for handin in handins if handin.submission not in done]


def _tell_of_earlier(progress: Progress, kept: Sequence[Known], strangers: Sequence[str]) -> None:
    """Say what lies in the folder from an earlier run."""
    if kept:
        judged = sum(each.was_judged for each in kept)
        told = f"; judged again, by the same runs: {judged}" if judged else ""
        progress.warned(f"{len(kept)} graded before and kept{told}.")
    if strangers:
        names = ", ".join(strangers[:MAX_LISTED]) + ", ..." * (len(strangers) > MAX_LISTED)
        progress.warned(
            f"{len(strangers)} graded before, but not named now: {names}. Their folders are kept; "
            "grades.csv and the tables to import have no row of them. To have these too, name all "
            "that was handed in, not the late ones alone."
        )
