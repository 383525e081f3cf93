"""What lies in a results folder, and need not be run again.

A grade is kept if the file is the same and so is all else that it depends on: the configuration,
the tests, the lesson, and the grader itself. Where only the judgement depends on what has changed,
the submission is judged again by the evidence that was kept, without being run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.batch.filing import (
    Filed,
    Origin,
    Scores,
    open_filed,
    read_filed,
    seal,
    told_of,
    with_handin,
)
from autograder.batch.versions import configuration_hash
from autograder.core.assignment import Assignment
from autograder.core.clerk import Unfinished
from autograder.core.clerks import ask_each
from autograder.core.config import Config
from autograder.core.errors import MalformedSubmission
from autograder.core.files import replace_file
from autograder.core.report import Report
from autograder.grading.evidence import Evidence, NeedsNewRun
from autograder.grading.judge import Judge
from autograder.grading.reflections import JUDGE, Judgements, Written
from autograder.intake import Handin, hash_submission
from autograder.reports.files import EVIDENCE_NAME
from autograder.reports.folder import Marker, ResultsFolder, Run
from autograder.reports.gradebooks import write_gradebooks
from autograder.reports.overrides import OVERRIDES_NAME, Gradable, Overrides, read_overrides
from autograder.reports.tables import COLUMNS, listed_in, row_of, write_table

TOGETHER = 50
"""Notebooks whose answers are judged in one task. To prepare the questions takes as long as judging
ten; fifty took a sixth of the time that one of them may take."""
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A submission that need not be run.

    Attributes
    ----------
    was_judged
        Whether it was judged again.
    """

    handin: Handin
    row: list[str]
    answer_hash: str
    was_judged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A submission that is to be judged again.

    Attributes
    ----------
    handin
        Who handed it in, where that may have changed.
    content_hash
        Of the file that was handed in, where there may be another one.
    """

    name: str
    handin: Handin | None = None
    content_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """The same with what was kept of it, or why that is of no use."""

    name: str
    filed: Filed | None = None
    evidence: Evidence | None = None
    outputs: Scores = ()
    reason: NeedsNewRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A submission that was judged again, not written yet."""

    report: Report
    filed: Filed
    content_hash: str

    def marker(self, run: Run) -> Marker | None:
        """What says that its files are whole; None where nothing could be read that was run."""
        if not self.content_hash:
            return None
        return Marker(
            configuration_hash=run.configuration_hash,
            content_hash=self.content_hash,
            answer_hash=self.filed.answer_hash,
        )


