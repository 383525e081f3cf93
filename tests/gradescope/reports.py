"""Reports made by hand, for tests of what is written from them."""

from __future__ import annotations

from typing import Any

import msgspec

from autograder.core.config import CHECK_NAMES
from autograder.core.report import (
    CellReport,
    CheckResult,
    CheckStatus,
    IsolationReport,
    NetworkReport,
    Report,
    Verdict,
)

PRIVATE_ACCURACY = 0.987654321


def check(name: str, *, passed: bool = True, **changes: Any) -> CheckResult:
    made = CheckResult(
        name=name,
        title=name.replace("_", " ").capitalize(),
        status=CheckStatus.PASSED if passed else CheckStatus.FAILED,
        points=10.0 if passed else 0.0,
        max_points=10.0,
        measured="what was measured",
        wanted="what was wanted",
        next_step="" if passed else "what to do next",
    )
    return msgspec.structs.replace(made, **changes)


def cell(number: int, **changes: Any) -> CellReport:
    made = CellReport(
        number=number, status="ok", seconds=1.0, first_line="x = 1", error="", traceback=[], hint=""
    )
    return msgspec.structs.replace(made, **changes)


def report(verdict: Verdict = Verdict.PASSED, **changes: Any) -> Report:
    failed = verdict is Verdict.GRADER_ERROR
    made = Report(
        submission="submission_7",
        name="Ada",
        email="ada@example.org",
        verdict=verdict,
        score=None if failed else 60.0,
        max_score=60.0,
        headline="Everything passed.",
        checks=[] if failed else [check(name) for name in CHECK_NAMES],
        cells=[] if failed else [cell(1), cell(2, seconds=40.0)],
        network=NetworkReport(
            accuracy=0.9731,
            counted_images=10_000,
            public_accuracy=0.9,
            private_accuracy=PRIVATE_ACCURACY,
            training_accuracy=0.99,
            leak_z=0.1,
            leaked=False,
            parameters=50_890,
            layers=[],
            chosen_by="the variable model",
            preparation="x / 255",
            history={},
        ),
        reflections={},
        isolation=IsolationReport(kind="user", layers=["seccomp 1"], missing=["something secret"]),
        seconds=41.0,
        peak_bytes=10**9,
        output_bytes=100,
        notes=["A note for the student."],
        staff_notes=["A note for staff: /autograder/source/secret"],
        content_hash="00" * 32,
    )
    return msgspec.structs.replace(made, **changes)
