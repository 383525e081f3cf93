"""Which of a notebook's networks is graded, and why: what the box says of it, for remarks only.

The box chooses by the rules that ``docs/students.md`` tells; see ``inside/choosing.py``. Nothing
here decides a grade: whatever the file says, one network left the box, and that one is measured.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from autograder.core.config import Record
from autograder.core.files import NotPlain, TooLarge, open_folder, read_plain_file
from autograder.core.text import one_line

CHOICE_NAME = "choice.json"
MAX_BYTES = 1 << 16
MAX_NAMES = 10

_Names = Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=MAX_NAMES)]


class Choice(Record, frozen=True, kw_only=True):
    """How the network was chosen.

    Attributes
    ----------
    model
        What the variable ``model`` is: the network that is graded, or why it is not.
    fitted
        Whether ``fit`` was called on the graded network, in this run.
    names
        Variables that hold it.
    others
        Variables that hold other networks on which ``fit`` was called.
    """

    format: Literal[1]
    model: Literal["graded", "missing", "no_network", "empty"]
    fitted: bool
    names: _Names
    others: _Names


def read_choice(folder: Path) -> Choice | None:
    """What the box wrote into `folder`; None where it did not, or wrote something else."""
    try:
        directory = open_folder(folder)
    except OSError:
        return None
    try:
        content = read_plain_file(directory, CHOICE_NAME, max_bytes=MAX_BYTES)
        return msgspec.json.decode(content, type=Choice)
    except (OSError, NotPlain, TooLarge, msgspec.MsgspecError, ValueError, RecursionError):
        return None
    finally:
        os.close(directory)


_WHY_NOT = {
    "missing": "There is no variable `model`",
    "no_network": "`model` is not a Keras network",
    "empty": "The network in `model` has no weights",
}


def remarks_for_student(choice: Choice | None, chosen_by: str | None) -> list[str]:
    """What to rename, where another network than the graded one may be meant.

    Parameters
    ----------
    chosen_by
        How the graded network was chosen, in words; None where none could be measured.
    """
    if choice is None:
        return []
    others = _listed(choice.others)
    if choice.model == "graded":
        if choice.fitted or not others:
            return []
        return [
            f"The network in `model` was not trained with `fit` in this run, but {others} "
            f"{'was' if len(choice.others) == 1 else 'were'}. What counts is `model`: if you mean "
            "another network, give it this name."
        ]
    graded = f"so graded is {chosen_by}" if chosen_by else "and no other could be measured"
    if chosen_by and choice.names and not chosen_by.startswith("the variable"):
        graded += f", {_listed(choice.names)}"
    beside = f" Networks that were trained as well: {others}." if others else ""
    return [f"{_WHY_NOT[choice.model]}, {graded}. Name the one that counts `model`.{beside}"]


def remarks_for_staff(choice: Choice | None) -> list[str]:
    """That a network was not trained in this run, as far as anybody saw."""
    if choice is None or choice.fitted:
        return []
    return [
        "`fit` was never called on the graded network in this run: it was trained in a loop of the "
        "notebook's own, loaded, or its weights were put in. Look where they come from."
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{one_line(name, 40)}`" for name in names)
