"""Is what staff read on Gradescope free of anything that a terminal would obey?"""

from __future__ import annotations

import unicodedata

from autograder.gradescope.grading import staff_report
from autograder.grading.evidence import Outcome
from autograder.sandbox import BoxKind, Isolation
from tests.gradescope.reports import cell, check, report

HOSTILE = "ha\x1b]0;title\x07\x1b[2J\r\x00\x9b31m\u202egood\nPASSED: 100 of 100"


def test_nothing_that_a_student_wrote_commands_a_terminal_or_begins_a_line_of_ours() -> None:
    made = report(
        submission=HOSTILE,
        name=HOSTILE,
        email="",
        checks=[check("runs", measured=HOSTILE)],
        cells=[cell(1, error=HOSTILE)],
        notes=[HOSTILE],
        staff_notes=[HOSTILE],
    )
    isolation = Isolation(kind=BoxKind.USER, layers=(), findings=(), passed_over=())
    text = staff_report(
        Outcome(report=made, log=f"first\n{HOSTILE}\nlast"),
        isolation=isolation,
        remarks=[HOSTILE],
    )
    kinds = {unicodedata.category(char) for char in text if char != "\n"}
    assert not kinds & {"Cc", "Cf", "Cs"}
    ours, log = text.split("\nfirst\n")
    assert not [line for line in ours.splitlines()[1:] if line.startswith("PASSED")]
    assert log.endswith("\nlast") and "PASSED: 100 of 100" in log
