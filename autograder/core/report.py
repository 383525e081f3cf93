"""What is said about one submission: one record, from which every file is written."""

from __future__ import annotations

from enum import Enum

import msgspec

from autograder.core.config import Record


class Verdict(str, Enum):
    """Why grading ended as it did, in one word.

    Only ``GRADER_ERROR`` is our own fault; it never writes a score.
    """

    PASSED = "PASSED"
    """Every check passed."""
    FAILED = "FAILED"
    """Everything ran; at least one check did not pass."""
    CELL_ERROR = "CELL_ERROR"
    """A cell raised an error; later cells ran all the same."""
    TIMED_OUT = "TIMED_OUT"
    """A cell or the notebook ran out of time; what was trained by then was graded."""
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    """The kernel was stopped for using more memory than allowed."""
    KERNEL_DIED = "KERNEL_DIED"
    """The kernel ended before the last cell."""
    OUTPUT_TOO_LARGE = "OUTPUT_TOO_LARGE"
    """The notebook printed, wrote or exported more than allowed."""
    MALFORMED_SUBMISSION = "MALFORMED_SUBMISSION"
    """There was no notebook that could be run."""
    UNVERIFIABLE_MODEL = "UNVERIFIABLE_MODEL"
    """The network could not be rebuilt and measured; its parameters may have been counted."""
    GRADER_ERROR = "GRADER_ERROR"
    """The grader failed; nothing is known about the submission."""


