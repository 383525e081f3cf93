"""``make calibrate``: a shell over `studies.calibration`, imported only when it is called."""

from __future__ import annotations

import shlex
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from autograder.cli.common import box_option, explained, root_option, say
from autograder.core.errors import ConfigError, ExitStatus

if TYPE_CHECKING:
    from autograder.batch.pool import Pool
    from autograder.sandbox import BoxKind

NOT_AS_WANTED = ExitStatus.NOT_ALL_GRADED
SAMPLES_NAME = "calibration.jsonl"
NOT_SAID = ("root", "output", "resume", "minutes", "kinds")
"""Options that have no bearing on the numbers, or are paths of one machine."""


def _widths(context: click.Context, parameter: click.Parameter, text: str) -> tuple[int, ...]:
    """Parse ``8,16,32``; an empty text is no sweep."""
    try:
        widths = {int(part) for part in text.split(",") if part.strip()}
    except ValueError:
        widths = {0}
    if not all(1 <= width <= 10_000 for width in widths):
        raise click.BadParameter("give whole numbers from 1 to 10,000, such as 8,16,32")
    return tuple(sorted(widths))


def _command_line(context: click.Context) -> str:
    """How to measure the same again: what was given, but for where."""
    words = ["python", "-m", "studies.calibration"]
    for parameter in context.command.params:
        name = parameter.name or ""
        if parameter.human_readable_name in NOT_SAID or (
            context.get_parameter_source(name) is not ParameterSource.COMMANDLINE
        ):
            continue
        value = context.params[name]
        text = (
            ",".join(map(str, value))
            if isinstance(value, tuple)
            else f"{value:g}"
            if isinstance(value, float)
            else str(value)
        )
        words += [parameter.opts[0], text]
    return shlex.join(words)


@click.command()
@root_option
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=Path("docs"),
    show_default=True, help="Folder for calibration.md, its plot and the samples.",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=30, show_default=True,
    help="Seeds for starter and reference.",
)  # fmt: skip
@click.option(
    "--other-seeds", type=click.IntRange(0, 1000), default=10, show_default=True,
    help="Seeds for each other network.",
)  # fmt: skip
@click.option(
    "--widths", callback=_widths, default="8,12,16,20,24,32,64", show_default=True,
    help="Hidden units of the reference, for the sweep.",
)  # fmt: skip
@click.option(
    "--starter-epochs", type=click.IntRange(1, 1000), metavar="N",
    help="Train the starter for so long.  [default: as its notebook does]",
)  # fmt: skip
@click.option(
    "--sweep-epochs", type=click.IntRange(1, 1000), metavar="N",
    help="Train the sweep's networks for so long.  [default: as the reference]",
)  # fmt: skip
@click.option(
    "--minutes", type=click.FloatRange(0, 10_000), metavar="M",
    help="Begin nothing new after so long, and write what is known by then.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(1, 1024), metavar="N",
    help="Networks at a time.  [default: as many as cores and free memory allow]",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Keep what was measured before, and go on.")
@box_option
@explained
def calibrate(
    root: Path | None,
    output: Path,
    seeds: int,
    other_seeds: int,
    widths: tuple[int, ...],
    starter_epochs: int | None,
    sweep_epochs: int | None,
    minutes: float | None,
    jobs: int | None,
    resume: bool,
    kinds: list[BoxKind],
) -> int:
    """Measure from many seeds how often the starter, the solutions and networks of other widths
    reach the wanted accuracy.

    Writes calibration.md and calibration.svg; calibration.jsonl beside them has every run, so
    that --resume can go on after Ctrl-C.

    Exit status: 0 the starter always failed and the reference always passed, 1 not so or not
    measured in full; else as `m5 grade`.
    """
    from autograder.batch.grading import stop_asked
    from autograder.batch.pool import default_jobs
    from autograder.core.assignment import find_root, load_assignment
    from studies.calibration import (
        Plan,
        Role,
        conditions_of,
        key_of,
        measure_all,
        read_samples,
        rows_of,
        subjects_of,
        write_pages,
    )
    from studies.calibration.measuring import local_pool
    from studies.calibration.showing import Watching, print_rows

    root = root or find_root(Path.cwd())
    samples = output / SAMPLES_NAME
    if samples.exists() and not resume:
        raise ConfigError(f"{samples} is there already: go on with --resume, or delete it.")
    assignment = load_assignment(root)
    config = assignment.config
    conditions, first_seed = conditions_of(config), config.verification.seed
    subjects = subjects_of(
        root, widths=widths, starter_epochs=starter_epochs, sweep_epochs=sweep_epochs
    )
    tasks = Plan(seeds=seeds, other_seeds=other_seeds).tasks(subjects)
    size = jobs or default_jobs(config.limits)
    output.mkdir(parents=True, exist_ok=True)

    def open_pool() -> AbstractContextManager[Pool]:
        return local_pool(assignment, jobs=size, kinds=kinds)

    with stop_asked(), Watching(len(tasks)) as watching:
        problems = measure_all(
            tasks,
            open_pool=open_pool,
            conditions=conditions,
            first_seed=first_seed,
            path=samples,
            on_sample=watching.measured,
            seconds=None if minutes is None else 60 * minutes,
        )
    wanted = {key_of(subject, conditions, first_seed + shift) for subject, shift in tasks}
    kept = [sample for sample in read_samples(samples) if sample.key in wanted]
    missing = len(tasks) - len(kept)
    rows = rows_of(subjects, kept, config)
    print_rows(rows)
    command = _command_line(click.get_current_context())
    for path in write_pages(rows, output, config=config, command=command, missing=missing):
        say(f"wrote {path}")
    problems += [row.surprise for row in rows if row.surprise]
    vital = {row.subject.role: row.runs for row in rows}
    for role in (Role.STARTER, Role.REFERENCE):
        if vital.get(role, 0) < seeds:
            problems.append(f"{role.value}: {vital.get(role, 0)} of {seeds} runs were made")
    for problem in problems:
        say(problem, color="red", err=True)
    if missing:
        say(f"{missing} of {len(tasks)} runs were not made: go on with --resume.", err=True)
    return NOT_AS_WANTED if problems or missing else ExitStatus.GRADED


if __name__ == "__main__":
    calibrate()
