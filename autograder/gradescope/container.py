"""What Gradescope's container gives: who handed in, and how much memory and time there is.

``python -m autograder.gradescope.container`` is run once, when the image is built: is the grader
whole, and is there a box for notebooks?
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from autograder.core.assignment import load_assignment
from autograder.core.config import Limits
from autograder.core.errors import AutograderError, BoxError
from autograder.core.report import Student
from autograder.core.text import safe_name
from autograder.gradescope.supervisor import GRADER
from autograder.intake import Handin
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe

GRADER_BYTES = 420 << 20
"""For the harness itself: the grading process was seen at 0.25 GB while it measured the starter's
network, its clerk at 0.03 GB, the supervisor at 0.02 GB; wider networks, what the clerk is asked,
and the page cache take the rest."""
LEAST_NOTEBOOK_BYTES = 1_000_000_000
"""The reference solution was seen at 0.95 GB, and no solution higher. A container of 1.5 GB leaves
1.06 GB."""
AMPLE_NOTEBOOK_BYTES = 1_500_000_000
"""Images kept as 64-bit numbers were seen to take a notebook to 1.34 GB: nobody's fault. What needs
more than this is something else."""
LEAST_NOTEBOOK_SECONDS = 20.0
MAX_METADATA_BYTES = 64 << 20
"""It holds the results of the submission before, tracebacks and all: mostly some kilobytes."""
MAX_USERS = 50
MAX_CHARACTERS = 200
ADVICE = (
    "Choose 3 GB in the assignment's settings on Gradescope, under Autograder, Container "
    "Specifications."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The limits of one run, and in words why they are not the configured ones."""

    limits: Limits
    remarks: tuple[str, ...]
    is_ample: bool
    """Whether a notebook that runs out of memory here has itself to blame."""


def fit_limits(limits: Limits, *, memory_bytes: int, seconds: float) -> Fit:
    """Cut the configured limits to what there is.

    Parameters
    ----------
    memory_bytes
        What the container has in all.
    seconds
        Wall time that is left for the cells.

    Raises
    ------
    BoxError
        If so little is left that no notebook could run: staff must choose a larger container,
        and no student is to blame.
    """
    remarks = []
    free = memory_bytes - GRADER_BYTES
    is_ample = free >= min(AMPLE_NOTEBOOK_BYTES, limits.memory_bytes)
    if free < min(LEAST_NOTEBOOK_BYTES, limits.memory_bytes):
        raise BoxError(
            f"This container has {memory_bytes / 1e9:.2f} GB of memory, too little for TensorFlow "
            f"beside the grader. {ADVICE}"
        )
    if free < limits.memory_bytes:
        remarks.append(
            f"memory for the notebook cut to {free / 1e9:.2f} GB, since the container has "
            f"{memory_bytes / 1e9:.2f} GB"
        )
        limits = msgspec.structs.replace(limits, memory_bytes=free)
    if seconds < LEAST_NOTEBOOK_SECONDS:
        raise BoxError(
            f"Only {max(seconds, 0):.0f} s are left for the notebook. Allow more time in the "
            "assignment's settings on Gradescope, and as much in gradescope.container_seconds."
        )
    if seconds < limits.notebook_seconds:
        remarks.append(f"time for the notebook cut to {seconds:.0f} s by the container's limit")
        limits = limits.within(seconds)
    return Fit(limits=limits, remarks=tuple(remarks), is_ample=is_ample)


# ---------------------------------------------------------------------- submission_metadata.json


def read_metadata(path: Path, folder: Path) -> Handin:
    """What was handed in, in `folder`, and by whom, as far as Gradescope says so.

    In submission_metadata.json every key may be missing or be something else. Of a group first all
    names are listed, then all addresses: one that is missing is left out.
    """
    try:
        with path.open("rb") as file:
            content: Any = json.loads(file.read(MAX_METADATA_BYTES))
    except (OSError, ValueError, RecursionError):
        content = None
    content = content if isinstance(content, dict) else {}
    users = content.get("users")
    users = [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []
    number = content.get("id")
    known = isinstance(number, (int, str)) and not isinstance(number, bool)
    return Handin(
        submission=safe_name(f"submission_{str(number)[:40]}" if known else "submission"),
        path=folder,
        students=(
            *(Student(name=name) for name in _texts(users, "name")),
            *(Student(email=email) for email in _texts(users, "email")),
        ),
    )


def _texts(users: list[dict[str, Any]], key: str) -> tuple[str, ...]:
    found = [user.get(key) for user in users[:MAX_USERS]]
    texts = [" ".join(text.split()) for text in found if isinstance(text, str)]
    clean = ["".join(c for c in text if c.isprintable())[:MAX_CHARACTERS] for text in texts]
    return tuple(text for text in clean if text)


# ---------------------------------------------------------------------- when the image is built


def main() -> int:
    """Exit status 0 if a submission could be graded here."""
    try:
        assignment = load_assignment(GRADER)
        with Toolbox.make(assignment.mnist.handed_out()) as toolbox:
            isolation = probe(
                limits=assignment.config.limits,
                toolbox=toolbox,
                secret_files=assignment.secret_files,
            )
    except AutograderError as error:
        print(f"setup_check: {error}", file=sys.stderr)
        return 1
    print(f"setup_check: notebooks run in a box of kind {isolation.kind.value}.")
    for reason in isolation.missing:
        print(f"setup_check: here it does not hold back: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
