"""What all commands of ``m5`` share: exit statuses, and errors put into a sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from autograder.errors import AutograderError

ALL_GRADED, SOME_NOT_GRADABLE, OUR_FAULT = 0, 1, 2


def explained(command: Callable[..., int]) -> Callable[..., None]:
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
