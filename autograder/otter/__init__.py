"""Stock Otter's commands with this grader: its plugin, and a report as Otter's own record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.core.files import replace_file
from autograder.core.report import CheckResult, CheckStatus, Report
from autograder.reports.placeholder import FAILED, NOT_YOUR_FAULT


def otter_results(report: Report) -> Any:
    """An ``otter.test_files.GradingResults`` with the scores and words of `report`.

    It holds no test code, hidden or not.
    """
    from otter.test_files import ExceptionTestFile, GradingResults

    if report.score is None:
        return GradingResults.without_results(RuntimeError(f"{FAILED} {NOT_YOUR_FAULT}"))
    results = GradingResults([_test_file(check, ExceptionTestFile) for check in report.checks])
    results.set_output("\n\n".join([report.headline, *report.notes]))
    return results


def _test_file(check: CheckResult, kind: Any) -> Any:
    from otter.test_files.abstract_test import TestCase, TestCaseResult

    case = TestCase(
        name=check.title,
        body=None,
        hidden=False,
        points=check.max_points,
        success_message=None,
        failure_message=None,
    )
    file = kind(check.name, f"tests/{check.name}.py", [case], all_or_nothing=True)
    lines = [f"Measured: {check.measured}", f"Wanted: {check.wanted}"]
    lines += [f"Next step: {check.next_step}"] if check.next_step else []
    passed = check.status is CheckStatus.PASSED
    file.test_case_results = [
        TestCaseResult(test_case=case, message="\n".join(lines), passed=passed)
    ]
    file.update_score(check.points)
    return file


def write_pickle(report: Report, path: Path) -> None:
    """Write what `otter grade` takes out of its container."""
    import dill

    replace_file(path, dill.dumps(otter_results(report)))
