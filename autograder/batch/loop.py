"""Hands submissions to a pool, and writes down what comes back, until nothing is left."""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from autograder.batch.executed import executed_twin
from autograder.batch.filing import Filed, Origin, digest, seal, with_handin
from autograder.batch.messages import CellRan, Graded, Refused, read_job
from autograder.batch.pool import Event, Pool
from autograder.batch.resuming import Known
from autograder.batch.twins import evidence_of_twin, report_of_twin
from autograder.batch.versions import reading_version
from autograder.core.config import Config
from autograder.core.errors import BoxError
from autograder.core.report import Report, Verdict
from autograder.grading.describe import ungraded
from autograder.grading.evidence import Evidence, encode_evidence
from autograder.intake import Handin, Submission
from autograder.reports.files import RunFiles
from autograder.reports.folder import Marker, ResultsFolder, Run
from autograder.reports.overrides import Overrides
from autograder.reports.tables import Gradebook
from autograder.sandbox import Isolation

MAX_LOSSES = 3
"""A submission whose process was lost so often is given up: it may well be the cause."""
WAIT_SECONDS = 0.2
"""Between two looks at whether somebody wants to stop, and at the clock of the display."""


class Progress:
    """Who wants to know how a batch is getting on; this one does not."""

    def doing(self, sentence: str) -> None:
        """What is done before the first submission has its turn."""

    def warned(self, sentence: str) -> None:
        """Something about the submissions that staff should know."""

    def began(self, isolation: Isolation | None, *, total: int, jobs: int | None) -> None:
        """The number of submissions is known, and where they will be graded.

        Both `isolation` and `jobs` are None on a cluster, where each machine has its own.
        """

    def started(self, submission: str) -> None:
        """A submission's turn has come."""

    def ran(self, submission: str, done: int, total: int, epoch: str) -> None:
        """So many of its code cells have ended; in the next one a training is at that epoch."""

    def gave_back(self, submission: str, reason: str) -> None:
        """It was lost, and will be tried again."""

    def finished(self, report: Report, remark: str = "") -> None:
        """Its grade is on disk; the remark says why so soon."""

    def stopping(self, running: Sequence[str]) -> None:
        """Somebody wants it to end; these submissions are given up."""


