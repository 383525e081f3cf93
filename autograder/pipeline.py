"""The way of one submission: intake, box, measurement, checks, report."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import nbformat

from autograder.assignment import Assignment
from autograder.box import Box, Isolation, Toolbox, Zygote
from autograder.checks import Evidence, describe_checks, load_otter, run_checks, skipped_checks
from autograder.config import REFLECTION_NAMES
from autograder.describe import (
    HEADLINES,
    describe_cells,
    describe_network,
    log_of,
    notes_for,
    verdict_of,
)
from autograder.diagnosis import Hint, diagnose
from autograder.errors import MalformedSubmission, OutputTooLarge, UnverifiableModel
from autograder.execution import Execution
from autograder.executor import Executor
from autograder.export import NetworkExport, read_export
from autograder.intake import Candidate, Submission, read_submission
from autograder.measurement import Measurement, measure
from autograder.reflections import find_reflections, judge_reflections
from autograder.report import (
    CheckResult,
    IsolationReport,
    ReflectionReport,
    Report,
)
from autograder.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Grader:
    """Grades submissions of one assignment, one at a time.

    Attributes
    ----------
    isolation
        The kind of box to use, and what is known about it.
    threads
        For each box to compute with; None leaves it to the libraries.
    zygote
        To fork boxes from, where several submissions follow each other.
    on_cell
        Called with (code cells done, code cells in all).
    """

    assignment: Assignment
    toolbox: Toolbox
    isolation: Isolation
    threads: int | None = None
    zygote: Zygote | None = None
    on_cell: Callable[[int, int], None] | None = None

    def grade(self, candidate: Candidate) -> Outcome:
        """Grade one candidate; whatever happens, there is an outcome."""
        try:
            return self._grade(candidate)
        except MalformedSubmission as error:
            return Outcome(report=self._malformed(candidate, str(error)))
        except Exception as error:
            return Outcome(report=self._failed(candidate, error), log=traceback.format_exc())

    def _grade(self, candidate: Candidate) -> Outcome:
        config = self.assignment.config
        submission = read_submission(candidate, assignment_id=config.assignment.id)
        # Otter takes a second to import: let it, while the student's cells run elsewhere.
        loading = threading.Thread(target=load_otter, daemon=True)
        loading.start()
        execution, export, why_not, too_large = self._execute(submission)
        measurement: Measurement | None = None
        if export is not None:
            try:
                measurement = measure(
                    export,
                    mnist=self.assignment.mnist,
                    statistics=self.assignment.statistics,
                    settings=config.verification,
                )
            except UnverifiableModel as error:
                why_not = str(error)
        loading.join()
        evidence = self._evidence(submission, execution, measurement, why_not)
        results = run_checks(evidence, tests=self.assignment.tests, config=config)
        checks = describe_checks(results, evidence, config)
        verdict = verdict_of(execution, measurement, checks, too_large=too_large)
        report = self._report(submission, evidence, checks, verdict, float(results.total))
        return Outcome(report=report, executed=execution.notebook, log=log_of(execution))

    def _execute(self, submission: Submission) -> tuple[Execution, NetworkExport | None, str, bool]:
        """Run the notebook; (execution, export or None, why there is none, whether too large)."""
        config = self.assignment.config
        with Box.open(
            kind=self.isolation.kind,
            limits=config.limits,
            toolbox=self.toolbox,
            threads=self.threads,
            zygote=self.zygote,
        ) as box:
            execution = Executor(
                box=box,
                toolbox=self.toolbox,
                limits=config.limits,
                seed=config.verification.seed,
                steps_per_execution=config.verification.steps_per_execution,
                on_cell=self.on_cell,
            ).execute(nbformat.from_dict(submission.notebook))
            try:
                export = read_export(box.scratch.export, max_bytes=config.limits.export_bytes)
                return execution, export, "", False
            except (OutputTooLarge, UnverifiableModel) as error:
                return execution, None, str(error), isinstance(error, OutputTooLarge)

    def _evidence(
        self,
        submission: Submission,
        execution: Execution,
        measurement: Measurement | None,
        why_not: str,
    ) -> Evidence:
        config, mnist = self.assignment.config, self.assignment.mnist
        prompts = {name: config.reflections.prompts.of(name) for name in REFLECTION_NAMES}
        answers = find_reflections(
            submission.notebook,
            names=REFLECTION_NAMES,
            prompts=prompts,
            lesson_text=self.assignment.lesson_text,
        )
        judgements = judge_reflections(
            answers,
            prompts=prompts,
            lesson_text=self.assignment.lesson_text,
            min_characters=config.reflections.min_characters,
        )
        images = labels = None
        if measurement is not None:
            private = measurement.leak.found
            counted = mnist.private_test if private else (mnist.x_test, mnist.y_test)
            images, labels = measurement.preparation(counted[0]), counted[1]
        hints: tuple[Hint, ...] = ()
        if measurement is not None:
            hints = diagnose(
                measurement.symptoms,
                max_parameters=config.budget.max_parameters,
                threshold=config.accuracy.threshold,
            )
        return Evidence(
            execution=execution,
            measurement=measurement,
            why_unmeasured=why_not,
            images=images,
            labels=labels,
            reflections=judgements,
            hints=hints,
        )

    def _report(
        self,
        submission: Submission,
        evidence: Evidence,
        checks: list[CheckResult],
        verdict: Verdict,
        score: float,
    ) -> Report:
        execution, measurement = evidence.execution, evidence.measurement
        return Report(
            submission=submission.submission,
            name=submission.name,
            email=submission.email,
            verdict=verdict,
            score=score,
            max_score=float(self.assignment.config.points.total),
            headline=HEADLINES[verdict],
            checks=checks,
            cells=describe_cells(execution),
            network=describe_network(measurement, evidence.hints) if measurement else None,
            reflections={
                name: ReflectionReport(present=j.present, reason=j.reason, text=j.text)
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
            notes=notes_for(execution, evidence),
            staff_notes=list(submission.repairs),
            content_hash=submission.content_hash,
        )

    def _malformed(self, candidate: Candidate, reason: str) -> Report:
        return self._empty(candidate, Verdict.MALFORMED_SUBMISSION, score=0.0, notes=[reason])

    def _failed(self, candidate: Candidate, error: Exception) -> Report:
        note = f"{type(error).__name__}: {error} (see grading.log)"
        return self._empty(candidate, Verdict.GRADER_ERROR, score=None, staff_notes=[note])

    def _empty(
        self,
        candidate: Candidate,
        verdict: Verdict,
        *,
        score: float | None,
        notes: list[str] | None = None,
        staff_notes: list[str] | None = None,
    ) -> Report:
        config = self.assignment.config
        # Where the grader failed nothing is known, not even that a check earned nothing.
        reason = (notes or [""])[0]
        checks = skipped_checks(config, reason) if score is not None else []
        return Report(
            submission=candidate.submission,
            name=candidate.name,
            email=candidate.email,
            verdict=verdict,
            score=score,
            max_score=float(config.points.total),
            headline=HEADLINES[verdict],
            checks=checks,
            cells=[],
            network=None,
            reflections={},
            isolation=None,
            seconds=0.0,
            peak_bytes=0,
            output_bytes=0,
            notes=notes or [],
            staff_notes=staff_notes or [],
            content_hash="",
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
