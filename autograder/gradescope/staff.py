"""What staff read in Gradescope's view of standard output; students never see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from autograder.core.report import Report
from autograder.core.text import plain_text
from autograder.gradescope.container import Submitters
from autograder.grading.evidence import Outcome
from autograder.sandbox.box.isolation import Isolation

MAX_LOG_LINES = 60


def staff_report(
    outcome: Outcome, *, submitters: Submitters, isolation: Isolation, remarks: Iterable[str]
) -> str:
    """Everything that helps to understand a grade, or the want of one.

    Names, errors and the kernel's log are partly the student's words: nothing stays of them that
    a terminal would obey, and outside the log none begins a line of its own.
    """
    report = outcome.report
    who = ", ".join(submitters.emails or submitters.names) or "nobody named"
    score = "no score" if report.score is None else f"{report.score:g} of {report.max_score:g}"
    lines = [f"{report.verdict.value}: {score} ({report.submission}; {who})"]
    lines += [
        f"  {check.status.value:7} {check.points:g}/{check.max_points:g} {check.title}: "
        f"{check.measured}"
        for check in report.checks
    ]
    lines += _network(report)
    lines += [f"  code cell {c.number} {c.status}: {c.error}" for c in report.cells if c.error]
    for name, sentences in (
        ("told the student", report.notes),
        ("for staff", report.staff_notes),
        ("this run", remarks),
        ("the box does not hold back", isolation.missing),
    ):
        lines += [f"{name}: {sentence}" for sentence in sentences if sentence]
    lines.append(f"box: {isolation.kind.value} ({', '.join(isolation.layers) or 'no layers'})")
    lines += [f"not used: {reason}" for reason in isolation.passed_over]
    lines.append(
        f"memory at its peak: {report.peak_bytes / 1e9:.2f} GB; file {report.content_hash}"
    )
    lines = [" ".join(plain_text(line).splitlines()) for line in lines]
    lines += plain_text(outcome.log).strip().splitlines()[-MAX_LOG_LINES:]
    return "\n".join(lines)


def _network(report: Report) -> Iterator[str]:
    network = report.network
    if network is None:
        return
    source = network.preparation_proved_by
    yield (
        f"  network: {network.parameters:,} parameters ({network.chosen_by}); accuracy "
        f"{network.accuracy:.4f} over {network.counted_images:,} images: public half "
        f"{network.public_accuracy:.4f}, private half {network.private_accuracy:.4f}, training "
        f"{network.training_accuracy:.4f} over {network.training_images:,} images; test over "
        f"training z = {network.leak_z:.1f}, public over private z = {network.public_z:.1f}"
        f"{', LEAKED' if network.leaked else ''}; images prepared by {network.preparation}, "
        f"{f'known from {source}' if source else 'which nothing in the notebook shows'}"
    )
