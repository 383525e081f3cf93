"""A report in the form that Gradescope reads: results.json."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from autograder.core.report import CellReport, CheckResult, CheckStatus, Report, Verdict
from autograder.core.text import excerpt
from autograder.reports.placeholder import FAILED, NOTHING_HANDED_IN, failed_results

SCHEMA = Path(__file__).with_name("gradescope.schema.json")
MAX_OUTPUT_CHARACTERS = 8_000
"""Of one text. A person reads a screen of it."""
MAX_NAME_CHARACTERS = 150
MAX_FAILED_CELLS = 10
"""Cells that are shown with their error; those after the first mostly fail because of it."""
BY_HAND = "You have all points, some of them from a person who read your work."


def gradescope_results(report: Report, *, leaderboard: bool = False) -> dict[str, Any]:
    """Everything that Gradescope shows, from an allow-list of what students may see.

    Parameters
    ----------
    leaderboard
        Whether a network that passes is entered in the leaderboard.

    Returns
    -------
    dict
        Valid by `gradescope.schema.json`. Where the grader failed there is neither a score nor
        are there tests, so that Gradescope cannot record a grade, not even a zero.
    """
    if report.verdict is Verdict.GRADER_ERROR:
        return failed_results(FAILED, seconds=report.seconds)
    if report.score is None:
        results = failed_results(
            excerpt(" ".join(report.notes), MAX_OUTPUT_CHARACTERS),
            next_step=NOTHING_HANDED_IN,
            seconds=report.seconds,
        )
        return results | {"extra_data": {"verdict": report.verdict.value}}
    results = {
        "score": report.score,
        "output": excerpt("\n\n".join(_summary(report)), MAX_OUTPUT_CHARACTERS),
        "output_format": "text",
        "execution_time": round(report.seconds, 1),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(number, check) for number, check in enumerate(report.checks, start=1)],
        "extra_data": _extra_data(report),
    }
    failed = [cell for cell in report.cells if cell.error]
    results["tests"] += [_failed_cell(cell) for cell in failed[:MAX_FAILED_CELLS]]
    if len(failed) > MAX_FAILED_CELLS:
        results["output"] += (
            f"\n\n{len(failed)} cells failed; the first {MAX_FAILED_CELLS} are shown below."
        )
    if leaderboard and (entries := _leaderboard(report)):
        results["leaderboard"] = entries
    return results


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of results.json."""
    content: dict[str, Any] = json.loads(SCHEMA.read_bytes())
    return content


def is_done(check: CheckResult) -> bool:
    """Whether it passed, or a person gave all of its points."""
    return check.status is CheckStatus.PASSED or check.earned >= check.max_points


def decided(check: CheckResult) -> CheckResult:
    """The same, with nothing left to do where a person has decided."""
    if check.override is None:
        return check
    status = CheckStatus.PASSED if is_done(check) else check.status
    return msgspec.structs.replace(check, status=status, next_step="")


def headline_of(report: Report) -> str:
    """The line of verdict for the student; where people gave what was missing, that they did."""
    is_marked = any(check.override is not None for check in report.checks)
    is_full = report.score is not None and report.score >= report.max_score
    is_by_hand = is_marked and is_full and report.verdict is not Verdict.PASSED
    return BY_HAND if is_by_hand else report.headline


def _summary(report: Report) -> list[str]:
    """What stands above the checks: one line of verdict, the notes, where the time went."""
    lines = [f"{headline_of(report)} {report.score:g} of {report.max_score:g} points."]
    lines += [*report.override_notes, *report.reasons, *(note for note in report.notes if note)]
    if report.cells:
        slowest = max(report.cells, key=lambda cell: cell.seconds)
        time = f"Time: your cells ran for {report.seconds:.0f} s"
        if slowest.seconds >= 1:
            time += f", code cell {slowest.number} for {slowest.seconds:.0f} s of it"
        lines.append(f"{time}.")
    return lines


def _extra_data(report: Report) -> dict[str, Any]:
    """For programs of the staff; Gradescope does not show it. No private accuracy, no paths."""
    network, isolation = report.network, report.isolation
    return {
        "verdict": report.verdict.value,
        "submission": report.submission,
        "content_hash": report.content_hash,
        "parameters": report.parameters,
        "counted_images": network.counted_images if network else None,
        "chosen_by": excerpt(network.chosen_by, MAX_NAME_CHARACTERS) if network else None,
        "leaked": network.leaked if network else None,
        "peak_bytes": report.peak_bytes,
        "output_bytes": report.output_bytes,
        "box": isolation.kind if isolation else None,
    }


def _test(number: int, check: CheckResult) -> dict[str, Any]:
    lines = [f"Measured: {check.measured}", f"Wanted: {check.wanted}"]
    passed = check.status is CheckStatus.PASSED
    if check.status is CheckStatus.SKIPPED:
        lines.insert(0, "This check could not be made.")
    if check.override is not None:
        lines.insert(0, check.override_note)
        passed = check.earned >= check.max_points
    if check.next_step and check.override is None:
        lines.append(f"Next step: {check.next_step}")
    return {
        "number": str(number),
        "name": excerpt(check.title, MAX_NAME_CHARACTERS),
        "score": check.earned,
        "max_score": check.max_points,
        "status": "passed" if passed else "failed",
        "output": excerpt("\n".join(lines), MAX_OUTPUT_CHARACTERS),
        "output_format": "text",
        "visibility": "visible",
    }


def _failed_cell(cell: CellReport) -> dict[str, Any]:
    lines = [cell.error, "", *cell.traceback, "", f"Next step: {cell.hint}"]
    return {
        "name": excerpt(f"Code cell {cell.number}: {cell.first_line}", MAX_NAME_CHARACTERS),
        "score": 0,
        "max_score": 0,
        "status": "failed",
        "output": excerpt("\n".join(lines), MAX_OUTPUT_CHARACTERS),
        "output_format": "text",
        "visibility": "visible",
    }


def _leaderboard(report: Report) -> list[dict[str, Any]]:
    """Where both checks of the network pass: its size, the smallest first, and its accuracy."""
    passed = {check.name for check in report.checks if check.status is CheckStatus.PASSED}
    if report.network is None or not passed >= {"accuracy", "budget"}:
        return []
    accuracy = round(report.network.accuracy, 4)
    return [
        {"name": "Parameters", "value": report.network.parameters, "order": "asc"},
        {"name": "Accuracy", "value": accuracy, "order": "desc"},
    ]
