"""`m5 regrade`: other rules, the same runs."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from autograder.cli.common import (
    box_option,
    config_option,
    examples,
    explained,
    progress_bar,
    root_of,
    root_option,
    say,
    say_pages,
    timeout_option,
)
from autograder.core.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from autograder.batch.regrading import Change
    from autograder.core.assignment import Assignment
    from autograder.core.config import Config
    from autograder.reports.folder import ResultsFolder
    from autograder.sandbox import BoxKind

MAX_SHOWN = 40
"""Submissions in one list on the terminal; regrade.csv has all of them."""


@click.command(
    epilog=examples(
        "m5 regrade grades",
        "m5 regrade grades --overrides ann.csv bob.csv",
        "m5 regrade grades --dry-run --threshold 0.96 --budget 50000",
        then="Exit status: 0 all judged, 1 some need a new run; else as `m5 grade`.",
    )
)
@click.argument("folder", metavar="GRADES", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, metavar="", type=click.Path(path_type=Path))
@root_option
@config_option
@timeout_option
@click.option(
    "--overrides", type=click.Path(path_type=Path), metavar="FILE...",
    help="Points that people gave, one file or several; they are merged into overrides.csv.",
)  # fmt: skip
@click.option(
    "--rerun", multiple=True, type=click.Path(path_type=Path), metavar="EXPORT",
    help="Where the submissions lie: run those that need a new run, and only those.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Write nothing; show who would pass, and who not.")
@click.option(
    "--threshold", type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="With --dry-run: as if this were accuracy.threshold.",
)  # fmt: skip
@click.option(
    "--budget", type=click.IntRange(1), help="With --dry-run: as if it were budget.max_parameters."
)
@click.option(
    "--jobs", type=click.IntRange(1, 1024), metavar="N", help="With --rerun: as m5 grade."
)
@click.option("--cluster", metavar="ADDRESS", help="The same.")
@box_option
@explained
def regrade(
    folder: Path,
    files: tuple[Path, ...],
    root: Path | None,
    config: Path | None,
    timeout: float | None,
    overrides: Path | None,
    rerun: tuple[Path, ...],
    dry_run: bool,
    threshold: float | None,
    budget: int | None,
    jobs: int | None,
    cluster: str | None,
    kinds: list[BoxKind],
) -> int:
    """Judge grades again after a change of rules, without running anything.

    The threshold, the budget, points, reflections and tests may be others: change them, run
    `m5 release`, then this. What would come out otherwise if it were run again, needs a new run;
    its old grade stays until there is one. Old and new stand side by side in GRADES/regrade.csv.
    """
    from autograder.batch.regrading import refuse_none
    from autograder.batch.worker import PAGE_AHEAD
    from autograder.core.assignment import load_assignment
    from autograder.core.clerk import clerk
    from autograder.core.config import CONFIG_NAME, load_config
    from autograder.reports.folder import ResultsFolder
    from autograder.reports.pages import AHEAD_OF_CLASS

    if files and overrides is None:
        raise UsageError(f"What is {files[0]}? Name files of marks after --overrides.")
    if not dry_run and (threshold is not None or budget is not None):
        raise UsageError(
            "--threshold and --budget are for --dry-run. To apply them, change otter_config.json, "
            "and run `m5 release`."
        )
    if gone := [path for path in rerun if not path.exists()]:
        raise UsageError(f"--rerun: {gone[0]} is not there. Nothing was judged.")
    marks = [*([overrides] if overrides else []), *files]
    ahead = () if dry_run else (PAGE_AHEAD, AHEAD_OF_CLASS)
    clerk(("autograder.grading.reflections", *ahead)).start()
    root = root or root_of(config)
    results = ResultsFolder(folder, overwrite=False, resume=True)
    if dry_run:
        today = load_config(config or root / CONFIG_NAME)
        with _assignment_as_if(root, today, threshold, budget) as assignment:
            return _try(results, assignment.with_timeout(timeout), marks, today)
    assignment = load_assignment(root, config).with_timeout(timeout)
    assignment.begin_reading()
    refuse_none(results)
    with results.locked():  # until the pages are there: they are made of what the tables say
        changes = _regrade(results, assignment, marks)
        if rerun and any(change.why for change in changes):
            changes = _run_again(
                rerun, results, assignment, changes, jobs=jobs, cluster=cluster, kinds=kinds
            )
        _say_changes(changes, folder)
        return _pages(results, root, assignment.config, changes)


def _regrade(results: ResultsFolder, assignment: Assignment, marks: Sequence[Path]) -> list[Change]:
    from autograder.batch.grading import stop_asked
    from autograder.batch.regrading import regrade as judge_again

    with stop_asked() as stop, progress_bar("Judging") as show:
        _ = assignment.mnist  # so that a fault in it is known before anything is written
        stop.arm()
        return judge_again(results, assignment, marks=marks, stop=stop, on_done=show)


def _run_again(
    paths: Sequence[Path],
    results: ResultsFolder,
    assignment: Assignment,
    changes: Sequence[Change],
    *,
    jobs: int | None,
    cluster: str | None,
    kinds: list[BoxKind],
) -> list[Change]:
    from autograder.batch.grading import grade_batch
    from autograder.batch.regrading import after_runs, write_comparison
    from autograder.batch.terminal import TerminalProgress

    with TerminalProgress() as progress:
        grade_batch(
            paths,
            assignment=assignment,
            results=results,
            progress=progress,
            kinds=kinds,
            jobs=jobs,
            cluster=cluster,
            only={change.submission for change in changes if change.why},
        )
    changes = after_runs(results, assignment, changes)
    write_comparison(results, changes)
    return changes


def _pages(results: ResultsFolder, root: Path, settings: Config, changes: Sequence[Change]) -> int:
    from autograder.batch.regrading import forget_begun
    from autograder.batch.resuming import listed, listed_reports
    from autograder.batch.terminal import print_summary
    from autograder.core.assignment import read_lesson
    from autograder.reports.gradebooks import write_feedback_zip
    from autograder.reports.pages import rebuild_pages
    from autograder.reports.tables import COLUMNS, row_of

    with progress_bar("Students' pages") as show:
        built = rebuild_pages(results.root, settings, read_lesson(root), on_feedback=show)
    say_pages(built, write_feedback_zip(results.root, listed(results)))
    forget_begun(results)
    rows = [dict(zip(COLUMNS, row_of(each), strict=True)) for each in listed_reports(results)]
    print_summary(rows, (), needing_a_person=built.needing_a_person)
    needy = any(change.why for change in changes)
    return ExitStatus.NOT_ALL_GRADED if needy or built.problems else ExitStatus.GRADED


def _say_changes(changes: Sequence[Change], folder: Path) -> None:
    """Who has another grade, and who needs a new run."""
    other = [change for change in changes if change.is_other]
    needy = [change for change in changes if change.why]
    _say_list("Another grade", [f"{change.submission}: {change.told}" for change in other])
    _say_list("Needs a new run", [f"{change.submission}: {change.why}" for change in needy])
    say(_counts(changes))
    if needy:
        say(
            f"For the new run: m5 regrade {shlex.quote(str(folder))} --rerun EXPORT, where EXPORT "
            "is what you gave `m5 grade`. Until then the old grade stays."
        )
    say(f"Old and new: {folder / 'regrade.csv'}")


def _counts(changes: Sequence[Change]) -> str:
    other = sum(change.is_other for change in changes)
    needy = sum(bool(change.why) for change in changes)
    return (
        f"{len(changes) - needy:,} judged, {other:,} with another grade; "
        f"{needy:,} need{'s' * (needy == 1)} a new run."
    )


def _say_list(title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    say(f"{title}:")
    for line in lines[:MAX_SHOWN]:
        say(f"  {line}")
    if len(lines) > MAX_SHOWN:
        say(f"  and {len(lines) - MAX_SHOWN:,} more")


# --------------------------------------------------------------------------- --dry-run


@contextlib.contextmanager
def _assignment_as_if(
    root: Path, config: Config, threshold: float | None, budget: int | None
) -> Iterator[Assignment]:
    """The assignment by other rules, with tests made for them, which are gone afterwards."""
    from autograder.core.assignment import DATA_PATH, Assignment, read_lesson
    from autograder.release.build import make_tests

    changes = {"accuracy": ("threshold", threshold), "budget": ("max_parameters", budget)}
    for section, (key, value) in changes.items():
        if value is not None:
            rules = msgspec.structs.replace(getattr(config, section), **{key: value})
            config = msgspec.structs.replace(config, **{section: rules})
    with tempfile.TemporaryDirectory(prefix="m5-as-if-") as name:
        for test, content in make_tests(root, config).items():
            (Path(name) / test).write_bytes(content)
        yield Assignment(
            config=config,
            data=root / DATA_PATH,
            tests=Path(name),
            lesson=read_lesson(root),
            secret_files=(),
        )


def _try(
    results: ResultsFolder, assignment: Assignment, marks: Sequence[Path], today: Config
) -> int:
    from autograder.batch.regrading import judge_all, refuse_none
    from autograder.batch.resuming import listed_reports, load_overrides, run_of
    from autograder.batch.whatif import curves

    refuse_none(results)
    results.refuse_another(run_of(assignment))
    reports = listed_reports(results)
    load_overrides(results, assignment.config, reports, marks)
    with progress_bar("Judging") as show:
        changes = [change for change, _ in judge_all(results, assignment, on_done=show)]
    other = [change for change in changes if change.is_other]
    _say_list("Would have another grade", [f"{c.submission}: {c.told}" for c in other])
    needy = [change for change in changes if change.why]
    _say_list("Would need a new run", [f"{c.submission}: {c.why}" for c in needy])
    for line in curves(reports, assignment.config, today=today):
        say(line)
    say(f"{_counts(changes)} Nothing was written.")
    return ExitStatus.NOT_ALL_GRADED if needy else ExitStatus.GRADED
