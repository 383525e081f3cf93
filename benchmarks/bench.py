"""What all parts of the benchmarks share: where things lie, how long to train, whom to tell."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 1500.0
"""For any one program; the longest, fifteen epochs of the starter on one core, takes a fifth."""
MEGABYTE = 1 << 20
"""As containers count it."""
QUICK_TRAINING = "epochs=1, batch_size=512"
QUICK_ACCURACY = 0.5
"""That one short epoch reaches in any case: enough to see that there was a training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One run of the benchmarks.

    Attributes
    ----------
    root
        The repository.
    folder
        For everything that is made on the way.
    data
        The digits as submissions see them, not compressed.
    quick
        Whether this is about the benchmarks, not about the numbers.
    rounds
        How often each program of a comparison runs.
    say
        Told what is going on.
    """

    root: Path
    folder: Path
    data: Path
    quick: bool
    rounds: int
    threshold: float
    say: Callable[[str], None]

    def place(self, name: str) -> Path:
        """A new folder for one program's run."""
        number = 1
        while (folder := self.folder / f"{name}-{number}").exists():
            number += 1
        folder.mkdir(parents=True)
        return folder

    @property
    def wanted_accuracy(self) -> float:
        """Fraction that a network must reach, or the run is not counted."""
        return QUICK_ACCURACY if self.quick else self.threshold


def program(name: str) -> str:
    """Path of a command of this Python's environment."""
    return str(Path(sys.executable).with_name(name))
