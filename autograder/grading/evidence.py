"""All that the checks of one run may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autograder.grading.diagnosis import Hint
from autograder.grading.reflections import ReflectionJudgement
from autograder.network.choice import Choice
from autograder.network.measurement import Measurement
from autograder.sandbox.execution import Execution


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the checks may look at.

    Attributes
    ----------
    measurement
        None where there is no verified network; `why_unmeasured` then says why, to the student.
    next_step
        What to change, so that it can be measured; empty where `why_unmeasured` says it.
    counted
        Parameters of a network that could be counted, but not measured; else None.
    choice
        Which of the notebook's networks it is; None where the box did not say.
    """

    execution: Execution
    measurement: Measurement | None
    why_unmeasured: str
    counted: int | None
    choice: Choice | None
    reflections: Mapping[str, ReflectionJudgement]
    hints: tuple[Hint, ...]
    next_step: str = ""

    @property
    def parameters(self) -> int | None:
        """Of the network, measured or not; None where there is none, or not all are known."""
        return self.counted if self.measurement is None else self.measurement.parameters
