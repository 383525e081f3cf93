"""The command ``m5``: a shell over functions, which it imports only when they are called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from autograder.errors import AutograderError
from autograder.verdict import Verdict

ALL_GRADED, SOME_NOT_GRADABLE, OUR_FAULT = 0, 1, 2


def _explained(command: Callable[..., int]) -> Callable[..., None]:
    """Turn the number returned into the exit status, and our own errors into a sentence."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            status = command(*arguments, **options)
        except AutograderError as error:
            click.secho(f"m5: {error}", fg="red", err=True)
            status = OUR_FAULT
        except KeyboardInterrupt:
            click.secho("m5: stopped; what was finished is on disk.", fg="yellow", err=True)
            status = 130
        sys.exit(status)

    return run


root_option = click.option(
    "--root",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Folder that holds otter_config.json.  [default: this folder or one above it]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="activity-m5-autograder")
def main() -> None:
    """Make and grade Activity M5, a Keras notebook on MNIST, without trusting the notebook."""


@main.command()
@root_option
@click.option("--check", is_flag=True, help="Change nothing; say whether the release is current.")
@_explained
def release(root: Path | None, check: bool) -> int:
    """Make what students get, the reference solution, and the tests to grade with."""
    from autograder.assignment import find_root
    from autograder.release import check_release
    from autograder.release import release as make_release

    root = root or find_root(Path.cwd())
    if check:
        problems = check_release(root)
        for problem in problems:
            click.secho(problem, fg="red", err=True)
        if problems:
            click.echo("The release is not current: run `m5 release`, look, and commit.", err=True)
            return 1
        click.echo("The release is current, and gives nothing away.")
        return 0
    summary = make_release(root)
    for path in summary.files:
        click.echo(f"wrote {path}")
    return 0


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Folder for grades.csv and one folder a submission.",
)  # fmt: skip
@root_option
@click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path),
    help="Another otter_config.json.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(1, 7200), metavar="SECONDS",
    help="Wall time for each notebook's cells together.  [default: from the configuration]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace grades that are in the folder already.")
@click.option(
    "--box", "box_kind", type=click.Choice(["namespaces", "user", "plain"]),
    help="Kind of box.  [default: the strongest that this machine offers]",
)  # fmt: skip
@click.option(
    "--require-isolation", is_flag=True, help="Grade nothing unless every guarantee holds."
)
@_explained
def grade(
    paths: tuple[Path, ...],
    output: Path,
    root: Path | None,
    config: Path | None,
    timeout: float | None,
    overwrite: bool,
    box_kind: str | None,
    require_isolation: bool,
) -> int:
    """Grade notebooks, and folders of notebooks.

    Exit status: 0 all were graded, 1 some could not be graded, 2 our own fault.
    """
    from autograder.assignment import find_root, load_assignment
    from autograder.batch import grade_batch
    from autograder.box import BoxKind
    from autograder.results import ResultsFolder
    from autograder.terminal import TerminalProgress, print_grades

    root = root or (config.resolve().parent if config else find_root(Path.cwd()))
    assignment = load_assignment(root, config)
    if timeout is not None:
        assignment = assignment.with_timeout(timeout)
    with TerminalProgress() as progress:
        reports = grade_batch(
            paths,
            assignment=assignment,
            results=ResultsFolder(output, overwrite=overwrite),
            progress=progress,
            kinds=[BoxKind(box_kind)] if box_kind else list(BoxKind),
            require_isolation=require_isolation,
        )
    print_grades(reports, output)
    verdicts = {report.verdict for report in reports}
    if Verdict.GRADER_ERROR in verdicts:
        return OUR_FAULT
    return SOME_NOT_GRADABLE if Verdict.MALFORMED_SUBMISSION in verdicts else ALL_GRADED


@main.command()
@root_option
@click.option(
    "--box", "box_kind", type=click.Choice(["namespaces", "user", "plain"]),
    help="Kind of box.  [default: the strongest that this machine offers]",
)  # fmt: skip
@_explained
def doctor(root: Path | None, box_kind: str | None) -> int:
    """Try to break out of a box on this machine, and say what holds.

    Exit status: 0 every guarantee holds, 1 some do not, 2 no box can be made.
    """
    from autograder.assignment import find_root, load_assignment
    from autograder.box import BoxKind, Toolbox, probe
    from autograder.terminal import print_isolation

    assignment = load_assignment(root or find_root(Path.cwd()))
    with Toolbox.make(assignment.mnist) as toolbox:
        isolation = probe(
            limits=assignment.config.limits,
            toolbox=toolbox,
            secret_files=assignment.secret_files,
            kinds=[BoxKind(box_kind)] if box_kind else list(BoxKind),
        )
    print_isolation(isolation)
    return 0 if isolation.is_complete else 1
