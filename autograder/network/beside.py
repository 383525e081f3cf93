"""What the box wrote beside the network, read without believing it: for preparation and remarks.

Claims are the first images that the notebook gave to its networks. Format, version 1:
``claims.json`` lists arrays in the order in which ``claims.bin`` holds them, little-endian, C
order, one directly after the other. See ``inside/claims.py``, which writes them.

The choice says which of the notebook's networks is graded, and why. The box chooses by the rules
that ``docs/students.md`` tells; see ``inside/epilogue.py``. It decides no grade: whatever the file
says, one network left the box, and that one is measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from autograder.core.config import Record
from autograder.core.files import NotPlain, TooLarge, opened_folder, read_plain_file
from autograder.core.text import one_line

DESCRIPTION_NAME = "claims.json"
ARRAYS_NAME = "claims.bin"
MAX_DESCRIPTION_BYTES = 64 << 10
MAX_BYTES = 32 << 20
MAX_ROWS = 1500
MAX_CLAIMS = 20
MAX_ROW_NUMBERS = 1 << 17
"""Numbers in one image; three channels of 200 x 200 pixels have fewer."""
LARGEST = 1e9
"""Beyond that no network was ever trained, and squares of the values may overflow."""

_Number = (
    Literal["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    | Literal["float16", "float32", "float64"]
)
_Extent = Annotated[int, Meta(ge=1, le=MAX_ROW_NUMBERS)]
_Size = Annotated[int, Meta(ge=0, le=MAX_BYTES)]

SOURCES = {
    "fit": "the images given to fit",
    "validation_data": "the validation data",
    "evaluate": "the images given to evaluate",
    "predict": "the images given to predict",
    "variable": "the variable {name}",
}
"""Each kind of claim in words for students."""


class _Entry(Record, frozen=True):
    source: Literal["fit", "validation_data", "evaluate", "predict", "variable"]
    name: Annotated[str, Meta(max_length=100)]
    total: Annotated[int, Meta(ge=0, le=1 << 40)]
    shape: Annotated[list[_Extent], Meta(min_length=2, max_length=6)]
    dtype: _Number
    offset: _Size
    bytes: _Size


class _Description(Record, frozen=True):
    format: Literal[1]
    claims: Annotated[list[_Entry], Meta(max_length=MAX_CLAIMS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Rows of one array that a notebook gave to a network, or held.

    Attributes
    ----------
    source
        Where they come from, in words for students.
    is_variable
        Whether no network was seen to be given them.
    total
        How many rows the array is said to have had; 0 where that is not known.
    rows
        Of shape (n, ...) with at most `MAX_ROWS` rows; finite numbers, none beyond `LARGEST`.
    """

    source: str
    is_variable: bool
    total: int
    rows: NDArray[Any]


def read_claims(folder: Path) -> tuple[Claim, ...]:
    """What ``write_claims`` left in `folder`, in the order in which claims count.

    No claim is a claim that proves nothing: files that are missing, damaged or too large give
    none, and so does an array with numbers that are infinite, not a number, or beyond `LARGEST`.
    """
    sizes = {DESCRIPTION_NAME: MAX_DESCRIPTION_BYTES, ARRAYS_NAME: MAX_BYTES}
    try:
        text, content = _read(folder, sizes)
        description = msgspec.json.decode(text, type=_Description)
    except (ValueError, RecursionError):
        return ()
    return _claims(description.claims, content)


def _claims(entries: list[_Entry], content: bytes) -> tuple[Claim, ...]:
    claims, end = [], 0
    for entry in entries:
        dtype, count = np.dtype(entry.dtype).newbyteorder("<"), math.prod(entry.shape)
        # Python's integers do not overflow; and nothing is allocated before this holds.
        if (
            entry.shape[0] > MAX_ROWS
            or count > entry.shape[0] * MAX_ROW_NUMBERS
            or entry.bytes != count * dtype.itemsize
            or entry.offset != end
            or entry.offset + entry.bytes > len(content)
        ):
            return ()
        end += entry.bytes
        rows = np.frombuffer(content, dtype, count, entry.offset).reshape(entry.shape)
        if _is_sound(rows):
            claims.append(
                Claim(
                    source=SOURCES[entry.source].format(name=one_line(entry.name, 40)),
                    is_variable=entry.source == "variable",
                    total=entry.total,
                    rows=rows,
                )
            )
    return tuple(claims) if end == len(content) else ()


def _is_sound(rows: NDArray[Any]) -> bool:
    if rows.dtype.kind == "b":
        # Any byte is a truth value to NumPy, and but two are to Python.
        return bool((rows.view(np.uint8) <= 1).all())
    # Comparing with NaN is false; the largest and smallest of numbers with NaN are NaN.
    return bool(rows.max() <= LARGEST and rows.min() >= -LARGEST)


CHOICE_NAME = "choice.json"
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
        (content,) = _read(folder, {CHOICE_NAME: MAX_DESCRIPTION_BYTES})
        return msgspec.json.decode(content, type=Choice)
    except (ValueError, RecursionError):
        return None


def _read(folder: Path, largest: Mapping[str, int]) -> list[bytes]:
    """The files of these names; none where one of them is missing, too large or not a file."""
    try:
        with opened_folder(folder) as directory:
            return [read_plain_file(directory, name, max_bytes=n) for name, n in largest.items()]
    except (OSError, NotPlain, TooLarge):
        return []


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
