"""A report in the form that Gradescope reads: results.json."""

from __future__ import annotations

from typing import Any

from autograder.report import CheckResult, CheckStatus, Report


def gradescope_results(report: Report) -> dict[str, Any]:
    """Everything that Gradescope shows, from an allow-list of what students may see.

    Where the grader failed there is no score: Gradescope then shows the run as failed, and keeps
    whatever grade there was.
    """
    results: dict[str, Any] = {
        "output": "\n\n".join([report.headline, *report.notes]),
        "output_format": "text",
        "execution_time": round(report.seconds, 1),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(number, check) for number, check in enumerate(report.checks, start=1)],
        "extra_data": {
            "verdict": report.verdict.value,
            "parameters": report.network.parameters if report.network else None,
        },
    }
    results["tests"] += [_failed_cell(cell) for cell in report.cells if cell.error]
    if report.score is not None:
        results["score"] = report.score
    return results


def _test(number: int, check: CheckResult) -> dict[str, Any]:
    lines = [f"Measured: {check.measured}", f"Wanted: {check.wanted}"]
    if check.status is CheckStatus.SKIPPED:
        lines.insert(0, "This check could not be made.")
    if check.next_step:
        lines.append(f"Next step: {check.next_step}")
    return {
        "number": str(number),
        "name": check.title,
        "score": check.points,
        "max_score": check.max_points,
        "status": "passed" if check.status is CheckStatus.PASSED else "failed",
        "output": "\n".join(lines),
        "output_format": "text",
        "visibility": "visible",
    }


def _failed_cell(cell: Any) -> dict[str, Any]:
    lines = [cell.error, "", *cell.traceback, "", f"Next step: {cell.hint}"]
    return {
        "name": f"Code cell {cell.number}: {cell.first_line}",
        "output": "\n".join(lines),
        "output_format": "text",
        "status": "failed",
        "score": 0,
        "max_score": 0,
        "visibility": "visible",
    }
