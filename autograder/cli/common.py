"""What commands of ``m5`` share: options, exit statuses, and errors put into a sentence."""

from __future__ import annotations

import contextlib
import errno
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder.core.errors import (
    AutograderError,
    ConfigError,
    DataError,
    ExitStatus,
    ReleaseError,
    UsageError,
)
from autograder.core.text import plain_text
from autograder.sandbox import BoxKind

if TYPE_CHECKING:
    from autograder.reports.pages import Rebuilt

REFUSALS = (UsageError, ConfigError, DataError, ReleaseError)
"""Somebody can put right what was asked for; all other errors are faults of ours or of the
machine."""


def say(text: str, *, color: str | None = None, err: bool = False) -> None:
    """Write a line, without anything in it that a terminal would obey."""
    click.secho(plain_text(text), fg=color, err=err)


def say_pages(built: Rebuilt, archive: Path | None) -> None:
    """Where the pages of a class are, and which could not be built."""
    for problem in built.problems:
        say(problem, color="red", err=True)
    say(f"The class at a glance: {built.report}")
    if archive is not None:
        say(f"Students' pages for Canvas to give back: {archive}")


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """How far it is, where somebody watches."""
    with click.progressbar(
        length=0, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield show


def root_of(config: Path | None) -> Path:
    """The folder of a configuration that was named, or of the one that is found from here."""
    from autograder.core.assignment import find_root

    return config.resolve().parent if config else find_root(Path.cwd())


def examples(*commands: str, then: str = "") -> str:
    r"""Commands for the end of `--help`; ``\b`` tells click to leave the lines as they are."""
    lines = ["\b", "Examples:", *(f"  {command}" for command in commands)]
    return "\n".join([*lines, "", then] if then else lines)


def explained(command: Callable[..., int]) -> Callable[..., None]:
    """Turn the number returned into the exit status, and errors into a sentence."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            status = command(*arguments, **options)
        except AutograderError as error:
            say(f"m5: {error}", color="red", err=True)
            refused = isinstance(error, REFUSALS)
            status = ExitStatus.WRONG_USAGE if refused else ExitStatus.OUR_FAULT
        except KeyboardInterrupt:
            onward = " with --resume" if "resume" in options else ""
            onward = f" Go on by the same command{onward}."
            say(f"m5: stopped; what was finished is on disk.{onward}", color="yellow", err=True)
            status = ExitStatus.INTERRUPTED
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # whoever read the output has gone; click ends quietly
            say(
                f"m5: a fault of the grader ({type(error).__name__}: {error}). What was finished "
                "is on disk. Please report it with these lines:",
                color="red",
                err=True,
            )
            say(traceback.format_exc(), err=True)
            status = ExitStatus.OUR_FAULT
        sys.exit(int(status))

    return run


root_option = click.option(
    "--root",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Folder that holds otter_config.json.  [default: this folder or one above it]",
)
config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Another otter_config.json.",
)
timeout_option = click.option(
    "--timeout", type=click.FloatRange(1, 7200), metavar="SECONDS",
    help="Wall time for each notebook's cells together.  [default: from the configuration]",
)  # fmt: skip
box_option = click.option(
    "--box",
    "kinds",
    type=click.Choice([kind.value for kind in BoxKind]),
    callback=lambda context, option, value: [BoxKind(value)] if value else list(BoxKind),
    help="Kind of box.  [default: the strongest that this machine offers]",
)
