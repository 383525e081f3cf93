"""From evidence to a report: checks, points, hints and sentences. Needs no box, and no network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from autograder.core.assignment import Asked, Assignment
from autograder.core.clerk import Unfinished
from autograder.core.config import REFLECTION_NAMES
from autograder.core.mnist import PRIVATE
from autograder.core.report import CheckResult, Report, RunReport, Verdict
from autograder.grading.checks import Answers, Findings, load_tests, run_checks
from autograder.grading.describe import (
    HEADLINES,
    describe_cells,
    describe_network,
    notes_for,
    notes_on_runs,
    staff_notes_for,
    ungraded,
    verdict_of,
)
from autograder.grading.diagnosis import diagnose
from autograder.grading.evidence import (
    Attempt,
    Evidence,
    NeedsNewRun,
    Outputs,
    Reflections,
    is_due,
)
from autograder.grading.reflections import Judgements, Written, judgements_of
from autograder.grading.wording import describe_checks
from autograder.intake import Handin
from autograder.network.beside import remarks_for_staff

Networks = Sequence[Any]
NOTHING_ASKED = Asked()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One run of a notebook, and what the checks made of it.

    Attributes
    ----------
    score
        Points of all checks.
    """

    findings: Findings
    checks: list[CheckResult]
    score: float

    @property
    def run(self) -> Attempt:
        """The run itself."""
        return self.findings.attempt


def best_of(runs: Sequence[Checked]) -> int:
    """The run that counts: most points, then highest accuracy, then the earliest.

    Points come first, so that no second run can take away what the first one earned.
    """
    return max(range(len(runs)), key=lambda i: (runs[i].score, runs[i].run.accuracy or 0.0))


