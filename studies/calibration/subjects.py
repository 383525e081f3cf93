"""What is measured: the starter, the solutions, and the reference in other widths."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from autograder.core.assignment import LESSON_PATH
from autograder.core.errors import DataError

SOLUTIONS = Path("solutions")
NEEDED = ("load_data(", "model.fit(")
"""What a cell holds that training depends on. The others print, draw and check; since the cell
that trains sets the seed itself, leaving them out changes no number."""
SEED = "keras.utils.set_random_seed("
"""With this line the training begins; above it stands what the student expects of it."""
COUNTER = "    callbacks=[Progress()],\n"
"""Prints, and is defined in a cell that is left out."""
EPOCHS = re.compile(r"\b(epochs ?= ?)(\d+)")
HIDDEN_UNITS = re.compile(r"(?<=layers\.Dense\()\d+(?=, activation=\"relu\"\))")


class Role(str, Enum):
    """Why a network is measured, and what is wanted of it."""

    STARTER = "starter"
    """It must fail from every seed."""
    REFERENCE = "reference"
    """It must pass from every seed."""
    SOLUTION = "solution"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One network to be measured from many seeds.

    Attributes
    ----------
    passes
        Whether its accuracy ought to be enough; None where that is the question.
    width
        Units of the hidden layer, in the sweep.
    epochs
        For which it is trained.
    own_epochs
        For which its notebook would train it.
    notebook
        The file to be graded.
    """

    name: str
    role: Role
    passes: bool | None
    width: int | None = None
    epochs: int
    own_epochs: int
    notebook: bytes

    @property
    def content(self) -> str:
        """Tells whether an earlier measurement was of this notebook: of its SHA-256."""
        return hashlib.sha256(self.notebook).hexdigest()[:12]


def subjects_of(
    root: Path,
    *,
    widths: Sequence[int],
    starter_epochs: int | None = None,
    sweep_epochs: int | None = None,
) -> list[Subject]:
    """All that there is to be measured, starter and reference first.

    Parameters
    ----------
    root
        Folder that holds the release.
    widths
        Hidden units of the reference, in the sweep.
    starter_epochs, sweep_epochs
        To train for, in place of the notebook's own number.

    Raises
    ------
    DataError
        If a notebook cannot be read, or is not of the form that the release gives it.
    """
    found = [_subject(root / LESSON_PATH, "starter", Role.STARTER, False, epochs=starter_epochs)]
    for path in sorted((root / SOLUTIONS).glob("*.expect.json")):
        name = path.name.partition(".")[0]
        if name == "starter":
            continue
        passes = "accuracy" in json.loads(path.read_bytes())["passes"]
        role = Role.REFERENCE if name == "reference" else Role.SOLUTION
        found.append(_subject(path.with_name(f"{name}.ipynb"), name, role, passes))
    reference = root / SOLUTIONS / "reference.ipynb"
    found += [
        _subject(reference, f"{width} units", Role.SWEEP, None, width=width, epochs=sweep_epochs)
        for width in widths
    ]
    order = list(Role)
    return sorted(found, key=lambda subject: order.index(subject.role))


def _subject(
    path: Path,
    name: str,
    role: Role,
    passes: bool | None,
    *,
    width: int | None = None,
    epochs: int | None = None,
) -> Subject:
    notebook = _read(path)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    kept = [cell for cell in code if any(word in "".join(cell["source"]) for word in NEEDED)]
    training = kept[-1] if kept else {"source": ""}
    source = "".join(training["source"])
    own = [int(number) for _, number in EPOCHS.findall(source)]
    is_clear = len(own) == 1 or (own and epochs is None)  # a solution may train in two steps
    if not is_clear or SEED not in source:
        raise DataError(f"{path}: no cell that sets the seed and trains once; run `m5 release`.")
    source = source[source.index(SEED) :].replace(COUNTER, "")
    if epochs is not None:
        source = EPOCHS.sub(rf"\g<1>{epochs}", source)
    if width is not None:
        source, changed = HIDDEN_UNITS.subn(str(width), source)
        if changed != 1:
            raise DataError(f"{path}: {changed} hidden layers, where the sweep needs one.")
    training["source"] = source
    return Subject(
        name=name,
        role=role,
        passes=passes,
        width=width,
        epochs=epochs or sum(own),
        own_epochs=sum(own),
        notebook=json.dumps({**notebook, "cells": kept}).encode(),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        notebook: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as a notebook; run `m5 release`.") from error
    return notebook
