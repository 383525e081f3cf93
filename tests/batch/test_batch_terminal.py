"""Can staff see where a batch is, on a terminal and in a log?"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from rich.console import Console

from autograder.batch import pool as machine
from autograder.batch.terminal import TerminalProgress, print_grades, print_summary
from autograder.core.assignment import Assignment
from autograder.core.report import Report, Verdict
from autograder.intake import Handin
from autograder.reports.files import RunFiles
from autograder.reports.folder import ResultsFolder
from autograder.reports.tables import COLUMNS
from tests.batch.fakes import ISOLATION
from tests.batch.obedient import report


def made(submission: str, verdict: Verdict) -> Report:
    return report(Handin(submission=submission, path=Path("x")), verdict, "")


def play(console: Console, wait: Callable[[], object] = int) -> TerminalProgress:
    """Two of four done, one running, one lost."""
    with TerminalProgress(console) as progress:
        progress.doing("Looking for submissions")
        progress.warned("export/submission_metadata.yml is missing")
        progress.began(ISOLATION, total=4, jobs=2)
        for name in ("ann", "bob", "[red]eve"):
            progress.started(name)
        if console.is_terminal:
            console.print(progress._display())  # nothing is done, so nobody knows
        progress.ran("[red]eve", 2, 9, "epoch 2 of 5")
        wait()
        progress.finished(msgspec.structs.replace(made("ann", Verdict.PASSED), seconds=20.0))
        progress.finished(made("bob", Verdict.TIMED_OUT), "same as ann")
        progress.started("joe")
        progress.gave_back("joe", "Killed.")
        if console.is_terminal:
            console.print(progress._display())
    return progress


def test_a_terminal_shows_running_done_verdicts_and_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = [0.0]
    clock = SimpleNamespace(monotonic=lambda: times[-1])
    monkeypatch.setattr("autograder.batch.terminal.time", clock)
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=100, no_color=True)
    play(console, wait=lambda: times.append(20.0))
    shown = file.getvalue()
    for text in (
        "[red]eve",
        "cell 3 of 9, epoch 2 of 5",
        "2/4",
        "1 PASSED",
        "1 TIMED_OUT",
        "about 1 min left",
    ):
        assert text in shown
    assert shown.index("time left: unknown") < shown.index("about 1 min left")
    assert shown.count("waiting for its box") == 3


def row(submission: str, verdict: str, score: str, **more: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | {
        "submission": submission, "verdict": verdict, "score": score, **more
    }  # fmt: skip


def test_the_end_tells_a_reason_for_what_has_no_points_and_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [
        row("ann", "PASSED", "100"),
        row("bob", "FAILED", "10", notes="Some checks did not pass."),
        row("cid", "MALFORMED_SUBMISSION", "0", notes="cid.ipynb is not JSON."),
        row("dan", "MALFORMED_SUBMISSION", "", notes="Nothing was handed in."),
        row("eve", "GRADER_ERROR", "", notes="The disk is full."),
    ]
    print_grades(rows, Path("out"))
    print_summary(rows, ["README.md is not a notebook."], needing_a_person=1)
    lines = capsys.readouterr().out.splitlines()
    heading = re.split("  +", lines[0].strip())
    assert len(heading) == len(set(heading)) == 11
    reasons = [line for line in lines if " points: " in line or ", no score: " in line]
    assert reasons == [
        "eve, no score: The disk is full.",
        "cid, 0 points: cid.ipynb is not JSON.",
        "dan, no score: Nothing was handed in.",
    ]
    assert lines[-1] == (
        "1 passed, 2 not yet, 2 without a score; 1 needs you; 1 path held no submission."
    )


def test_no_number_is_cut_where_the_terminal_is_narrow(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("NO_COLOR", "1")
    numbers = {"accuracy": "0.9712", "parameters": "1234567", "failed": "budget reflection_3"}
    print_grades([row("submission_4001", "FAILED", "70", **numbers)], Path("out"))
    lines = capsys.readouterr().out.splitlines()
    for cell in ("submission_4001", "FAILED", "70", "0.9712", "1,234,567", "budget r3"):
        assert cell in lines[1], lines


def test_what_a_person_gave_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    row = dict.fromkeys(COLUMNS, "") | {"verdict": "PASSED", "score": "60"}
    marked = "Accuracy: Marked by a person: 3 of 10 points. Comment: [red]\x1b[2Jno"
    many = [{**row, "submission": f"s{n}", "overrides": marked} for n in range(100)]
    print_grades([{**row, "submission": "ann"}, *many], Path("out"))
    printed = capsys.readouterr().out
    lines = [line for line in printed.splitlines() if ": Accuracy: " in line]
    assert lines[0] == "s0: Accuracy: Marked by a person: 3 of 10 points. Comment: [red]no"
    assert f"and {100 - len(lines)} more that a person marked: see grades.csv" in printed


def test_elsewhere_there_are_plain_lines() -> None:
    file = io.StringIO()
    play(Console(file=file, width=100))
    lines = file.getvalue().splitlines()
    assert lines == [
        "Looking for submissions ...",
        "export/submission_metadata.yml is missing",
        "4 to grade, 2 at a time. Box: plain, closed",
        "ann: started",
        "bob: started",
        "[red]eve: started",
        "ann: PASSED 100/100 in 0 s",
        "bob: TIMED_OUT 0/100 (same as ann)",
        "joe: started",
        "joe: lost, will be tried again. Killed.",
    ]


def test_nothing_of_a_submission_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    file = io.StringIO()
    bad = "a\x1b[2J\x1b]0;title\x07\u202eb"
    with TerminalProgress(Console(file=file, width=100)) as progress:
        progress.warned(bad)
        progress.began(ISOLATION, total=1, jobs=1)
        progress.started(bad)
        progress.gave_back(bad, bad)
        progress.finished(made(bad, Verdict.PASSED), bad)
        progress.stopping([bad])
    print_grades([dict.fromkeys(COLUMNS, "") | {"submission": bad, "verdict": "PASSED"}], Path(bad))
    assert not set(file.getvalue()) & set("\x1b\x07\u202e")
    assert file.getvalue().count("ab") == 7
    printed = capsys.readouterr().out
    assert "ab" in printed and not set(printed) & set("\x1b\x07\u202e")


@pytest.mark.parametrize(
    ("cores", "gigabytes", "jobs"),
    [(8, 64, 8), (8, 7, 4), (1, 64, 1), (16, 0.5, 1)],
)
def test_jobs_are_as_many_as_cores_and_memory_allow(
    assignment: Assignment,
    monkeypatch: pytest.MonkeyPatch,
    cores: int,
    gigabytes: float,
    jobs: int,
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(machine, "_free_bytes", lambda: int(gigabytes * 1e9))
    assert machine.default_jobs(assignment.config.limits) == jobs


def test_a_log_that_is_looked_at_moves_no_cursor(tmp_path: Path) -> None:
    results = ResultsFolder(tmp_path / "out", overwrite=False)
    results.prepare()
    results.keep(
        made("ann", Verdict.PASSED),
        run=RunFiles(executed=None, log="\x1b[31mred\x1b[0m\r\n\x9b2Jend\n"),
    )
    log = tmp_path / "out/submissions/ann/grading.log"
    assert log.read_text(encoding="utf-8") == "red\nend\n"