class CheckStatus(str, Enum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It could not be made; worth nothing, and the reason is given."""


class Student(Record, frozen=True):
    """Somebody to whom the grade belongs; what nobody tells is empty."""

    name: str = ""
    email: str = ""
    sid: str = ""
    """The university's number."""
    canvas_id: str = ""


class Override(Record, frozen=True):
    """Points that a person gave for one check, in place of the grader's.

    Whatever shows a check shows `CheckResult.earned` as its points and, where there is an override,
    `CheckResult.override_note` beside it: students may read both. How the check itself ended
    (`status`, `measured`, `wanted`, `next_step`) stays as it was.
    """

    points: float
    """0 to the check's `max_points`, at most two decimals."""
    comment: str = ""
    """For the student: one line of plain text, at most `overrides.MAX_COMMENT_CHARACTERS`; it may
    hold markup, which a page has to escape."""


class CheckResult(Record, frozen=True):
    """One check's outcome, in words for the student."""

    name: str
    title: str
    status: CheckStatus
    points: float
    """What the grader gives; `earned` is what counts."""
    max_points: float
    measured: str
    wanted: str
    next_step: str
    """One thing to do; empty where the check passed."""
    reason: str = ""
    """Why it earned nothing, in a sentence; empty where it passed."""
    override: Override | None = None
    """What a person gave instead, see `reports/overrides.py`."""

    @property
    def earned(self) -> float:
        """The points that count."""
        return self.points if self.override is None else self.override.points

    @property
    def override_note(self) -> str:
        """That a person gave these points, what the grader gave, and the comment; else empty."""
        if self.override is None:
            return ""
        note = (
            f"Marked by a person: {self.override.points:g} of {self.max_points:g} points "
            f"(automatic: {self.points:g})."
        )
        return f"{note} Comment: {self.override.comment}" if self.override.comment else note


class CellReport(Record, frozen=True):
    """One code cell's run."""

    number: int
    status: str
    seconds: float
    first_line: str
    error: str
    traceback: list[str]
    hint: str


class ReflectionReport(Record, frozen=True, kw_only=True):
    """Whether one reflection is there, for staff to read.

    Attributes
    ----------
    reason
        For the student, where no answer was found: what is missing, and what to do next.
    text
        The student's own words, without the question and the placeholder.
    remark
        For staff: what is odd about an accepted answer; else empty.
    """

    present: bool
    reason: str
    text: str
    remark: str = ""


class HintReport(Record, frozen=True):
    """One thing that was found out about the network, in a sentence or two for the student."""

    fault: str
    text: str


class UnitReport(Record, frozen=True):
    """How many units of a layer are dead or saturated."""

    layer: str
    units: int
    silent: int


class ConfusionReport(Record, frozen=True):
    """A digit that is often taken for another; examples are indices into the public half."""

    digit: int
    taken_for: int
    count: int
    examples: list[int]
    pictures: list[str] = msgspec.field(default_factory=list)
    """Of the examples, PNG in base64; empty for pairs that are rare. Students may see them."""


class NetworkReport(Record, frozen=True, kw_only=True):
    """The verified network."""

    accuracy: float
    counted_images: int
    public_accuracy: float
    private_accuracy: float
    training_accuracy: float
    leak_z: float
    """Test images over training images, in standard errors."""
    leaked: bool
    """Whether the network knows the test images better than the training images."""
    parameters: int
    layers: list[dict[str, object]]
    chosen_by: str
    preparation: str
    preparation_proved_by: str = ""
    """What shows that the images were prepared so; empty where nothing does."""
    history: dict[str, list[float | None]]
    public_z: float = 0.0
    """Public over private half of the test images, in standard errors."""
    training_images: int = 0
    """Over which `training_accuracy` is."""
    hints: list[HintReport] = msgspec.field(default_factory=list)
    units: list[UnitReport] = msgspec.field(default_factory=list)
    confusions: list[ConfusionReport] = msgspec.field(default_factory=list)


class RunReport(Record, frozen=True):
    """One run of a notebook that was run more than once."""

    seed: int
    accuracy: float | None
    """None where that run gave no network."""
    seconds: float
    """Wall time of its cells."""
    counted: bool
    """Whether the rest of the report is about this run."""


class IsolationReport(Record, frozen=True):
    """What the box held back in this run."""

    kind: str
    layers: list[str]
    missing: list[str]


class Report(Record, frozen=True, kw_only=True):
    """Everything about one graded submission; report.json is this record.

    Attributes
    ----------
    score
        Sum of the points that the checks earned, overrides counted; None where the grader itself
        failed, or nothing was handed in: neither is a zero.
    seconds
        Wall time of the student's cells.
    notes
        Sentences for the student.
    staff_notes
        Sentences for staff alone.
    counted_parameters
        Of a network that could be counted, but not measured; else None.
    runs
        Each run, where the notebook was run again from other seeds; else none.
    students
        Whose it is, where an export tells; the members of a group, each with their ids.
    submission_id
        The platform's number for it, where the export tells.
    handed_in
        Date and time, where the export tells.
    late
        Whether the platform took it for late; None where the export does not tell.
    feedback_name
        Name under which Canvas takes the student's page; empty where it takes none.
    """

    format: int = 1
    submission: str
    name: str
    email: str
    verdict: Verdict
    score: float | None
    max_score: float
    headline: str
    checks: list[CheckResult]
    cells: list[CellReport]
    network: NetworkReport | None
    reflections: dict[str, ReflectionReport]
    isolation: IsolationReport | None
    seconds: float
    peak_bytes: int
    output_bytes: int
    notes: list[str]
    staff_notes: list[str]
    content_hash: str
    counted_parameters: int | None = None
    runs: list[RunReport] = msgspec.field(default_factory=list)
    students: list[Student] = msgspec.field(default_factory=list)
    submission_id: str = ""
    handed_in: str = ""
    late: bool | None = None
    feedback_name: str = ""

    @property
    def parameters(self) -> int | None:
        """Of the network, whether it could be measured or only counted; None if neither."""
        return self.counted_parameters if self.network is None else self.network.parameters

    @property
    def reasons(self) -> list[str]:
        """Why checks earned nothing, a sentence for each reason; not what a note says anyway.

        Of a check that a person marked nothing is said here: see `override_notes`.
        """
        titles: dict[str, list[str]] = {}
        for check in self.checks:
            if check.override is None and check.reason and check.reason not in self.notes:
                titles.setdefault(check.reason, []).append(check.title)
        return [
            reason if reason.startswith(names[0]) else f"{', '.join(names)}: {reason}"
            for reason, names in titles.items()
        ]

    @property
    def override_notes(self) -> list[str]:
        """Which checks a person marked, a sentence each."""
        return [f"{check.title}: {check.override_note}" for check in self.checks if check.override]

    def points_of(self, name: str) -> float | None:
        """Points that the check of that name earned; None where there is none."""
        return next((check.earned for check in self.checks if check.name == name), None)