class Batch:
    """One run over many submissions.

    Parameters
    ----------
    results, gradebook
        Where what comes back is written.
    run
        Whose grades they are.
    overrides
        What people gave in place of the grader's points.
    origin
        What their runs depend on.
    stop
        Asked again and again whether to stop.

    Attributes
    ----------
    rows
        Submission to its row of the gradebook, as far as they are on disk.
    """

    def __init__(
        self,
        *,
        config: Config,
        results: ResultsFolder,
        gradebook: Gradebook,
        progress: Progress,
        run: Run,
        origin: Origin,
        overrides: Overrides,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.rows: dict[str, list[str]] = {}
        self._config = config
        self._results = results
        self._gradebook = gradebook
        self._progress = progress
        self._run = run
        self._origin = origin
        self._overrides = overrides
        self._stop = stop
        self._waiting: deque[Handin] = deque()
        self._running: dict[str, tuple[Handin, Submission | None]] = {}
        self._losses: Counter[str] = Counter()
        # By the hash of the answer: what has been graded, and who waits for one that is running.
        self._done: dict[str, Handin] = {}
        self._twins: dict[str, list[Handin]] = {}

    def take_over(self, kept: Iterable[Known]) -> None:
        """Count submissions as done that were graded by an earlier run."""
        for each in kept:
            self.rows[each.handin.submission] = each.row
            self._done.setdefault(each.answer_hash, each.handin)

    def grade(self, handins: Iterable[Handin], pool: Pool) -> bool:
        """Grade all in `pool`, which the caller closes; False if it was stopped before the end.

        Raises
        ------
        BoxError
            If grading processes refuse to grade anything.
        ResultsError
            If something cannot be written.
        """
        self._waiting.extend(handins)
        # The clerk interrupts what it is asked when somebody wants to stop.
        with contextlib.suppress(KeyboardInterrupt):
            while self._waiting or self._running:
                if self._stop():
                    break
                while self._waiting and pool.free > 0 and not self._stop():
                    self._dispatch(self._waiting.popleft(), pool)
                for event in pool.wait(WAIT_SECONDS):
                    self._handle(event)
            else:
                return True
        self._progress.stopping(list(self._running))
        return False

    def _dispatch(self, handin: Handin, pool: Pool) -> None:
        if handin.is_missing:
            self._progress.started(handin.submission)
            self._keep_missing(handin)
            return
        job, submission = read_job(handin, self._config.assignment.id)
        if self._results.has_pages:
            job = msgspec.structs.replace(job, page_notes=list(handin.notes))
        if submission is not None:
            key = submission.answer_hash
            if key in self._done and self._copy(self._done[key], handin, submission):
                return
            if key in self._twins:
                self._twins[key].append(handin)
                return
            self._twins[key] = []
        self._running[handin.submission] = (handin, submission)
        self._progress.started(handin.submission)
        pool.submit(job)

    def _keep_missing(self, handin: Handin) -> None:
        """Write down that nothing was handed in, which is not a zero."""
        verdict, notes = Verdict.MALFORMED_SUBMISSION, [handin.refusal]
        report = ungraded(handin, verdict, self._config, score=None, notes=notes)
        evidence = encode_evidence(Evidence(refusal=handin.refusal))
        graded = Graded(report=report, executed=None, log="", evidence=evidence)
        self._keep(handin, graded, None, remark="nothing was handed in")

    def _handle(self, event: Event) -> None:
        answer = event.answer
        if isinstance(answer, CellRan):
            self._progress.ran(event.submission, answer.done, answer.total, answer.epoch)
        elif isinstance(answer, Graded):
            self._land(event.submission, answer)
        elif isinstance(answer, Refused):
            kept = "What was graded before is kept; go on with --resume."
            raise BoxError(f"{answer.reason} {kept}" if self.rows else answer.reason)
        else:
            self._lose(event.submission, answer.reason)

    def _lose(self, name: str, reason: str) -> None:
        handin, submission = self._running[name]
        self._losses[name] += 1
        if self._losses[name] < MAX_LOSSES:
            del self._running[name]
            self._waiting += [handin, *self._twins_of(submission)]
            self._progress.gave_back(name, reason)
            return
        note = f"Given up after {self._losses[name]} attempts. The last: {reason}"
        verdict = Verdict.GRADER_ERROR
        report = ungraded(handin, verdict, self._config, score=None, staff_notes=[note])
        self._land(name, Graded(report=report, executed=None, log=note + "\n"))

    def _land(self, name: str, graded: Graded) -> None:
        handin, submission = self._running[name]
        self._keep(handin, graded, submission)
        del self._running[name]
        if submission is not None:
            self._done[submission.answer_hash] = handin
        # Each finds its twin among those that are done. If the grader failed, the twin has no
        # report to be copied, and each has its turn.
        self._waiting.extendleft(reversed(self._twins_of(submission)))

    def _twins_of(self, submission: Submission | None) -> list[Handin]:
        """Those who have waited for it, and wait no more."""
        return [] if submission is None else self._twins.pop(submission.answer_hash)

    def _copy(self, source: Handin, handin: Handin, submission: Submission) -> bool:
        """Take over what is known of another submission; False if it is not there any more."""
        report = self._results.report_of(source.submission)
        if report is None:
            return False
        executed = self._results.text_of(source.submission, "executed.ipynb")
        evidence, scores = evidence_of_twin(self._results.folder_of(source.submission), submission)
        graded = Graded(
            evidence=evidence,
            scores=scores,
            report=report_of_twin(report, submission, notes_of_other=len(source.notes)),
            executed=executed_twin(executed, submission),
            log=f"Not run: see {source.submission}.\n",
        )
        self._progress.started(handin.submission)
        remark = f"same as {source.submission}"
        self._keep(handin, graded, submission, remark=remark)
        return True

    def _keep(
        self, handin: Handin, graded: Graded, submission: Submission | None, *, remark: str = ""
    ) -> None:
        """Write everything, the row last: a row means that the rest is there."""
        report = with_handin(graded.report, handin)
        marker = None
        if submission is not None and report.verdict is not Verdict.GRADER_ERROR:
            marker = Marker(
                configuration_hash=self._run.configuration_hash,
                content_hash=submission.content_hash,
                answer_hash=submission.answer_hash,
            )
        filed = Filed(
            origin=self._origin,
            reading=reading_version(),
            handin=handin,
            answer_hash=submission.answer_hash if submission else "",
            scores=digest(graded.scores) if graded.scores else "",
            evidence=msgspec.Raw(graded.evidence),
        )
        earlier = self._results.marker_of(handin.submission)
        report = self._results.keep(
            report,
            run=RunFiles(
                executed=graded.executed,
                log=graded.log,
                evidence=seal(filed.of(handin)) if graded.evidence else b"",
                scores=graded.scores,
            ),
            page=graded.page,
            marker=marker,
            leaderboard=self._config.gradescope.leaderboard,
        )
        self.rows[handin.submission] = self._gradebook.add(report)
        self._warn_of_marks(report, earlier=earlier, now=marker)
        self._progress.finished(report, remark)

    def _warn_of_marks(self, report: Report, *, earlier: Marker | None, now: Marker | None) -> None:
        """Say where marks do not count, or count for other work than the person has seen."""
        if lost := self._overrides.without_effect(report):
            self._progress.warned(
                f"{report.submission} has no score, so that what a person gave for "
                f"{', '.join(lost)} does not count yet."
            )
        if report.override_notes and earlier and now and earlier.answer_hash != now.answer_hash:
            marked = ", ".join(check.name for check in report.checks if check.override)
            self._progress.warned(
                f"{report.submission} has been handed in again with other answers. What a person "
                f"gave for {marked} still counts; see whether it should."
            )
