"""The way of one submission: intake, box, measurement, checks, report."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import nbformat
from threadpoolctl import threadpool_limits

from autograder.core.assignment import Assignment
from autograder.core.config import REFLECTION_NAMES, SEEDS, Limits
from autograder.core.errors import (
    MalformedSubmission,
    NotEvaluated,
    OutputTooLarge,
    UnverifiableModel,
)
from autograder.core.report import IsolationReport, ReflectionReport, Report
from autograder.core.verdict import Verdict
from autograder.grading.checks import Evidence, load_otter, run_checks
from autograder.grading.describe import (
    HEADLINES,
    describe_cells,
    describe_network,
    log_of,
    notes_for,
    staff_notes_for,
    ungraded,
    verdict_of,
)
from autograder.grading.diagnosis import Hint, Symptoms, diagnose
from autograder.grading.reflections import ReflectionJudgement, Written, judgements_of
from autograder.grading.second_runs import Attempt, Attempts, run_seeds
from autograder.grading.wording import describe_checks
from autograder.intake.submission import Handin, Submission, read_submission
from autograder.network.choice import Choice, read_choice, remarks_for_staff
from autograder.network.export import NetworkExport, read_export
from autograder.network.measurement import Measurement, measure
from autograder.network.preparation.claim import read_claims
from autograder.network.preparation.raw_images import raw_images
from autograder.network.rebuild import count_parameters
from autograder.sandbox.box import Box, Isolation, Toolbox, Zygote
from autograder.sandbox.execution import Execution
from autograder.sandbox.executor import Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """What a run left behind; where there is no network, why not, to the student."""

    execution: Execution
    choice: Choice | None
    export: NetworkExport | None = None
    why_unmeasured: str = ""
    next_step: str = ""
    too_large: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
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
        config = self.assignment.config
        try:
            return self._grade(handin)
        except MalformedSubmission as error:
            verdict, log = Verdict.MALFORMED_SUBMISSION, ""
            report = ungraded(handin, verdict, config, score=0.0, notes=[str(error)])
        except Exception as error:
            note = f"{type(error).__name__}: {error} (see grading.log)"
            verdict, log = Verdict.GRADER_ERROR, traceback.format_exc()
            report = ungraded(handin, verdict, config, score=None, staff_notes=[note])
        return Outcome(report=report, log=log)

    def _grade(self, handin: Handin) -> Outcome:
        config = self.assignment.config
        submission = read_submission(handin, assignment_id=config.assignment.id)
        with ThreadPoolExecutor(max_workers=1) as aside:
            # These take a second: let them, while the student's cells run elsewhere.
            judging = aside.submit(self._judge_reflections, submission)
            aside.submit(self._get_ready)

            def attempt(shift: int, limits: Limits) -> Attempt:
                return self._attempt(submission, judging, self.shift + shift, limits)

            attempts = run_seeds(attempt, config=config, deadline=self.deadline)
        best = attempts.best
        execution = best.evidence.execution
        verdict = verdict_of(
            execution, best.evidence.measurement, best.checks, too_large=best.too_large
        )
        report = self._report(submission, attempts, verdict)
        return Outcome(report=report, executed=execution.notebook, log=log_of(execution))

    def _get_ready(self) -> None:
        load_otter()
        raw_images(self.assignment.mnist).of_training()

    def _attempt(
        self,
        submission: Submission,
        judging: Future[Mapping[str, ReflectionJudgement]],
        shift: int,
        limits: Limits,
    ) -> Attempt:
        """Run, measure and check once, with `shift` added to every seed."""
        config = self.assignment.config
        seed = (config.verification.seed + shift) % SEEDS
        left = self._execute(submission, seed, shift, limits)
        export = left.export
        measurement: Measurement | None = None
        counted: int | None = None
        if export is not None:
            try:
                with threadpool_limits(config.verification.threads):
                    measurement = measure(
                        export,
                        mnist=self.assignment.mnist,
                        settings=config.verification,
                    )
            except UnverifiableModel as error:
                left = replace(left, why_unmeasured=str(error), next_step=error.next_step)
                counted = count_parameters(export) if isinstance(error, NotEvaluated) else None
        evidence = self._evidence(judging.result(), left, measurement, counted)
        results = run_checks(evidence, tests=self.assignment.tests, config=config)
        return Attempt(
            seed=seed,
            evidence=evidence,
            checks=describe_checks(results, evidence, config),
            score=float(results.total),
            too_large=left.too_large,
        )

    def _execute(self, submission: Submission, seed: int, shift: int, limits: Limits) -> _Left:
        """Run the notebook, and read what it leaves behind."""
        with Box.open(
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
            left = _Left(execution=execution, choice=read_choice(folder))
            try:
                export = read_export(folder, max_bytes=limits.export_bytes)
                return replace(left, export=replace(export, claims=read_claims(folder)))
            except (OutputTooLarge, UnverifiableModel) as error:
                too_large = isinstance(error, OutputTooLarge)
                step = "" if isinstance(error, OutputTooLarge) else error.next_step
                return replace(left, why_unmeasured=str(error), next_step=step, too_large=too_large)

    def _judge_reflections(self, submission: Submission) -> Mapping[str, ReflectionJudgement]:
        config = self.assignment.config
        return judgements_of(
            Written(
                notebook=submission.data,
                prompts={name: config.reflections.prompts.of(name) for name in REFLECTION_NAMES},
                lesson_text=self.assignment.lesson_text,
                min_characters=config.reflections.min_characters,
            )
        )

    def _evidence(
        self,
        reflections: Mapping[str, ReflectionJudgement],
        left: _Left,
        measurement: Measurement | None,
        counted: int | None,
    ) -> Evidence:
        config = self.assignment.config
        hints: tuple[Hint, ...] = ()
        if measurement is not None:
            hints = diagnose(
                Symptoms.of(measurement),
                max_parameters=config.budget.max_parameters,
                threshold=config.accuracy.threshold,
            )
        return Evidence(
            execution=left.execution,
            measurement=measurement,
            why_unmeasured=left.why_unmeasured,
            next_step=left.next_step,
            counted=counted,
            choice=left.choice,
            reflections=reflections,
            hints=hints,
        )

    def _report(self, submission: Submission, attempts: Attempts, verdict: Verdict) -> Report:
        best, config = attempts.best, self.assignment.config
        evidence = best.evidence
        execution, measurement = evidence.execution, evidence.measurement
        public, _ = self.assignment.mnist.public_test
        return Report(
            submission=submission.submission,
            name=submission.name,
            email=submission.email,
            verdict=verdict,
            score=best.score,
            max_score=float(config.points.total),
            headline=HEADLINES[verdict],
            checks=best.checks,
            cells=describe_cells(execution),
            network=describe_network(measurement, evidence.hints, public) if measurement else None,
            counted_parameters=evidence.counted,
            reflections={
                name: ReflectionReport(
                    present=j.present, reason=j.reason, text=j.text, remark=j.remark
                )
                for name, j in evidence.reflections.items()
            },
            isolation=IsolationReport(
                kind=self.isolation.kind.value,
                layers=list(self.isolation.layers),
                missing=list(self.isolation.missing),
            ),
            seconds=execution.seconds,
            peak_bytes=execution.peak_bytes,
            output_bytes=execution.output_bytes,
            notes=[*attempts.notes(config), *notes_for(execution, evidence)],
            staff_notes=[
                *staff_notes_for(measurement),
                *(remarks_for_staff(evidence.choice) if measurement else ()),
                *submission.repairs,
                *execution.staff_notes,
                *(j.remark for j in evidence.reflections.values() if j.remark),
            ],
            content_hash=submission.content_hash,
            runs=attempts.reports,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A report, and what else is kept of a submission.

    Attributes
    ----------
    executed
        The executed notebook, where one was run.
    log
        For staff: what the kernel said on standard error, or our own traceback.
    """

    report: Report
    executed: nbformat.NotebookNode | None = None
    log: str = ""