def reports_of(runs: Sequence[Checked]) -> list[RunReport]:
    """A record for each run; empty where there was one only."""
    if len(runs) == 1:
        return []
    best = best_of(runs)
    return [
        RunReport(
            seed=each.run.seed,
            accuracy=each.run.accuracy,
            seconds=round(each.run.execution.seconds, 3),
            counted=place == best,
        )
        for place, each in enumerate(runs)
    ]


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Judges submissions of one assignment by what was found about them."""

    assignment: Assignment

    def judge(
        self,
        evidence: Evidence,
        handin: Handin,
        *,
        outputs: Sequence[Outputs | None],
        networks: Networks = (),
    ) -> tuple[Report, int]:
        """The report, and which run it is about.

        Parameters
        ----------
        handin
            Whose it is; its notes are left to whoever has read it.
        outputs
            Of each run the class scores for the images that count; None where nothing was measured.
        networks
            Of each run what gives the class scores for other images; none if they are gone.

        Raises
        ------
        DataError
            If a test file is broken.
        NeedsNewRun
            If more would have to be found out, now that the rules are others.
        """
        config = self.assignment.config
        if evidence.refusal:
            notes, score = [evidence.refusal], None if handin.is_missing else 0.0
            verdict = Verdict.MALFORMED_SUBMISSION
            return ungraded(handin, verdict, config, score=score, notes=notes), 0
        if not evidence.attempts:
            raise NeedsNewRun("the grader failed with it")
        assert evidence.reflections is not None, "its answers have been judged before"
        reflections = evidence.reflections.judgements
        runs = evidence.attempts[: self._due(evidence)]
        gone = [None] * len(runs)
        checked = [
            self._check(run, self._answers(run, scores, network), reflections)
            for run, scores, network in zip(runs, outputs, networks or gone, strict=False)
        ]
        return self._report(evidence, handin, checked), best_of(checked)

    def _due(self, evidence: Evidence) -> int:
        """How many of the runs would have been made by these rules."""
        runs = evidence.attempts
        for count in range(1, len(runs) + 1):
            if not is_due(runs[:count], self.assignment.config):
                return count
        if not evidence.left_out:
            raise NeedsNewRun(
                "it is so near the threshold that its notebook is to be run from another seed"
            )
        return len(runs)

    def unjudged(self, evidence: Evidence) -> Written | None:
        """What the clerk has to judge of it; None where it did so by the same questions."""
        made = evidence.reflections
        if not evidence.attempts or (made is not None and made.rules == self._rules):
            return None
        return self._written(bytes(evidence.notebook), evidence.asked)

    def with_answer(self, evidence: Evidence, answer: Judgements | Unfinished) -> Evidence:
        """The evidence with what the clerk said of it.

        Raises
        ------
        Unfinished
            If we made a mistake.
        """
        judgements = dict(judgements_of(self._written(b""), answer))
        made = Reflections(rules=self._rules, judgements=judgements)
        return msgspec.structs.replace(evidence, reflections=made)

    def first_reflections(self, notebook: bytes) -> Reflections:
        """The same for a notebook that has not been judged yet."""
        return Reflections(
            rules=self._rules, judgements=dict(judgements_of(self._written(notebook)))
        )

    @cached_property
    def asked(self) -> Asked:
        """How the course asks its questions."""
        prompts = self.assignment.config.reflections.prompts
        questions = tuple(map(prompts.of, REFLECTION_NAMES))
        cells = self.assignment.lesson.cells
        text = "\n\n".join(cell.source for cell in cells if cell.kind == "markdown")
        return Asked(prompts=questions, text=text)

    def _written(self, notebook: bytes, asked: Asked = NOTHING_ASKED) -> Written:
        config = self.assignment.config.reflections
        return Written(
            notebook=notebook,
            prompts={name: config.prompts.of(name) for name in REFLECTION_NAMES},
            lesson_text=self.assignment.lesson.text,
            min_characters=config.min_characters,
            asked=NOTHING_ASKED if asked == self.asked else asked,
        )

    @cached_property
    def _rules(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self._written(b""))).hexdigest()

    @cached_property
    def _tests(self) -> list[Any]:
        return load_tests(self.assignment.tests, self.assignment.config)

    def _answers(self, run: Attempt, outputs: Outputs | None, network: Any) -> Answers | None:
        if run.measured is None or outputs is None:
            return None
        mnist = self.assignment.mnist
        counted = PRIVATE if run.measured.private_half_counts else slice(None)
        return Answers(
            images=mnist.x_test[counted],
            labels=mnist.y_test[counted],
            outputs=outputs,
            network=network,
        )

    def _check(
        self,
        run: Attempt,
        answers: Answers | None,
        reflections: Judgements,
    ) -> Checked:
        config = self.assignment.config
        hints = (
            ()
            if run.measured is None
            else diagnose(
                run.measured,
                max_parameters=config.budget.max_parameters,
                threshold=config.accuracy.threshold,
            )
        )
        findings = Findings(attempt=run, answers=answers, reflections=reflections, hints=hints)
        results = run_checks(findings, self._tests)
        checks = describe_checks(results, findings, config)
        return Checked(findings=findings, checks=checks, score=float(results.total))

    def _report(self, evidence: Evidence, handin: Handin, checked: Sequence[Checked]) -> Report:
        best, config = checked[best_of(checked)], self.assignment.config
        run, findings, runs = best.run, best.findings, reports_of(checked)
        reflections = findings.reflections
        execution, measured = run.execution, run.measured
        verdict = verdict_of(run, best.checks)
        staff_notes = [
            *staff_notes_for(measured),
            *(remarks_for_staff(run.choice) if measured else ()),
            *evidence.repairs,
            *execution.staff_notes,
            *(j.remark for j in reflections.values() if j.remark),
        ]
        if evidence.twin_of:
            staff_notes = twin_notes(evidence.repairs, evidence.twin_of)
        public, _ = self.assignment.mnist.public_test
        return Report(
            submission=handin.submission,
            name=handin.name,
            email=handin.email,
            verdict=verdict,
            score=best.score,
            max_score=float(config.points.total),
            headline=HEADLINES[verdict],
            checks=best.checks,
            cells=describe_cells(execution),
            network=describe_network(measured, findings.hints, public) if measured else None,
            counted_parameters=run.counted,
            reflections=dict(reflections),
            isolation=evidence.isolation,
            seconds=execution.seconds,
            peak_bytes=execution.peak_bytes,
            output_bytes=execution.output_bytes,
            notes=[*notes_on_runs(runs, evidence.left_out, config), *notes_for(run)],
            staff_notes=staff_notes,
            content_hash=evidence.content_hash,
            runs=runs,
        )


def twin_notes(repairs: Sequence[str], twin: str) -> list[str]:
    """For staff: about a submission that was not run, since another one was."""
    return [
        *repairs,
        f"Its code and text are the same as those of {twin}: one was run for both.",
    ]
