"""The way of one submission: intake, box and measurement give evidence, and that is judged."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec
import nbformat
from threadpoolctl import threadpool_limits

from autograder.core.assignment import Assignment
from autograder.core.config import SEEDS, Config, Limits
from autograder.core.errors import (
    MalformedSubmission,
    NotEvaluated,
    OutputTooLarge,
    UnverifiableModel,
)
from autograder.core.mnist import Images
from autograder.core.report import IsolationReport, Verdict
from autograder.grading.checks import load_otter
from autograder.grading.describe import log_of, ungraded
from autograder.grading.evidence import (
    Attempt,
    Evidence,
    Outcome,
    Outputs,
    Reflections,
    decode_evidence,
    encode_evidence,
    is_due,
)
from autograder.grading.judge import Judge
from autograder.intake import Handin, Submission, read_submission
from autograder.network.beside import read_choice, read_claims
from autograder.network.export import NetworkExport, read_export
from autograder.network.measurement import Measurement, measure
from autograder.network.preparation.images import raw_images
from autograder.network.rebuild import count_parameters
from autograder.sandbox import Isolation
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.zygote import Zygote
from autograder.sandbox.executor import Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run, and what of it is not evidence: what only this process can use, or people read."""

    attempt: Attempt
    executed: nbformat.NotebookNode
    outputs: Outputs | None = None
    network: Callable[[Images], Outputs] | None = None


