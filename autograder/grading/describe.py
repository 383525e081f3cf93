"""Puts what was found about a submission into the words and records of its report."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from autograder.core.config import Config
from autograder.core.mnist import Images
from autograder.core.report import (
    CellReport,
    CheckResult,
    CheckStatus,
    ConfusionReport,
    HintReport,
    NetworkReport,
    Report,
    RunReport,
    UnitReport,
    Verdict,
)
from autograder.core.text import percent
from autograder.grading.diagnosis import is_far_below_reported, reported_accuracy
from autograder.grading.evidence import Attempt
from autograder.grading.hints import hint_for
from autograder.grading.wording import skipped_checks
from autograder.intake import Handin
from autograder.network import Measured
from autograder.network.beside import remarks_for_student
from autograder.sandbox import CellStatus, Ending, Execution

PICTURED_PAIRS = 3
"""Pairs of digits that are mixed up most often, of which a report holds pictures: about 5 kB."""
HEADLINES = {
    Verdict.PASSED: "Everything passed. Well done!",
    Verdict.FAILED: "Your notebook ran; some checks did not pass yet.",
    Verdict.CELL_ERROR: "A cell of your notebook failed; the cells after it ran all the same.",
    Verdict.TIMED_OUT: "Your notebook ran out of time; what was trained by then was graded.",
    Verdict.OUT_OF_MEMORY: "Your notebook used more memory than it may.",
    Verdict.KERNEL_DIED: "Python ended before your notebook did.",
    Verdict.OUTPUT_TOO_LARGE: "Your notebook printed or wrote more than it may.",
    Verdict.UNVERIFIABLE_MODEL: "Your network could not be measured.",
    Verdict.MALFORMED_SUBMISSION: "There was no notebook that could be run.",
    Verdict.GRADER_ERROR: "The grader failed. This is not your fault, and it is no grade.",
}
ENDED_BY = {
    Ending.TIMED_OUT: Verdict.TIMED_OUT,
    Ending.KERNEL_DIED: Verdict.KERNEL_DIED,
    Ending.OUT_OF_MEMORY: Verdict.OUT_OF_MEMORY,
    Ending.TOO_MANY_PROCESSES: Verdict.KERNEL_DIED,
    Ending.OUTPUT_TOO_LARGE: Verdict.OUTPUT_TOO_LARGE,
    Ending.DISK_FULL: Verdict.OUTPUT_TOO_LARGE,
}
"""What the grading ends with, whatever the checks say, where a run did not come to its end; the
report's sentences tell apart what has the same verdict."""


def ungraded(
    handin: Handin,
    verdict: Verdict,
    config: Config,
    *,
    score: float | None,
    notes: Sequence[str] = (),
    staff_notes: Sequence[str] = (),
) -> Report:
    """The report on something that was never run, or that the grader failed with."""
    # Where the grader failed nothing is known, not even that a check earned nothing.
    reason = notes[0] if notes else ""
    return Report(
        submission=handin.submission,
        name=handin.name,
        email=handin.email,
        verdict=verdict,
        score=score,
        max_score=float(config.points.total),
        headline=HEADLINES[verdict],
        checks=skipped_checks(config, reason) if score is not None else [],
        cells=[],
        network=None,
        reflections={},
        isolation=None,
        seconds=0.0,
        peak_bytes=0,
        output_bytes=0,
        notes=list(notes),
        staff_notes=list(staff_notes),
        content_hash="",
    )


def verdict_of(run: Attempt, checks: list[CheckResult]) -> Verdict:
    """Why grading ended as it did: the first of these that holds."""
    if run.execution.ending is not Ending.COMPLETED:
        return ENDED_BY[run.execution.ending]
    if run.too_large:
        return Verdict.OUTPUT_TOO_LARGE
    if any(cell.status is not CellStatus.OK for cell in run.execution.cells):
        return Verdict.CELL_ERROR
    if run.measured is None:
        return Verdict.UNVERIFIABLE_MODEL
    passed = all(check.status is CheckStatus.PASSED for check in checks)
    return Verdict.PASSED if passed else Verdict.FAILED


def describe_cells(execution: Execution) -> list[CellReport]:
    """A record for each code cell."""
    reports = []
    for cell in execution.cells:
        failed = cell.status not in (CellStatus.OK, CellStatus.NOT_RUN)
        error = ""
        if failed:
            raised = f"{cell.error_name}: {cell.error_text}".strip(": ")
            slow = f"{cell.status.value} after {cell.seconds:.0f} s"
            error = raised if cell.status is CellStatus.ERROR else slow
        reports.append(
            CellReport(
                number=cell.number,
                status=cell.status.value,
                seconds=round(cell.seconds, 3),
                first_line=cell.first_line,
                error=error,
                traceback=list(cell.traceback),
                hint=hint_for(cell) if failed else "",
            )
        )
    return reports


