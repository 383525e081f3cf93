"""A grader that obeys its notebook's first line, so that a batch takes seconds.

It imports little, since some tests start its process dozens of times.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import nbformat

from autograder.batch.messages import Setup
from autograder.core.config import CHECK_NAMES
from autograder.core.errors import MalformedSubmission
from autograder.core.report import CheckResult, CheckStatus, NetworkReport, Report, Verdict
from autograder.intake import Handin, read_submission
from autograder.sandbox import Isolation
from autograder.sandbox.box.folders import Toolbox

NETWORK = NetworkReport(
    accuracy=0.97,
    counted_images=10_000,
    public_accuracy=0.97,
    private_accuracy=0.97,
    training_accuracy=0.99,
    leak_z=0.0,
    leaked=False,
    parameters=25_450,
    layers=[],
    chosen_by="the variable model",
    preparation="x / 255",
    history={},
)


class Obeyed(NamedTuple):
    """In the place of the evidence's `Outcome`, whose module takes half a second to import."""

    report: Report
    executed: Any = None
    log: str = ""
    evidence: Any = None


class ObedientGrader:
    """Does what the first cell says, and counts how often it was asked in the file `COUNT`."""

    def __init__(self, on_cell: Any) -> None:
        self._on_cell = on_cell

    def grade(self, handin: Handin) -> Obeyed:
        """Obey, and be content."""
        try:
            submission = read_submission(handin, assignment_id="activity-m5")
        except MalformedSubmission as error:
            return Obeyed(report=report(handin, Verdict.MALFORMED_SUBMISSION, str(error)))
        source = submission.notebook["cells"][0]["source"]
        verb, _, rest = source.partition(" ")
        if count := os.environ.get("M5_TEST_COUNT"):
            with open(count, "a") as file:  # noqa: PTH123
                file.write(f"{handin.submission}\n")
        if verb == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif verb == "die-once" and not Path(rest).exists():
            Path(rest).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        elif verb == "orphan":
            # As a box that nothing ends with its grader.
            child = subprocess.Popen(["sleep", "600"], start_new_session=True)
            Path(rest).write_text(str(child.pid))
            time.sleep(600)
        elif verb == "sleep":
            time.sleep(float(rest.split()[0]))
        elif verb == "touch":
            Path(rest).touch()
        elif verb == "wait-for":
            while not Path(rest).exists():
                time.sleep(0.02)
        elif verb == "fail":
            return Obeyed(report=report(handin, Verdict.GRADER_ERROR, rest), log=rest)
        printed = "x" * int(rest) if verb == "flood" else f"ran as {handin.submission}"
        self._on_cell(1, 1, "")
        executed = nbformat.from_dict(submission.notebook)
        executed.cells[0].outputs = [nbformat.v4.new_output("stream", text=printed)]
        made = report(handin, Verdict.PASSED, "", submission.content_hash)
        if verb == "train":
            made = msgspec.structs.replace(made, network=NETWORK)
        return Obeyed(report=made, executed=executed, log="obeyed\n")


def make_grader(
    setup: Setup, toolbox: Toolbox, isolation: Isolation, on_cell: Any, stack: Any
) -> Any:
    """In the place of `autograder.batch.worker.make_grader`."""
    return ObedientGrader(on_cell)


def report(handin: Handin, verdict: Verdict, note: str, content_hash: str = "") -> Report:
    """The least that a report can say."""
    score = {Verdict.PASSED: 100.0, Verdict.GRADER_ERROR: None}.get(verdict, 0.0)
    words: Any = dict.fromkeys(("title", "measured", "wanted", "next_step"), "")
    points = dict.fromkeys(CHECK_NAMES, 0.0) | {"runs": score or 0.0}
    return Report(
        submission=handin.submission,
        name=handin.name,
        email=handin.email,
        verdict=verdict,
        score=score,
        max_score=100.0,
        headline="Said.",
        checks=[
            CheckResult(name=name, status=CheckStatus.PASSED, points=each, max_points=each, **words)
            for name, each in points.items()
        ],
        cells=[],
        network=None,
        reflections={},
        isolation=None,
        seconds=0.0,
        peak_bytes=0,
        output_bytes=0,
        notes=[note] if note else [],
        staff_notes=[],
        content_hash=content_hash,
    )