@dataclass(frozen=True, kw_only=True)
class Grader:
    """Grades submissions of one assignment, one at a time.

    Attributes
    ----------
    isolation
        The kind of box to use, and what is known about it.
    zygote
        To fork boxes from, where several submissions follow each other.
    on_cell
        Called with (code cells done, code cells in all, "epoch 2 of 5" or nothing), in each run
        from the start.
    shift
        Added to every seed; a network is measured from many seeds that way.
    deadline
        By `time.monotonic`: when the last cell of a second run must have ended; None for no such
        time. The first run has its limits.
    """

    assignment: Assignment
    toolbox: Toolbox
    isolation: Isolation
    zygote: Zygote | None = None
    on_cell: Callable[[int, int, str], None] | None = None
    shift: int = 0
    deadline: float | None = None

    def grade(self, handin: Handin) -> Outcome:
        """Grade one handin; whatever happens, there is an outcome."""
        runs: list[_Run] = []
        evidence: Evidence | None = None
        try:
            try:
                evidence = self._gather(handin, runs)
            except MalformedSubmission as error:
                evidence = Evidence(refusal=str(error))
            evidence = decode_evidence(encode_evidence(evidence))  # as if it had been kept
            outputs = tuple(run.outputs for run in runs)
            report, shown = self._judge.judge(
                evidence, handin, outputs=outputs, networks=[run.network for run in runs]
            )
        except Exception as error:
            note = f"{type(error).__name__}: {error} (see grading.log)"
            config, log = self.assignment.config, traceback.format_exc()
            report = ungraded(handin, Verdict.GRADER_ERROR, config, score=None, staff_notes=[note])
            return Outcome(report=report, log=log)
        if not runs:
            return Outcome(report=report, evidence=evidence)
        return Outcome(
            report=report,
            evidence=msgspec.structs.replace(evidence, shown=shown),
            outputs=outputs,
            executed=runs[shown].executed,
            log=log_of(runs[shown].attempt.execution),
        )

    @cached_property
    def _judge(self) -> Judge:
        return Judge(assignment=self.assignment)

    def _gather(self, handin: Handin, runs: list[_Run]) -> Evidence:
        """Find out about one handin all that it is judged by; its runs come into `runs`."""
        config = self.assignment.config
        submission = read_submission(handin, assignment_id=config.assignment.id)

        def attempt(shift: int, limits: Limits) -> Attempt:
            runs.append(self._attempt(submission, self.shift + shift, limits))
            return runs[-1].attempt

        with ThreadPoolExecutor(max_workers=1) as aside:
            # These take a second: let them, while the student's cells run elsewhere.
            judging: Future[Reflections] = aside.submit(
                self._judge.first_reflections, submission.data
            )
            aside.submit(self._get_ready)
            attempts, left_out = run_seeds(attempt, config=config, deadline=self.deadline)
        return Evidence(
            content_hash=submission.content_hash,
            repairs=submission.repairs,
            notebook=msgspec.Raw(submission.data),
            asked=self._judge.asked,
            reflections=judging.result(),
            attempts=attempts,
            left_out=left_out,
            isolation=IsolationReport(
                kind=self.isolation.kind.value,
                layers=list(self.isolation.layers),
                missing=list(self.isolation.missing),
            ),
        )

    def _get_ready(self) -> None:
        load_otter()
        raw_images(self.assignment.mnist).of_training()

    def _attempt(self, submission: Submission, shift: int, limits: Limits) -> _Run:
        """Run and measure once, with `shift` added to every seed."""
        config = self.assignment.config
        seed = (config.verification.seed + shift) % SEEDS
        run, export = self._execute(submission, seed, shift, limits)
        if export is None:
            return run
        try:
            with threadpool_limits(config.verification.threads):
                found = measure(export, mnist=self.assignment.mnist, settings=config.verification)
        except UnverifiableModel as error:
            attempt = msgspec.structs.replace(
                run.attempt,
                why_unmeasured=str(error),
                next_step=error.next_step,
                counted=count_parameters(export) if isinstance(error, NotEvaluated) else None,
            )
            return replace(run, attempt=attempt)
        return replace(
            run,
            attempt=msgspec.structs.replace(run.attempt, measured=found.measured),
            outputs=found.outputs,
            network=_reader_of(found),
        )

    def _execute(
        self, submission: Submission, seed: int, shift: int, limits: Limits
    ) -> tuple[_Run, NetworkExport | None]:
        """Run the notebook, and read what it leaves behind."""
        with Box(
            kind=self.isolation.kind,
            limits=limits,
            toolbox=self.toolbox,
            threads=self.assignment.config.verification.threads,
            zygote=self.zygote,
        ) as box:
            execution = Executor(
                box=box,
                toolbox=self.toolbox,
                limits=limits,
                seed=seed,
                shift=shift,
                steps_per_execution=self.assignment.config.verification.steps_per_execution,
                on_cell=self.on_cell,
            ).execute(nbformat.from_dict(submission.notebook))
            folder = box.scratch.export
            attempt = Attempt(
                seed=seed,
                execution=replace(execution, notebook=None),
                measured=None,
                choice=read_choice(folder),
            )
            run = _Run(attempt=attempt, executed=execution.notebook)
            try:
                export = read_export(folder, max_bytes=limits.export_bytes)
                return run, replace(export, claims=read_claims(folder))
            except (OutputTooLarge, UnverifiableModel) as error:
                too_large = isinstance(error, OutputTooLarge)
                attempt = msgspec.structs.replace(
                    attempt,
                    why_unmeasured=str(error),
                    next_step="" if isinstance(error, OutputTooLarge) else error.next_step,
                    too_large=too_large,
                )
                return replace(run, attempt=attempt), None


def run_seeds(
    attempt: Callable[[int, Limits], Attempt],
    *,
    config: Config,
    deadline: float | None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[tuple[Attempt, ...], int]:
    """Run a notebook once, and again where its network only just misses.

    Parameters
    ----------
    attempt
        Runs it with so much added to every seed, within these limits.
    deadline
        When the last cell must have ended, by `clock`; None where nobody waits. A run takes as
        long as the first did, so none is begun that cannot be done by then.

    Returns
    -------
    All runs, and how many more were due, but for which no time was left.
    """
    started = clock()
    attempts = [attempt(0, config.limits)]
    needed = clock() - started
    while is_due(attempts, config):
        left = None if deadline is None else deadline - clock()
        if left is not None and left < needed:
            return tuple(attempts), config.second_runs.count + 1 - len(attempts)
        limits = config.limits if left is None else config.limits.within(left)
        attempts.append(attempt(len(attempts), limits))
    return tuple(attempts), 0


def _reader_of(found: Measurement) -> Callable[[Images], Outputs]:
    """What computes the class scores for any images."""
    return lambda images: found.network.predict(found.preparation(images))
