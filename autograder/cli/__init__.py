"""The command ``m5``: a shell over functions, which it imports only when they are called."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
from autograder.cli.regrade import regrade
from autograder.core.errors import ExitStatus, UsageError, statuses_for_help
from autograder.core.report import Verdict

if TYPE_CHECKING:
    from autograder.batch.grading import Done
    from autograder.core.assignment import Lesson
    from autograder.core.config import Config
    from autograder.core.report import Report
    from autograder.sandbox import BoxKind


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="activity-m5-autograder")
def main() -> None:
    """Make and grade Activity M5, a Keras notebook on MNIST, without trusting the notebook."""


@main.command(
    epilog=examples(
        "m5 grade hw5.ipynb -o out", "m5 grade gradescope_export.zip -o grades --resume",
        then=statuses_for_help(),
    )
)  # fmt: skip
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Folder for grades.csv and a folder per submission.",
)  # fmt: skip
@root_option
@config_option
@timeout_option
@click.option("--overwrite", is_flag=True, help="Replace grades that are in the folder already.")
@click.option(
    "--resume", is_flag=True,
    help="Keep grades that are in the folder already, and grade what is new or has changed.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(1, 1024), metavar="N",
    help="Submissions at a time.  [default: as many as cores and free memory allow]",
)  # fmt: skip
@click.option(
    "--cluster", metavar="ADDRESS",
    help="Grade on the Dask cluster whose scheduler has this address.",
)  # fmt: skip
@box_option
@click.option(
    "--require-isolation", is_flag=True, help="Grade nothing unless every guarantee holds."
)
@explained
def grade(
    paths: tuple[Path, ...],
    output: Path,
    root: Path | None,
    config: Path | None,
    timeout: float | None,
    overwrite: bool,
    resume: bool,
    jobs: int | None,
    cluster: str | None,
    kinds: list[BoxKind],
    require_isolation: bool,
) -> int:
    """Grade notebooks, folders and zips of them, and exports of Gradescope, Canvas and nbgrader.

    May be stopped with Ctrl-C, and gone on with by --resume.
    """
    from autograder.batch.pool import head_start
    from autograder.core.assignment import load_assignment
    from autograder.core.clerk import clerk
    from autograder.reports.pages import AHEAD_OF_CLASS

    if overwrite and resume:
        raise UsageError("--overwrite and --resume contradict each other; name one of them.")
    say("Reading the assignment ...", err=True)
    clerk(("autograder.intake", AHEAD_OF_CLASS)).start()
    root = root or root_of(config)
    assignment = load_assignment(root, config).with_timeout(timeout)
    settings = assignment.config
    assignment.begin_reading()
    with contextlib.ExitStack() as stack:
        ahead = None
        if cluster is None:
            ahead = stack.enter_context(head_start(threads=settings.verification.threads))
        # Only now, while that process gets ready too; and pages once a notebook runs.
        from autograder.batch.grading import grade_batch
        from autograder.batch.terminal import TerminalProgress
        from autograder.reports.folder import ResultsFolder

        def write_page(report: Report, executed: str | None, folder: Path) -> None:
            from autograder.reports.pages import write_feedback

            write_feedback(report, executed, folder, settings, assignment.lesson)

        results = ResultsFolder(output, overwrite=overwrite, resume=resume, write_page=write_page)
        done = grade_batch(
            paths,
            assignment=assignment,
            results=results,
            progress=stack.enter_context(TerminalProgress()),
            kinds=kinds,
            require_isolation=require_isolation,
            jobs=jobs,
            cluster=cluster,
            ahead=ahead,
        )
    return _finish_class(done, output, settings, assignment.lesson)


def _finish_class(done: Done, output: Path, settings: Config, lesson: Lesson) -> int:
    """Draw the pages of a class that has been graded, and tell; returns the exit status."""
    from autograder.batch.terminal import print_grades, print_summary
    from autograder.reports.gradebooks import write_feedback_zip
    from autograder.reports.pages import rebuild_pages

    print_grades(done.rows, output)
    pages = rebuild_pages(output, settings, lesson)
    say_pages(pages, write_feedback_zip(output, [row["submission"] for row in done.rows]))
    print_summary(done.rows, done.passed_over, needing_a_person=pages.needing_a_person)
    verdicts = {row["verdict"] for row in done.rows}
    if Verdict.GRADER_ERROR.value in verdicts:
        return ExitStatus.OUR_FAULT
    if Verdict.MALFORMED_SUBMISSION.value in verdicts or done.passed_over:
        return ExitStatus.NOT_ALL_GRADED
    return ExitStatus.GRADED


@main.command(epilog=examples("m5 report grades", "m5 report grades --config other.json"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@root_option
@config_option
@explained
def report(folder: Path, root: Path | None, config: Path | None) -> int:
    """Build the pages of a folder of grades, also of one that is still being graded.

    Writes DIR/report.html, and each student's feedback.html that is missing or out of date.

    Exit status: 0 all pages were built, 1 some report could not be read; else as `m5 grade`.
    """
    from autograder.core.assignment import read_lesson
    from autograder.core.config import CONFIG_NAME, load_config
    from autograder.reports.pages import rebuild_pages

    root = root or root_of(config)
    settings = load_config(config or root / CONFIG_NAME)
    with progress_bar("Students' pages") as show:
        built = rebuild_pages(folder, settings, read_lesson(root), on_feedback=show)
    for problem in built.problems:
        say(problem, color="red", err=True)
    unfinished = f", {built.unfinished} not finished yet" if built.unfinished else ""
    say(f"wrote {built.report} ({built.submissions} submissions{unfinished})")
    return ExitStatus.NOT_ALL_GRADED if built.problems else ExitStatus.GRADED


@main.command(epilog=examples("m5 doctor", "m5 doctor --box plain"))
@root_option
@box_option
@explained
def doctor(root: Path | None, kinds: list[BoxKind]) -> int:
    """Try to break out of a box on this machine, and say what holds.

    Exit status: 0 every guarantee holds, 1 some do not, 3 no box can be made.
    """
    from autograder.batch.terminal import print_isolation
    from autograder.core.assignment import find_root, load_assignment
    from autograder.sandbox.box.folders import Toolbox
    from autograder.sandbox.box.guarantees import probe

    assignment = load_assignment(root or find_root(Path.cwd()))
    with Toolbox.make(assignment.mnist.handed_out()) as toolbox:
        isolation = probe(
            limits=assignment.config.limits,
            toolbox=toolbox,
            secret_files=assignment.secret_files,
            kinds=kinds,
            try_memory=True,
        )
    print_isolation(isolation)
    return ExitStatus.GRADED if isolation.is_complete else ExitStatus.NOT_ALL_GRADED


@main.command(epilog=examples("m5 release", "m5 release --check --prove"))
@root_option
@click.option("--check", is_flag=True, help="Change nothing; say whether the release is current.")
@click.option(
    "--prove", is_flag=True,
    help="Grade the starter and the reference as well: minutes, where --check takes seconds.",
)  # fmt: skip
@click.option(
    "--data", is_flag=True,
    help="Write dist/data as well: MNIST, for a class without internet, and its terms.",
)  # fmt: skip
@explained
def release(root: Path | None, check: bool, prove: bool, data: bool) -> int:
    """Make what students get, the solutions, and the autograder to upload to Gradescope.

    Refuses an assignment that nobody can pass, or that the starter passes, as far as that can be
    told without training.

    Exit status: 0 done, 1 the release that is there is not in order (--check) or the proof failed
    (--prove), 2 refused; else as `m5 grade`.
    """
    from autograder.core.assignment import find_root
    from autograder.release import check_release, hand_out_data
    from autograder.release import release as make_release
    from autograder.release.bundle import BUNDLE_PATH, write_bundle

    root = root or find_root(Path.cwd())
    if check:
        found = check_release(root)
        for problem in found.problems:
            say(problem, color="red", err=True)
        for remark in found.remarks:
            say(remark, color="yellow", err=True)
        if found.problems:
            say(
                "The release is not in order: put that right, run `m5 release`, look, and commit.",
                err=True,
            )
            return ExitStatus.NOT_ALL_GRADED
        say("The release is current, can be passed, and gives nothing away.")
        return _prove(root) if prove else ExitStatus.GRADED
    summary = make_release(root, believe_measured=not prove)
    for path in summary.files:
        say(f"wrote {path}")
    size = write_bundle(root).stat().st_size
    say(f"wrote {BUNDLE_PATH} ({size / 1e6:.1f} MB), to be uploaded to Gradescope")
    if data:
        for path in hand_out_data(root):
            say(f"wrote {path}, to be handed out beside the notebook")
    for remark in summary.remarks:
        say(remark, color="yellow", err=True)
    return _prove(root) if prove else ExitStatus.GRADED


def _prove(root: Path) -> int:
    """Grade the starter and the reference of the release in `root`, and say what came of it."""
    from autograder.batch.grading import grade_batch
    from autograder.batch.terminal import TerminalProgress
    from autograder.core.assignment import load_assignment
    from autograder.release.expectations import NOTEBOOKS, judge_proof, read_expectations
    from autograder.reports.folder import ResultsFolder

    assignment = load_assignment(root)
    say("Grading the starter and the reference: some minutes.")
    with tempfile.TemporaryDirectory(prefix="m5-prove-") as folder, TerminalProgress() as progress:
        done = grade_batch(
            [root / path for path in NOTEBOOKS.values()],
            assignment=assignment,
            results=ResultsFolder(Path(folder), overwrite=False),
            progress=progress,
        )
    proof = judge_proof(done.rows, assignment.config, read_expectations(root))
    for sentence in proof.measured:
        say(sentence)
    for remark in proof.remarks:
        say(remark, color="yellow", err=True)
    for problem in proof.problems:
        say(problem, color="red", err=True)
    if proof.problems:
        say("Not proved: do not hand this release out.", color="red", err=True)
        return ExitStatus.OUR_FAULT if proof.grader_failed else ExitStatus.NOT_ALL_GRADED
    say("Proved: the reference passes, and the starter does not.")
    return ExitStatus.GRADED


main.add_command(regrade)
