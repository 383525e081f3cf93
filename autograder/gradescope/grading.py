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
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from autograder.core.assignment import Assignment, load_assignment
from autograder.core.clerk import clerk
from autograder.core.errors import AutograderError, BoxError
from autograder.core.processes import container_bytes, end_with_parent
from autograder.core.report import Student
from autograder.core.text import plain_text
from autograder.core.verdict import Verdict
from autograder.gradescope.container import ADVICE, Fit, fit_limits, read_metadata
from autograder.gradescope.place import GRADER, Place
from autograder.gradescope.staff import staff_report
from autograder.grading.evidence import Outcome
from autograder.grading.pipeline import Grader
from autograder.intake.submission import Handin
from autograder.intake.upload import find_notebook
from autograder.otter.results import write_pickle
from autograder.reports.results_json import gradescope_results, schema
from autograder.sandbox.box import Isolation, Toolbox, probe

KILL_ME_FIRST = "300"
"""Added to our score and our children's where the kernel chooses whom to kill for memory, so that
the supervisor is left to say so."""

CLERKS_AHEAD = ("autograder.intake.submission", "autograder.grading.reflections.judging")
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
    submitters = read_metadata(place.metadata)
    with (
        Toolbox.make(assignment.mnist.handed_out()) as toolbox,
        tempfile.TemporaryDirectory(prefix="m5-upload-") as scratch,
    ):
        upload = find_notebook(
            Handin(
                submission=submitters.submission,
                path=place.submission,
                students=(
                    *(Student(name=name) for name in submitters.names),
                    *(Student(email=email) for email in submitters.emails),
                ),
            ),
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
    print(
        staff_report(outcome, submitters=submitters, isolation=isolation, remarks=remarks),
        flush=True,
    )
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


if __name__ == "__main__":
    sys.exit(main())
