"""Runs a notebook where it can do no harm.

Here is what comes of it, plain data, believed only as far as a grade needs it; and what is known
of the box that it ran in. The standard library alone: the guard, which says endings too, starts in
a moment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
MEMORY_ERRORS = frozenset({"MemoryError", "_ArrayMemoryError", "ResourceExhaustedError"})
"""How Python, NumPy and TensorFlow say that there is no memory left."""
RAISES = "raises-exception"
"""Tag of a cell that is to raise, as Jupyter's own tools know it."""
EPOCH = re.compile(r"Epoch {1,3}(\d{1,5})(?:/| of )(\d{1,5})(?!\d)")
"""How Keras, and the lesson's own counter, say where the training is."""
SEARCHED_CHARACTERS = 2000
"""At the end of what a cell printed; a line of Keras's counter is shorter than a hundred."""
MAX_QUOTED_CHARACTERS = 300
MAX_TRACEBACK_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message from the kernel, as far as it could be understood."""

    channel: str
    kind: str
    parent: str
    content: dict[str, Any]
    size_bytes: int


TOO_LARGE = "too_large"
"""Kind of what stands for a message that could not be received: what was in it nobody knows."""


class Ending(str, Enum):
    """How the run of a notebook as a whole ended."""

    COMPLETED = "completed"
    """The last cell was run; how well, each cell says."""
    TIMED_OUT = "timed out"
    KERNEL_DIED = "kernel died"
    OUT_OF_MEMORY = "out of memory"
    TOO_MANY_PROCESSES = "too many processes"
    OUTPUT_TOO_LARGE = "output too large"
    """Its cells showed too much."""
    DISK_FULL = "too many or too large files"


class CellStatus(str, Enum):
    """How one cell ended."""

    OK = "ok"
    ERROR = "error"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    """The kernel ended, or was ended, while it ran."""
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRun:
    """One code cell's run.

    Attributes
    ----------
    number
        Position among the code cells, from 1: what students see in the brackets beside it when
        they run all cells in order.
    seconds
        Wall time.
    error_name, error_text, traceback
        As the kernel reported them, cut to a readable length; empty where nothing was raised. A
        cell with the tag ``raises-exception`` has ended well even so.
    first_line
        The cell's first line of code, to recognise it by.
    """

    number: int
    status: CellStatus
    seconds: float
    first_line: str
    error_name: str = ""
    error_text: str = ""
    traceback: tuple[str, ...] = ()

    @classmethod
    def not_run(cls, number: int, cell: Any) -> CellRun:
        """The record of a cell that had no turn."""
        line = first_line(cell.source)
        return cls(number=number, status=CellStatus.NOT_RUN, seconds=0.0, first_line=line)

    @property
    def label(self) -> str:
        """What to call the cell in a sentence."""
        return f"code cell {self.number} (`{self.first_line}`)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A notebook's run in a box.

    Attributes
    ----------
    notebook
        The executed notebook as an nbformat node; its outputs are what the kernel sent.
    seconds
        Wall time of the student's cells together.
    output_bytes
        What the cells sent as output.
    kept_output_bytes
        How much of it is in `notebook`.
    """

    cells: tuple[CellRun, ...]
    ending: Ending
    notebook: Any
    seconds: float
    output_bytes: int = 0
    kept_output_bytes: int = 0
    peak_bytes: int = 0
    stderr: tuple[str, ...] = ()

    @property
    def failed_cells(self) -> tuple[CellRun, ...]:
        """The cells that did not end well, in order; cells that never ran are not among them."""
        return tuple(
            cell for cell in self.cells if cell.status not in (CellStatus.OK, CellStatus.NOT_RUN)
        )

    @property
    def staff_notes(self) -> tuple[str, ...]:
        """What staff should know: cells that raised, and count as run since a tag says so."""
        return tuple(
            f"{cell.label} raised {cell.error_name} and counts as run: it has the tag `{RAISES}`, "
            "which says that it is to raise."
            for cell in self.cells
            if cell.status is CellStatus.OK and cell.error_name
        )

    @property
    def all_cells_ran(self) -> bool:
        """Whether every code cell ran to its end without an error, within every limit."""
        return self.ending is Ending.COMPLETED and all(
            cell.status is CellStatus.OK for cell in self.cells
        )

    @property
    def failure(self) -> str:
        """One sentence about the first thing that went wrong; empty if nothing did."""
        if self.all_cells_ran:
            return ""
        failed = self.failed_cells
        if not failed:
            return f"The run ended early: {self.ending.value}."
        cell = failed[0]
        if cell.status is CellStatus.ERROR:
            return f"{cell.label} raised {cell.error_name}: {cell.error_text}".rstrip(": ")
        if cell.status is CellStatus.TIMED_OUT:
            return f"{cell.label} ran out of time after {cell.seconds:.0f} s."
        return f"{cell.label} was running when the notebook was stopped: {self.ending.value}."