def describe_network(
    measured: Measured, hints: Sequence[HintReport], public_images: Images
) -> NetworkReport:
    """The record of the verified network.

    Parameters
    ----------
    public_images
        What the examples of mixed-up digits are indices into: those that students have anyway,
        never the private ones.
    """
    return NetworkReport(
        accuracy=measured.accuracy,
        counted_images=measured.counted_images,
        public_accuracy=measured.public_accuracy,
        private_accuracy=measured.private_accuracy,
        training_accuracy=measured.training_accuracy,
        leak_z=measured.test_over_training.z,
        leaked=measured.leaked,
        public_z=measured.public_over_private.z,
        training_images=measured.training_images,
        parameters=measured.parameters,
        layers=[
            {"name": layer.name, "kind": layer.kind, "parameters": layer.parameters}
            for layer in measured.layers
        ],
        chosen_by=measured.chosen_by,
        preparation=measured.preparation,
        preparation_proved_by=measured.proved_by,
        history=measured.history,
        hints=list(hints),
        units=[
            UnitReport(layer=count.layer.name, units=count.units, silent=count.silent)
            for count in measured.units
        ],
        confusions=[
            ConfusionReport(
                digit=pair.digit,
                taken_for=pair.taken_for,
                count=pair.count,
                examples=list(pair.examples),
                pictures=[
                    png_text(public_images[example])
                    for example in (pair.examples if place < PICTURED_PAIRS else ())
                ],
            )
            for place, pair in enumerate(measured.confusions)
        ],
    )


def png_text(image: NDArray[np.uint8]) -> str:
    """A digit as a PNG in base64, for JSON and for data addresses: dark ink on white paper.

    Parameters
    ----------
    image
        Of shape (height, width), 0 (paper) to 255 (ink), as MNIST has it.
    """
    return _png_text(image.tobytes(), image.shape)


@lru_cache(maxsize=2048)  # networks of a class mix up the same digits
def _png_text(pixels: bytes, shape: tuple[int, ...]) -> str:
    file = io.BytesIO()
    image = np.frombuffer(pixels, np.uint8).reshape(shape)
    Image.fromarray(255 - image).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def notes_for(run: Attempt) -> list[str]:
    """Sentences for the student, beside the checks."""
    notes, execution = [], run.execution
    if execution.ending is Ending.TIMED_OUT:
        slowest = max(execution.cells, key=lambda cell: cell.seconds)
        notes.append(f"The slowest was {slowest.label}: {slowest.seconds:.0f} s.")
    if execution.ending is Ending.TOO_MANY_PROCESSES:
        notes.append("It started more processes than it may.")
    chosen_by = None if run.measured is None else run.measured.chosen_by
    notes += remarks_for_student(run.choice, chosen_by)
    dropped = execution.output_bytes - execution.kept_output_bytes
    if dropped > 1 << 20:
        notes.append(f"Your notebook's output was cut: {dropped / 1e6:.0f} MB of it were not kept.")
    return notes


def notes_on_runs(runs: Sequence[RunReport], left_out: int, config: Config) -> list[str]:
    """What to tell the student about second runs; nothing where there was no cause for one.

    Parameters
    ----------
    runs
        See ``Report.runs``.
    left_out
        Further runs that were due, but for which no time was left.
    """
    points = f"{100 * config.second_runs.margin:g}"
    margin = f"less than {points} percentage point{'s' * (points != '1')}"
    missed = (
        f"Your network missed the wanted accuracy by {margin}, which may be the luck of the "
        "random numbers that training begins with."
    )
    if not runs:
        if not left_out:
            return []
        return [f"{missed} There was no time left to run your notebook again with others."]
    outcomes = [
        f"seed {run.seed}: "
        + ("no network" if run.accuracy is None else f"{run.accuracy:.4f}")
        + (" (this run counts)" if run.counted else "")
        for run in runs
    ]
    late = " There was no time left for a further run." if left_out else ""
    return [
        f"{missed} So your notebook was run again with other seeds, and the best run counts. "
        f"{'; '.join(outcomes)}.{late}"
    ]


def staff_notes_for(measured: Measured | None) -> list[str]:
    """Sentences for staff alone: what speaks against a network's accuracy, with the numbers."""
    if measured is None:
        return []
    notes = list(measured.remarks)
    if is_far_below_reported(measured) and not measured.proved_by:
        notes.append(
            f"Measured far below what the notebook reports: {percent(measured.training_accuracy)} "
            f"of the training images against {percent(reported_accuracy(measured) or 0.0)}. "
            f"Nothing proved how its images were prepared; measured with {measured.preparation}."
        )
    seen, halves = measured.test_over_training, measured.public_over_private
    if measured.leaked:
        notes.append(
            f"No credit for accuracy: {percent(seen.first)} of the 10,000 test images are read "
            f"correctly, but {percent(seen.second)} of {measured.training_images:,} training "
            f"images (z = {seen.z:.1f}, p = {seen.p_value:.1g}, bound {seen.bound:g}). A network "
            "that has not seen test images does not know them better: look in the notebook for "
            "where they come into the training."
        )
    if measured.private_half_counts:
        alone = " This alone proves nothing, and the student is not told."
        alone = "" if measured.leaked else alone
        notes.append(
            f"Accuracy is over the {measured.counted_images:,} test images that the notebook "
            f"did not have: of those that it had, {percent(halves.first)} are read correctly, of "
            f"the others {percent(halves.second)} (z = {halves.z:.1f}, p = {halves.p_value:.1g}, "
            f"bound {halves.bound:g})." + alone
        )
    return notes


def log_of(execution: Execution) -> str:
    """For staff: what the kernel said last."""
    return "\n".join(["Last lines of the kernel's standard error:", *execution.stderr, ""])
