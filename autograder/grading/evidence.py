"""What running and measuring a submission found: one record, from which it is judged.

To find it takes a box and minutes, to judge it takes neither. So it is kept, as JSON, and the class
scores beside it as arrays; a submission whose rules have changed is judged again from these. The
first judgement is made from the same record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from autograder.core.assignment import Asked
from autograder.core.config import Config, Record
from autograder.core.report import IsolationReport, ReflectionReport, Report
from autograder.core.text import encode
from autograder.network import Measured
from autograder.network.beside import Choice
from autograder.sandbox import Ending, Execution

if TYPE_CHECKING:
    import nbformat

Outputs = NDArray[np.float32]
"""Class scores, of shape (n, 10)."""
MAX_ATTEMPTS = 11
"""The first run, and as many others as a configuration may ask for."""


class Attempt(Record, frozen=True):
    """One run of a notebook.

    Attributes
    ----------
    seed
        Set before the first cell. Seeds that the notebook sets itself are later by as much as
        this one is later than the configured one.
    execution
        Without the executed notebook.
    measured
        None where there is no verified network; `why_unmeasured` then says why, to the student.
    next_step
        What to change, so that it can be measured; empty where `why_unmeasured` says it.
    counted
        Parameters of a network that could be counted, but not measured; else None.
    choice
        Which of the notebook's networks it is; None where the box did not say.
    too_large
        Whether the network was too large to leave the box.
    """

    seed: int
    execution: Execution
    measured: Measured | None
    why_unmeasured: str = ""
    next_step: str = ""
    counted: int | None = None
    choice: Choice | None = None
    too_large: bool = False

    @property
    def accuracy(self) -> float | None:
        """The accuracy that counts, a fraction; None where there is no verified network."""
        return None if self.measured is None else self.measured.accuracy

    @property
    def parameters(self) -> int | None:
        """Of the network, measured or not; None where there is none, or not all are known."""
        return self.counted if self.measured is None else self.measured.parameters

    @property
    def is_sound(self) -> bool:
        """Whether the notebook came to its end, and its network was verified and may count."""
        return (
            self.execution.ending is Ending.COMPLETED
            and self.measured is not None
            and not self.measured.leaked
        )


def is_near(accuracy: float, config: Config) -> bool:
    """Whether an accuracy misses the threshold, but by less than the margin.

    The same network, trained from other seeds, comes out a little better or worse
    (docs/calibration.md), so that chance may have decided.
    """
    threshold = config.accuracy.threshold
    return not accuracy > threshold and threshold - accuracy < config.second_runs.margin


def is_due(attempts: Sequence[Attempt], config: Config) -> bool:
    """Whether a notebook is to be run again after these runs, the first one first."""
    first, last = attempts[0], attempts[-1]
    if not first.is_sound or first.accuracy is None or not is_near(first.accuracy, config):
        return False
    has_passed = last.is_sound and (last.accuracy or 0.0) > config.accuracy.threshold
    return len(attempts) <= config.second_runs.count and not has_passed


class Reflections(Record, frozen=True):
    """The judgement on the answers, and by which questions; others ask for another one."""

    rules: str
    judgements: dict[str, ReflectionReport]


class Evidence(Record, frozen=True):
    """All that a submission is judged by, but for the class scores.

    Attributes
    ----------
    content_hash
        SHA-256 of the file that was handed in.
    notebook
        The clean notebook, as JSON.
    asked
        How its questions were put when it was run.
    attempts
        Each run, the first one first; none where nothing could be run.
    left_out
        Further runs that were due, but for which no time was left.
    shown
        The run whose executed notebook is kept.
    refusal
        Why nothing could be run, to the student; else empty.
    twin_of
        The submission that was run for both, where code and text are the same; else empty.
    """

    content_hash: str = ""
    repairs: tuple[str, ...] = ()
    notebook: msgspec.Raw = msgspec.Raw(b"null")
    asked: Asked = Asked()
    reflections: Reflections | None = None
    attempts: Annotated[tuple[Attempt, ...], Meta(max_length=MAX_ATTEMPTS)] = ()
    left_out: int = 0
    shown: int = 0
    isolation: IsolationReport | None = None
    refusal: str = ""
    twin_of: str = ""


class NeedsNewRun(Exception):
    """The evidence does not suffice for a judgement; the text says why, without a full stop."""


def encode_evidence(evidence: Evidence) -> bytes:
    """The record as JSON; text that is not Unicode (half a character) is made printable."""
    try:
        content = msgspec.json.encode(evidence)
    except UnicodeEncodeError:
        parts = msgspec.structs.asdict(evidence)
        del parts["notebook"]  # is JSON already
        bare = msgspec.msgpack.decode(encode(parts), type=Evidence)
        content = msgspec.json.encode(msgspec.structs.replace(bare, notebook=evidence.notebook))
    # A whole number where a fraction is due is read as one, and only then written with its `.0`.
    return msgspec.json.encode(msgspec.json.decode(content, type=Evidence))


def decode_evidence(content: bytes | msgspec.Raw) -> Evidence:
    """Read a record.

    Raises
    ------
    ValueError, RecursionError
        If it is not exactly what `encode_evidence` writes, to the byte.
    """
    evidence = msgspec.json.decode(content, type=Evidence)
    # A dataclass in it would pass over what it does not know.
    if msgspec.json.encode(evidence) != bytes(content):
        raise ValueError("the grader writes it otherwise")
    return evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A report, and what else is kept of a submission.

    Attributes
    ----------
    evidence
        What it was judged by; None where the grader failed.
    outputs
        Of each run the class scores for the images that count; None where nothing was measured.
    executed
        The executed notebook, where one was run.
    log
        For staff: what the kernel said on standard error, or our own traceback.
    """

    report: Report
    evidence: Evidence | None = None
    outputs: tuple[Outputs | None, ...] = ()
    executed: nbformat.NotebookNode | None = None
    log: str = ""
