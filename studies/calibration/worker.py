"""A grading process's grader that adds a number to every seed: the one after the ``@``."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autograder.batch import worker

if TYPE_CHECKING:
    from autograder.batch.messages import Setup
    from autograder.grading.evidence import Outcome
    from autograder.grading.pipeline import Grader
    from autograder.intake import Handin
    from autograder.sandbox import Isolation
    from autograder.sandbox.box.folders import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftingGrader:
    """Grades handins called ``name@shift``."""

    grader: Grader

    def grade(self, handin: Handin) -> Outcome:
        """Grade it from that seed."""
        shift = int(handin.submission.rpartition("@")[2])
        return replace(self.grader, shift=shift).grade(handin)


def make_grader(
    setup: Setup,
    toolbox: Toolbox,
    isolation: Isolation,
    on_cell: worker.OnCell,
    stack: contextlib.ExitStack,
) -> ShiftingGrader:
    """The grader that submissions get, with another seed each time."""
    from autograder.grading.pipeline import Grader

    grader = worker.make_grader(setup, toolbox, isolation, on_cell, stack)
    assert isinstance(grader, Grader)
    return ShiftingGrader(grader=grader)
