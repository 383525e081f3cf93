"""A grader that obeys its notebook's first line, so that a batch takes seconds."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat

from autograder.assignment import Assignment, load_assignment
from autograder.batch.grading import grade_handins
from autograder.batch.messages import Setup
from autograder.batch.pool import LocalPool, Pool
from autograder.batch.stopping import stop_asked
from autograder.box import BoxKind, Isolation, Toolbox
from autograder.config import CHECK_NAMES
from autograder.errors import AutograderError, MalformedSubmission
from autograder.intake import Candidate, read_submission
from autograder.intake.exports import Handin, collect
from autograder.pipeline import Outcome
from autograder.report import CheckResult, CheckStatus, Report
from autograder.results import ResultsFolder
from autograder.verdict import Verdict
from tests.notebooks import notebook, write

ROOT = Path(__file__).resolve().parent.parent.parent
ISOLATION = Isolation(kind=BoxKind.PLAIN, layers=(), findings=(), passed_over=())


def command(text: str, *, tags: Sequence[str] = (), author: str = "") -> Any:
    """A notebook whose grader does what `text` says."""
    made = notebook(text, answers=())
    made.metadata["kernelspec"]["display_name"] = "Python 3"
    made.metadata["colab"] = {"name": author}
    made.cells[0].metadata["tags"] = list(tags)
    return made


class ObedientGrader:
    """Does what the first cell says, and counts how often it was asked in the file `COUNT`."""

    def __init__(self, on_cell: Any) -> None:
        self._on_cell = on_cell

    def grade(self, candidate: Candidate) -> Outcome:
        """Obey, and be content."""
        try:
            submission = read_submission(candidate, assignment_id="activity-m5")
        except MalformedSubmission as error:
            return Outcome(report=report(candidate, Verdict.MALFORMED_SUBMISSION, str(error)))
        source = submission.notebook["cells"][0]["source"]
        verb, _, rest = source.partition(" ")
        if count := os.environ.get("M5_TEST_COUNT"):
            with open(count, "a") as file:  # noqa: PTH123
                file.write(f"{candidate.submission}\n")
        if verb == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif verb == "die-once" and not Path(rest).exists():
            Path(rest).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        elif verb == "orphan":
            # As a box that nothing ends with its grader.
            child = subprocess.Popen(["sleep", "600"], start_new_session=True)
            Path(rest).write_text(str(child.pid))
            time.sleep(30)
        elif verb == "sleep":
            time.sleep(float(rest.split()[0]))
        elif verb == "fail":
            return Outcome(report=report(candidate, Verdict.GRADER_ERROR, rest), log=rest)
        printed = "x" * int(rest) if verb == "flood" else f"ran as {candidate.submission}"
        self._on_cell(1, 1)
        executed = nbformat.from_dict(submission.notebook)
        executed.cells[0].outputs = [nbformat.v4.new_output("stream", text=printed)]
        made = report(candidate, Verdict.PASSED, "", submission.content_hash)
        return Outcome(report=made, executed=executed, log="obeyed\n")


def make_grader(setup: Setup, toolbox: Toolbox, isolation: Isolation, on_cell: Any) -> Any:
    """In the place of `autograder.batch.worker.make_grader`."""
    return ObedientGrader(on_cell)


def report(candidate: Candidate, verdict: Verdict, note: str, content_hash: str = "") -> Report:
    """The least that a report can say."""
    score = {Verdict.PASSED: 100.0, Verdict.GRADER_ERROR: None}.get(verdict, 0.0)
    words = dict.fromkeys(("title", "measured", "wanted", "next_step"), "")
    return Report(
        submission=candidate.submission,
        name=candidate.name,
        email=candidate.email,
        verdict=verdict,
        score=score,
        max_score=100.0,
        headline="Said.",
        checks=[
            CheckResult(name=name, status=CheckStatus.PASSED, points=0.0, max_points=0.0, **words)
            for name in CHECK_NAMES
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


def fake_setup(assignment: Assignment, **changes: Any) -> Setup:
    """A setup for obedient graders, which need neither data nor box."""
    fields: dict[str, Any] = {
        "config": assignment.config,
        **dict.fromkeys(("data", "tests", "lesson_text"), ""),
        "kinds": [],
        "leftovers": [],
        "toolbox": "/nonexistent",
        "isolation": ISOLATION,
        "require_isolation": False,
        "threads": 1,
        "grader": "tests.batch.fakes:make_grader",
    }
    return Setup(**(fields | changes))


def grade_obediently(
    paths: Sequence[Path],
    out: Path,
    *,
    assignment: Assignment,
    progress: Any,
    scratch: Path,
    size: int = 2,
    job_seconds: float = 60.0,
    pools: list[LocalPool] | None = None,
    **options: bool,
) -> list[dict[str, str]]:
    """`grade_batch` with obedient graders."""

    @contextlib.contextmanager
    def open_pool(todo: Sequence[Handin]) -> Iterator[Pool]:
        setup = fake_setup(assignment, leftovers=[str(scratch)])
        with LocalPool(setup, size=size, job_seconds=job_seconds) as pool:
            if pools is not None:
                pools.append(pool)
            yield pool

    scratch.mkdir(exist_ok=True)
    found = collect(paths, scratch=scratch, assignment_id=assignment.config.assignment.id)
    with stop_asked() as stop:
        return grade_handins(
            found,
            assignment=assignment,
            results=ResultsFolder(out, **{"overwrite": False, **options}),
            progress=progress,
            open_pool=open_pool,
            stop=stop,
        )


def write_class(folder: Path, commands: dict[str, str]) -> Path:
    """A folder of notebooks: name to command."""
    for name, text in commands.items():
        write(folder / f"{name}.ipynb", command(text))
    return folder


class Said:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def say(*arguments: Any, **named: Any) -> None:
            shown = [a.submission if isinstance(a, Report) else a for a in arguments]
            self.lines.append(" ".join(map(str, [name, *shown, *named.values()])))

        return say


def main() -> None:
    """Grade as `m5 grade` does, in a process that a test may kill: IN OUT SCRATCH [OPTION...]."""
    from autograder.terminal import TerminalProgress

    folder, out, scratch, *options = sys.argv[1:]
    try:
        with TerminalProgress() as progress:
            rows = grade_obediently(
                [Path(folder)],
                Path(out),
                assignment=load_assignment(ROOT),
                progress=progress,
                scratch=Path(scratch),
                **dict.fromkeys(options, True),
            )
        print(json.dumps([row["submission"] for row in rows]))
    except AutograderError as error:
        sys.exit(f"m5: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