def plain(text: object, limit: int = MAX_QUOTED_CHARACTERS) -> str:
    """Text from the box for people to read: without colour codes, control characters and excess."""
    cleaned = ANSI.sub("", str(text))
    cleaned = "".join(c for c in cleaned if c == "\n" or c == "\t" or c.isprintable())
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellError:
    """An error as the kernel told it; empty where it told none, or none in the protocol's form."""

    name: str
    text: str
    traceback: tuple[str, ...]

    @classmethod
    def of(cls, reply: Mapping[str, object]) -> CellError:
        """Read the content of an ``execute_reply``, which may hold anything that JSON can."""
        lines = reply.get("traceback")
        return cls(
            name=plain(_text(reply.get("ename")), 80),
            text=plain(_text(reply.get("evalue"))),
            traceback=_tail([_text(line) for line in lines] if isinstance(lines, list) else []),
        )


def epoch_of(output: Mapping[str, object]) -> str:
    """Where a training is that prints this, "epoch 2 of 5"; empty if it does not say so."""
    text = _text(output.get("text"))[-SEARCHED_CHARACTERS:]
    found = EPOCH.findall(text)
    return f"epoch {found[-1][0]} of {found[-1][1]}" if found else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _tail(lines: list[str]) -> tuple[str, ...]:
    text = "\n".join(lines)
    tail = [plain(line, 200) for line in ANSI.sub("", text).splitlines() if line.strip()]
    return tuple(tail[-MAX_TRACEBACK_LINES:])


def expects_error(cell: Any) -> bool:
    """Whether Jupyter goes on after an exception in that cell, as its tag asks."""
    tags = cell.metadata.get("tags")
    return isinstance(tags, list) and RAISES in tags


def first_line(source: str) -> str:
    """The first line of a cell that says something, for quoting.

    A comment counts: it is what people see of the cell, also where the rest is folded away.
    """
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    telling = [line for line in lines if any(map(str.isalnum, line))] or lines or [""]
    return plain(telling[0], 60).replace("`", "'")


class BoxKind(str, Enum):
    """How a box is closed off, the strongest kind first."""

    NAMESPACES = "namespaces"
    """Its own mounts, processes, network and users, by bubblewrap."""
    USER = "user"
    """Another user id; needs a grader that is root. Gradescope's container."""
    PLAIN = "plain"
    """The grader's own user, closed by Landlock and seccomp where the kernel has them."""


class Guarantee(str, Enum):
    """One thing that no submission can do."""

    FILES_HIDDEN = "cannot read the grader's data, tests, solutions, other submissions or results"
    FILES_UNTOUCHED = "cannot write outside its own scratch folder"
    NETWORK_CLOSED = "cannot reach any network address, this machine's own included"
    GRADER_HIDDEN = "cannot see the grader's environment or memory"
    GRADER_UNTOUCHED = "cannot signal or trace the grader"
    NO_PRIVILEGES = "cannot gain privileges or make namespaces of its own"
    ENDS_WHOLE = "cannot leave a process behind"
    MEMORY_BOUNDED = "cannot use more memory than allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether one guarantee holds here, and how that is known."""

    guarantee: Guarantee
    held: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """The kind of box that a run uses, and what was found out about it."""

    kind: BoxKind
    layers: tuple[str, ...]
    findings: tuple[Finding, ...]
    passed_over: tuple[str, ...]
    """Stronger kinds that this machine does not offer, each with the reason."""

    @property
    def is_complete(self) -> bool:
        """Whether every guarantee holds."""
        return all(finding.held for finding in self.findings)

    @property
    def missing(self) -> tuple[str, ...]:
        """The guarantees that do not hold, in words."""
        return tuple(
            f"{finding.guarantee.value}: {finding.reason}"
            for finding in self.findings
            if not finding.held
        )