class Rejudge:
    """Judges submissions of a results folder by what was kept of their runs."""

    def __init__(self, assignment: Assignment, results: ResultsFolder, run: Run) -> None:
        self._config = assignment.config
        self._origin = Origin.of(assignment)
        self._judge = Judge(assignment=assignment)
        self._results = results
        self._run = run

    def find(self, handin: Handin) -> Known | None:
        """What is known of this very file, judged again if need be; None if it has to be run."""
        try:
            content_hash = hash_submission(handin)
        except MalformedSubmission:
            return None
        if done := self._find_kept(handin, content_hash):
            return done
        case = Case(name=handin.submission, handin=handin, content_hash=content_hash)
        ((_, judged),) = self.judge([case])
        if isinstance(judged, NeedsNewRun):
            return None
        report = self.write(handin.submission, judged)
        assert report is not None
        return Known(
            handin=handin, row=row_of(report), answer_hash=judged.filed.answer_hash, was_judged=True
        )

    def _find_kept(self, handin: Handin, content_hash: str) -> Known | None:
        """Where nothing has changed."""
        marker = self._results.marker_of(handin.submission)
        if marker is None or marker.configuration_hash != self._run.configuration_hash:
            return None
        report = self._results.report_of(handin.submission)
        # Of its bytes alone: only what could be read was marked as graded.
        if marker.content_hash != content_hash or report is None:
            return None
        if (report.name, report.email) != (handin.name, handin.email):
            return None
        told = self._results.override(told_of(report, handin))
        if told != report:
            self._keep(told, marker)
        return Known(
            handin=handin, row=row_of(told), answer_hash=marker.answer_hash, was_judged=False
        )

    def judge(self, cases: Iterable[Case]) -> Iterator[tuple[str, Judged | NeedsNewRun]]:
        """Judge these submissions, in order; or say why one has to be run.

        Raises
        ------
        DataError
            If a test file is broken.
        """
        for opened, answer in ask_each(
            JUDGE, map(self._open, cases), self._unjudged, together=TOGETHER
        ):
            try:
                yield opened.name, self._judged(opened, answer)
            except NeedsNewRun as reason:
                yield opened.name, reason

    def _open(self, case: Case) -> _Opened:
        try:
            filed, scores = read_filed(self._results.folder_of(case.name))
            filed = filed.of(case.handin or filed.handin)
            evidence, outputs = open_filed(filed, scores, origin=self._origin)
            if case.content_hash not in (None, evidence.content_hash):
                raise NeedsNewRun("another file was handed in")
        except NeedsNewRun as reason:
            return _Opened(name=case.name, reason=reason)
        return _Opened(name=case.name, filed=filed, evidence=evidence, outputs=outputs)

    def _unjudged(self, opened: _Opened) -> Written | None:
        return None if opened.evidence is None else self._judge.unjudged(opened.evidence)

    def _judged(self, opened: _Opened, answer: Judgements | Unfinished | None) -> Judged:
        filed, evidence = opened.filed, opened.evidence
        if filed is None or evidence is None:
            raise opened.reason or NeedsNewRun("there is no evidence")
        try:
            if answer is not None:
                evidence = self._judge.with_answer(evidence, answer)
            report, shown = self._judge.judge(evidence, filed.handin, outputs=opened.outputs)
        except Unfinished as error:
            raise NeedsNewRun(f"the grader failed to judge it: {error}") from error
        if shown != evidence.shown:
            raise NeedsNewRun("another of its runs counts now, whose notebook was not kept")
        return Judged(
            report=with_handin(report, filed.handin),
            filed=filed,
            content_hash=evidence.content_hash,
        )

    def write(self, name: str, judged: Judged | None) -> Report | None:
        """Write what came of it, or the overrides alone; returns the report as it is then."""
        known, marker = self._results.report_in(name), self._results.marker_of(name)
        if judged is None:
            told = known and self._results.override(known)
            return told if told is None or told == known else self._keep(told, marker)
        coming = self._results.override(judged.report)
        if marker is not None and marker == judged.marker(self._run) and known == coming:
            return coming
        sealed, path = seal(judged.filed), self._results.folder_of(name) / EVIDENCE_NAME
        if path.read_bytes() != sealed:
            replace_file(path, sealed)
        return self._keep(judged.report, judged.marker(self._run))

    def _keep(self, report: Report, marker: Marker | None) -> Report:
        return self._results.keep(
            report, marker=marker, leaderboard=self._config.gradescope.leaderboard
        )


def load_overrides(
    results: ResultsFolder,
    config: Config,
    gradable: Iterable[Gradable],
    paths: Iterable[Path] = (),
) -> Overrides:
    """Have a results folder put in the points that people gave: those kept there, and more.

    Parameters
    ----------
    gradable
        All that has a row in grades.csv, or will have one. What else lies there is known by its
        name alone, so that a student is found who has handed in again under another name.
    paths
        Of further files.

    Raises
    ------
    UsageError
        If a file cannot be read, is not right, or contradicts another one.
    """
    kept = results.root / OVERRIDES_NAME
    paths = [*([kept] if kept.exists() else []), *paths]
    overrides = Overrides()
    if paths:
        known = {each.submission: each for each in gradable}
        others = [
            Handin(submission=name, path=results.folder_of(name)) for name in results.others(known)
        ]
        overrides = read_overrides(paths, gradable=[*known.values(), *others], points=config.points)
    results.override = overrides.apply
    return overrides


def run_of(assignment: Assignment) -> Run:
    """Whose grades are made by it."""
    return Run(
        assignment=assignment.config.assignment.id,
        configuration_hash=configuration_hash(assignment),
    )


def listed(results: ResultsFolder) -> list[str]:
    """The submissions in grades.csv, in its order; where it cannot be read, all that there are."""
    return listed_in(results.gradebook, results.others(()))


def listed_reports(results: ResultsFolder) -> list[Report]:
    """Their reports, as far as they can be read."""
    return [report for name in listed(results) if (report := results.report_in(name))]


def write_tables(results: ResultsFolder, names: Sequence[str], config: Config) -> list[Row]:
    """Write all tables anew from the reports of these submissions, in this order."""
    reports = [report for name in names if (report := results.report_in(name))]
    rows = [row_of(report) for report in reports]
    write_table(results.gradebook, COLUMNS, rows)
    write_gradebooks(results.root, reports, config)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]
