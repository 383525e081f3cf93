"""`m5 grade`: from paths to a folder of grades."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.batch.ahead import HeadStart
from autograder.batch.fingerprints import configuration_hash
from autograder.batch.loop import Batch
from autograder.batch.machine import default_jobs
from autograder.batch.messages import Setup
from autograder.batch.pool import OVERHEAD_SECONDS, LocalPool, Pool
from autograder.batch.progress import Progress
from autograder.batch.resuming import find_kept
from autograder.batch.stopping import Stop, stop_asked
from autograder.core.assignment import Assignment
from autograder.core.clerk import obeying
from autograder.core.errors import BoxError
from autograder.intake import Handin, Intake, collect
from autograder.reports.folder import ResultsFolder, Run
from autograder.reports.gradebooks import write_gradebooks
from autograder.reports.tables import COLUMNS, Gradebook, write_table
from autograder.sandbox.box import BoxKind, Isolation, Toolbox, probe

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
    with (
        stop_asked() as stop,
        tempfile.TemporaryDirectory(prefix="m5-intake-") as scratch,
    ):
        _ = assignment.mnist  # so that a fault in it is known before anything is graded
        found = collect(paths, scratch=Path(scratch), assignment_id=assignment.config.assignment.id)
        setup = Setup(
            config=assignment.config,
            data=str(assignment.data.resolve()),
            tests=str(assignment.tests.resolve()),
            lesson_text=assignment.lesson_text,
            toolbox=None,
            isolation=None,
            kinds=list(kinds),
            require_isolation=require_isolation,
            warm=True,
            leftovers=[scratch],
            grader="autograder.batch.worker:make_grader",
        )

        @contextlib.contextmanager
        def on_this_machine(todo: Sequence[Handin]) -> Iterator[Pool]:
            count = jobs or default_jobs(assignment.config.limits)
            count = max(1, min(count, len(todo)))
            with Toolbox.make(assignment.mnist) as toolbox:
                isolation = _find_isolation(assignment, toolbox, todo, kinds, require_isolation)
                progress.began(isolation, total=len(todo), jobs=count)
                own = msgspec.structs.replace(
                    setup,
                    toolbox=str(toolbox.root),
                    isolation=isolation,
                    # For one alone it takes longer to make ready than it saves.
                    warm=len(todo) > count,
                    leftovers=[*setup.leftovers, str(toolbox.root)],
                )
                seconds = assignment.config.longest_seconds + OVERHEAD_SECONDS
                with LocalPool(own, size=count, job_seconds=seconds, ahead=ahead) as pool:
                    yield pool

        @contextlib.contextmanager
        def on_the_cluster(todo: Sequence[Handin]) -> Iterator[Pool]:
            from autograder.batch.dask import ClusterPool

            assert cluster is not None
            progress.began(None, total=len(todo), jobs=None)
            with ClusterPool(cluster, setup) as pool:
                yield pool

        rows = grade_handins(
            found,
            assignment=assignment,
            results=results,
            progress=progress,
            open_pool=on_this_machine if cluster is None else on_the_cluster,
            stop=stop,
        )
        return Done(rows=rows, passed_over=found.passed_over)


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
        if strangers := results.others({handin.submission for handin in found.handins}):
            progress.warned(
                f"{len(strangers)} graded before are not among these submissions: their folders "
                f"are kept, their rows are not ({', '.join(strangers[:MAX_LISTED])}, ...)."
            )
        pool = stack.enter_context(open_pool(todo)) if todo else None
        stop.arm()
        # Only now, so that what was there is as it was if there is no box.
        book = stack.enter_context(Gradebook(results.gradebook, [each.row for each in kept]))
        batch = Batch(
            config=assignment.config,
            results=results,
            gradebook=book,
            progress=progress,
            run=run,
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


def _find_isolation(
    assignment: Assignment,
    toolbox: Toolbox,
    handins: Sequence[Handin],
    kinds: Sequence[BoxKind],
    require: bool,
) -> Isolation:
    notebooks = [h.path for h in handins if h.path.suffix == ".ipynb"]
    isolation = probe(
        limits=assignment.config.limits,
        toolbox=toolbox,
        secret_files=[*assignment.secret_files, *notebooks[:PROBED_SUBMISSIONS]],
        kinds=kinds,
    )
    if require and not isolation.is_complete:
        raise BoxError(
            "This machine does not give every guarantee, and --require-isolation was asked "
            "for. Missing: " + "; ".join(isolation.missing)
        )
    return isolation
