"""The grading process: reads the upload, runs the pipeline, answers through a pipe.

It may fail, hang or be killed: `supervisor.py` then writes a result in its place.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from autograder.core.assignment import Assignment, load_assignment
from autograder.core.clerk import clerk
from autograder.core.errors import AutograderError, BoxError
from autograder.core.processes import container_bytes, end_with_parent
from autograder.core.report import Report, Verdict
from autograder.core.text import plain_text
from autograder.gradescope.container import ADVICE, Fit, fit_limits, read_metadata
from autograder.gradescope.supervisor import GRADER, Place
from autograder.grading.evidence import Outcome
from autograder.grading.pipeline import Grader
from autograder.intake import Handin
from autograder.intake.upload import find_notebook
from autograder.otter import write_pickle
from autograder.reports.results_json import gradescope_results, schema
from autograder.sandbox import Isolation
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe

KILL_ME_FIRST = "300"
"""Added to our score and our children's where the kernel chooses whom to kill for memory, so that
the supervisor is left to say so."""

MAX_LOG_LINES = 60
"""Of a run, in what staff read."""

CLERKS_AHEAD = ("autograder.intake", "autograder.grading.reflections")
"""Imported by the helper that reads what students wrote, while we import what we need."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade; exit status 0 if an answer was given."""
    parser = argparse.ArgumentParser(prog="python -m autograder.gradescope.grading")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--answer", type=int, required=True)
    options = parser.parse_args(arguments)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(KILL_ME_FIRST)
    end_with_parent(os.getppid())  # the supervisor, should that be killed
    os.set_inheritable(options.answer, False)
    deadline = time.monotonic() + options.seconds
    clerk(CLERKS_AHEAD).start()
    try:
        answer = json.dumps(grade_place(Place(options.root), deadline=deadline)).encode()
    except AutograderError as error:
        print(plain_text(f"harness: {error}"), flush=True)
        return 2
    except BaseException:
        print(plain_text(traceback.format_exc()), flush=True)
        return 2
    with os.fdopen(options.answer, "wb") as pipe:
        pipe.write(answer)
    return 0


def grade_place(place: Place, *, deadline: float) -> dict[str, Any]:
    """Grade what lies in `place`, and stop in time.

    Parameters
    ----------
    deadline
        By when this must have returned, by `time.monotonic`.

    Returns
    -------
    dict
        ``results``, valid by the schema, and ``report``, for staff.

    Raises
    ------
    AutograderError
        If the grader is not set up as it should be, or the container is too small.
    """
    started = time.monotonic()
    assignment = load_assignment(GRADER)
    with (
        Toolbox.make(assignment.mnist.handed_out()) as toolbox,
        tempfile.TemporaryDirectory(prefix="m5-upload-") as scratch,
    ):
        upload = find_notebook(
            read_metadata(place.metadata, place.submission),
            scratch=Path(scratch),
            assignment_id=assignment.config.assignment.id,
        )
        isolation = probe(
            limits=assignment.config.limits,
            toolbox=toolbox,
            secret_files=[*assignment.secret_files, place.metadata],
        )
        deadline -= assignment.config.gradescope.reserve_seconds
        outcome, fit = _grade(upload, assignment, toolbox, isolation, deadline)
    remarks = [
        *fit.remarks,
        f"graded in {time.monotonic() - started:.0f} s in all; the grader itself used "
        f"{_peak_bytes() / 1e9:.2f} GB",
    ]
    print(staff_report(outcome, isolation=isolation, remarks=remarks), flush=True)
    report = outcome.report
    results = gradescope_results(report, leaderboard=assignment.config.gradescope.leaderboard)
    jsonschema.validate(results, schema())
    if place.pickle.is_file():
        write_pickle(report, place.pickle)
    return {"results": results, "report": msgspec.to_builtins(report)}


def _grade(
    upload: Handin, assignment: Assignment, toolbox: Toolbox, isolation: Isolation, deadline: float
) -> tuple[Outcome, Fit]:
    """Grade within what the container has left; returns also what that was."""
    fit = fit_limits(
        assignment.config.limits,
        memory_bytes=container_bytes(),
        seconds=deadline - time.monotonic(),
    )
    config = msgspec.structs.replace(assignment.config, limits=fit.limits)
    grader = Grader(
        assignment=replace(assignment, config=config),
        toolbox=toolbox,
        isolation=isolation,
        deadline=deadline,
    )
    outcome = grader.grade(upload)
    if outcome.report.verdict is Verdict.OUT_OF_MEMORY and not fit.is_ample:
        raise BoxError(
            f"The notebook needed more than {fit.limits.memory_bytes / 1e9:.2f} GB, which is all "
            "that this container has for it. An honest notebook may need more, so nothing was "
            f"graded. {ADVICE}"
        )
    notes = [*upload.notes, *outcome.report.notes]
    if outcome.report.verdict is Verdict.TIMED_OUT:
        allowed = fit.limits.notebook_seconds
        notes.append(f"All cells together may run for {allowed:.0f} s here.")
    return replace(outcome, report=msgspec.structs.replace(outcome.report, notes=notes)), fit


def _peak_bytes() -> int:
    """The most memory that this process has had; the notebook's is in the report."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def staff_report(outcome: Outcome, *, isolation: Isolation, remarks: Iterable[str]) -> str:
    """Everything that helps to understand a grade, or the want of one; students never see it.

    Gradescope shows standard output to staff alone.

    Names, errors and the kernel's log are partly the student's words: nothing stays of them that
    a terminal would obey, and outside the log none begins a line of its own.
    """
    report = outcome.report
    who = report.email or report.name or "nobody named"
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


if __name__ == "__main__":
    sys.exit(main())
