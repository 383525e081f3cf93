"""Do the views that pages are drawn from say what the reports say?"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec

from autograder.core.config import Config
from autograder.core.report import CellReport, CheckStatus, ReflectionReport, Report, UnitReport
from autograder.core.verdict import Verdict
from autograder.reports.pages.class_view import Row, answers_to, histogram_of, row_of, summary_of
from autograder.reports.pages.drawing import StudentPage
from autograder.reports.pages.feedback import feedback_view
from autograder.reports.pages.markup import checked_picture
from autograder.reports.pages.reading import Entry
from autograder.reports.results_json import MAX_FAILED_CELLS
from tests.pages.sample_reports import make_report
from tests.pages.samples import png

FAILED_CELL = CellReport(
    number=1, status="error", seconds=1.0, first_line="x", error="NameError", traceback=[], hint=""
)


def row(score: float | None) -> Row:
    verdict = "GRADER_ERROR" if score is None else "FAILED"
    return Row(key="a", name="a", email="", link="", verdict=verdict, score=score)


def entry(report: Report) -> Entry:
    return Entry(folder=Path(report.submission), report=report)


def test_the_full_score_stands_in_the_last_bar() -> None:
    bars = histogram_of([row(score) for score in (0, 94.9, 95, 100, None)], 100)
    assert [(bar.low, bar.high, bar.students) for bar in bars] == [
        (0, 5, 1),
        (90, 95, 1),
        (95, 100, 2),
    ]


def test_who_has_no_score_is_in_no_mean() -> None:
    summary = summary_of([row(score) for score in (10, 20, None, 90)])
    assert (summary.mean, summary.median) == (40, 20)
    assert (summary.submissions, summary.scored, summary.not_graded) == (4, 3, 1)


def test_a_network_passes_only_by_both_of_its_checks(config: Config) -> None:
    report = make_report(3, config, Verdict.PASSED)
    assert row_of(entry(report), feedback="").passes_network
    for name in ("accuracy", "budget"):
        checks = [
            msgspec.structs.replace(each, status=CheckStatus.FAILED) if each.name == name else each
            for each in report.checks
        ]
        changed = msgspec.structs.replace(report, checks=checks)
        assert not row_of(entry(changed), feedback="").passes_network


def test_odd_answers_come_first(config: Config) -> None:
    reports = []
    for number, remark in enumerate(("", "very short", "")):
        answer = ReflectionReport(present=True, reason="", text="It died.", remark=remark)
        reports.append(
            msgspec.structs.replace(
                make_report(number, config, Verdict.PASSED), reflections={"reflection_1": answer}
            )
        )
    entries = [entry(report) for report in reports]
    rows = [row_of(each, feedback="") for each in entries]
    answers = answers_to("reflection_1", entries, rows)
    assert [answer.remark for answer in answers] == ["very short", "", ""]


def view(config: Config, **changes: Any) -> Any:
    report = make_report(5, config, Verdict.FAILED)
    measured = make_report(5, config, Verdict.PASSED).network
    assert measured is not None
    network = msgspec.structs.replace(measured, **changes.pop("network", {}))
    wanted = StudentPage(report=b"", executed=None, config=config)
    return feedback_view(msgspec.structs.replace(report, network=network, **changes), wanted)


def test_failed_cells_that_are_not_shown_are_counted(config: Config) -> None:
    for more in (0, 1, 7):
        shown = view(config, cells=[FAILED_CELL] * (MAX_FAILED_CELLS + more))
        assert (len(shown.failed_cells), shown.more_failed_cells) == (MAX_FAILED_CELLS, more)


def test_dead_units_are_told_of_all_units(config: Config) -> None:
    layers = [{"name": "narrow", "kind": "Dense", "parameters": 110}]
    units = [UnitReport(layer="narrow", units=10, silent=3)]
    [layer] = view(config, network={"layers": layers, "units": units}).network.layers
    assert layer["idle"] == "3 of 10"


def test_students_read_their_notes_and_none_for_staff(config: Config) -> None:
    shown = view(config, notes=["for you"], staff_notes=["for staff"])
    assert shown.notes == ["for you"]


def test_only_what_begins_as_a_picture_is_one() -> None:
    picture = png(8, 8, 1)
    assert checked_picture("image/png", picture) == picture
    assert checked_picture("image/jpeg", picture) == ""
    assert checked_picture("image/png", base64.b64encode(b"<svg onload=x>").decode()) == ""
