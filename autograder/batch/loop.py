"""Hands submissions to a pool, and writes down what comes back, until nothing is left."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from autograder.batch.executed import executed_twin
from autograder.batch.messages import CellRan, Graded, Job, Refused
from autograder.batch.pool import Event, Pool
from autograder.batch.progress import Progress
from autograder.batch.resuming import Kept
from autograder.batch.twins import report_of_twin
from autograder.core.clerk import Unfinished
from autograder.core.config import Config
from autograder.core.errors import BoxError, MalformedSubmission
from autograder.core.verdict import Verdict
from autograder.grading.describe import ungraded
from autograder.intake import Handin, Submission, read_submission
from autograder.reports.folder import Marker, ResultsFolder, Run
from autograder.reports.tables import Gradebook

MAX_LOSSES = 3
"""A submission whose process was lost so often is given up: it may well be the cause."""
WAIT_SECONDS = 0.2
"""Between two looks at whether somebody wants to stop, and at the clock of the display."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Flight:
    """A submission that is being graded, and those that wait for it since they are the same."""

    handin: Handin
    content_hash: str = ""
    answer_hash: str = ""
    losses: int = 0
    twins: list[Handin] = field(default_factory=list)


class Batch:
    """One run over many submissions.

    Parameters
    ----------
    results, gradebook
        Where what comes back is written.
    run
        Whose grades they are.
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
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.rows: dict[str, list[str]] = {}
        self._config = config
        self._results = results
        self._gradebook = gradebook
        self._progress = progress
        self._run = run
        self._stop = stop
        self._flights: dict[str, _Flight] = {}
        self._done: dict[str, Handin] = {}
        self._waiting: deque[_Flight] = deque()

    def take_over(self, kept: Iterable[Kept]) -> None:
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
        self._waiting.extend(_Flight(handin=handin) for handin in handins)
        # The clerk interrupts what it is asked when somebody wants to stop.
        with contextlib.suppress(KeyboardInterrupt):
            while self._waiting or self._flights:
                if self._stop():
                    break
                while self._waiting and pool.free > 0 and not self._stop():
                    self._dispatch(self._waiting.popleft(), pool)
                for event in pool.wait(WAIT_SECONDS):
                    self._handle(event)
            else:
                return True
        self._progress.stopping(list(self._flights))
        return False

    def _dispatch(self, flight: _Flight, pool: Pool) -> None:
        handin = flight.handin
        if handin.is_missing:
            self._progress.started(handin.submission)
            self._keep_missing(handin)
            return
        job, submission = _read(handin, self._config.assignment.id)
        if self._results.has_pages:
            job = msgspec.structs.replace(job, page_notes=list(handin.notes))
        if submission is not None:
            flight.content_hash = submission.content_hash
            flight.answer_hash = key = submission.answer_hash
            if key in self._done and self._copy(self._done[key], handin, submission, key):
                return
            for other in self._flights.values():
                if other.answer_hash == key:
                    other.twins.append(handin)
                    return
        self._flights[handin.submission] = flight
        self._progress.started(handin.submission)
        pool.submit(job)

    def _keep_missing(self, handin: Handin) -> None:
        """Write down that nothing was handed in, which is not a zero."""
        candidate = handin
        verdict, notes = Verdict.MALFORMED_SUBMISSION, [candidate.refusal]
        report = ungraded(candidate, verdict, self._config, score=None, notes=notes)
        graded = Graded(report=report, executed=None, log="")
        self._keep(handin, graded, content_hash="", key="", remark="nothing was handed in")

    def _handle(self, event: Event) -> None:
        flight = self._flights[event.submission]
        answer = event.answer
        if isinstance(answer, CellRan):
            self._progress.ran_cell(event.submission, answer.done, answer.total)
        elif isinstance(answer, Graded):
            self._land(flight, answer)
        elif isinstance(answer, Refused):
            kept = "What was graded before is kept; go on with --resume."
            raise BoxError(f"{answer.reason} {kept}" if self.rows else answer.reason)
        else:
            self._lose(flight, event.lost_because)

    def _lose(self, flight: _Flight, reason: str) -> None:
        flight.losses += 1
        if flight.losses < MAX_LOSSES:
            del self._flights[flight.handin.submission]
            self._waiting.append(flight)
            self._progress.gave_back(flight.handin.submission, reason)
            return
        note = f"Given up after {flight.losses} attempts. The last: {reason}"
        candidate, verdict = flight.handin, Verdict.GRADER_ERROR
        report = ungraded(candidate, verdict, self._config, score=None, staff_notes=[note])
        self._land(flight, Graded(report=report, executed=None, log=note + "\n"))

    def _land(self, flight: _Flight, graded: Graded) -> None:
        handin, key = flight.handin, flight.answer_hash
        self._keep(handin, graded, content_hash=flight.content_hash, key=key)
        del self._flights[handin.submission]
        if key and graded.report.verdict is not Verdict.GRADER_ERROR:
            self._done[key] = handin
        # Each finds its twin among those that are done; if the grader failed, each has its turn.
        self._waiting.extendleft(_Flight(handin=twin) for twin in reversed(flight.twins))

    def _copy(self, source: Handin, handin: Handin, submission: Submission, key: str) -> bool:
        """Take over what is known of another submission; False if it is not there any more."""
        report = self._results.report_of(source.submission)
        if report is None:
            return False
        executed = self._results.text_of(source.submission, "executed.ipynb")
        graded = Graded(
            report=report_of_twin(report, submission, notes_of_other=len(source.notes)),
            executed=executed_twin(executed, submission),
            log=f"Not run: see {source.submission}.\n",
        )
        self._progress.started(handin.submission)
        remark = f"same as {source.submission}"
        self._keep(handin, graded, content_hash=submission.content_hash, key=key, remark=remark)
        return True

    def _keep(
        self, handin: Handin, graded: Graded, *, content_hash: str, key: str, remark: str = ""
    ) -> None:
        """Write everything, the row last: a row means that the rest is there."""
        report = msgspec.structs.replace(
            graded.report,
            notes=[*handin.notes, *graded.report.notes],
            staff_notes=[*graded.report.staff_notes, *handin.staff_notes],
        )
        marker = None
        if key and report.verdict is not Verdict.GRADER_ERROR:
            marker = Marker(
                configuration_hash=self._run.configuration_hash,
                content_hash=content_hash,
                answer_hash=key,
            )
        self._results.keep(
            report,
            executed=graded.executed,
            log=graded.log,
            page=graded.page,
            marker=marker,
            leaderboard=self._config.gradescope.leaderboard,
        )
        self.rows[handin.submission] = self._gradebook.add(report)
        self._progress.finished(report, remark)


def _read(handin: Handin, assignment_id: str) -> tuple[Job, Submission | None]:
    """The submission with its file, and what it says; or with the reason why there is none."""
    candidate = handin
    content: bytes | None = None
    submission: Submission | None = None
    refusal = ""
    try:
        # A mistake of ours the process that grades it will make too, and report.
        with contextlib.suppress(Unfinished):
            submission = read_submission(candidate, assignment_id=assignment_id)
        content = candidate.path.read_bytes()
    except MalformedSubmission as error:
        refusal = str(error)
    except OSError as error:
        submission, refusal = None, f"The file could not be read: {error.strerror}."
    job = Job(
        submission=candidate.submission,
        name=candidate.name,
        email=candidate.email,
        file_name=os.fsencode(candidate.path.name or "submission.ipynb"),
        content=content,
        refusal=refusal,
    )
    return job, submission
