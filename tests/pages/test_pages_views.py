"""Do the views that pages are drawn from say what the reports say?"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec

from autograder.core.config import Config
from autograder.core.report import (
    CellReport,
    CheckStatus,
    Override,
    ReflectionReport,
    Report,
    UnitReport,
    Verdict,
)
from autograder.reports.files import Entry
from autograder.reports.pages.class_report import concerns_of, needing
from autograder.reports.pages.class_view import (
    Row,
    answers_to,
    histogram_of,
    row_of,
    summary_of,
    times_of,
)
from autograder.reports.pages.drawing import StudentPage
from autograder.reports.pages.feedback import draw_feedback, feedback_view
from autograder.reports.pages.markup import checked_picture
from autograder.reports.results_json import MAX_FAILED_CELLS
from tests.pages.sample_reports import make_report
from tests.pages.samples import png

FAILED_CELL = CellReport(
    number=1, status="error", seconds=1.0, first_line="x", error="NameError", traceback=[], hint=""
)


def row(score: float | None) -> Row:
    verdict = "GRADER_ERROR" if score is None else "FAILED"
    return Row(key="a", name="a", link="", verdict=verdict, score=score)


def entry(report: Report) -> Entry:
    return Entry(folder=Path(report.submission), report=report)


def test_the_full_score_stands_in_the_last_bar() -> None:
    bars = histogram_of([row(score) for score in (0, 94.9, 95, 100, None)], 100)
    assert bars == [(0, 5, 1), (90, 95, 1), (95, 100, 2)]


def test_who_has_no_score_is_in_no_mean() -> None:
    summary = summary_of([row(score) for score in (10, 20, None, 90)])
    assert (summary["mean"], summary["median"]) == (40, 20)
    assert (summary["submissions"], summary["scored"], summary["not_graded"]) == (4, 3, 1)


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


def test_where_a_person_should_look_is_said_once_for_each_reason(config: Config) -> None:
    plain = make_report(5, config, Verdict.PASSED)
    network = plain.network
    assert network is not None
    threshold, margin = config.accuracy.threshold, config.second_runs.margin

    def like(**changes: Any) -> Report:
        fields = {"accuracy": 0.99, "leaked": False, **changes}
        return msgspec.structs.replace(plain, network=msgspec.structs.replace(network, **fields))

    answer = ReflectionReport(present=True, reason="", text="It died.", remark="very short")
    cases = {
        "The grader failed": make_report(1, config, Verdict.GRADER_ERROR),
        "No score, since nothing was handed in": msgspec.structs.replace(
            make_report(2, config, Verdict.MALFORMED_SUBMISSION), score=None
        ),
        "Learned from test images": like(leaked=True),
        "Networks that could not be measured": make_report(3, config, Verdict.UNVERIFIABLE_MODEL),
        "Preparation of the images not proved": like(preparation_proved_by=""),
        "Near the threshold": like(accuracy=threshold - 0.99 * margin),
        "Odd or very short reflections": msgspec.structs.replace(
            like(), reflections={"reflection_2": answer}
        ),
    }
    ordinary = [like(), like(accuracy=threshold + 1.01 * margin), like(accuracy=0.1)]
    entries = [
        entry(msgspec.structs.replace(report, submission=f"hw_{number}"))
        for number, report in enumerate([*ordinary, *cases.values()])
    ]
    rows = [row_of(each, feedback="") for each in entries]
    alike = [([rows[0], rows[1]], "code, 90 % in common")]
    concerns = concerns_of(entries, rows, alike, config)
    assert list(concerns) == [*cases, "Alike"]
    for title, row_ in zip(cases, rows[len(ordinary) :], strict=True):
        assert [found for found, _ in concerns[title]] == [[row_]], title
    # Two are alike and else ordinary; where nothing was handed in there is nothing to be done.
    assert needing(concerns) == len(cases) - 1 + 2


def test_times_of_cells_add_up(config: Config) -> None:
    lines = [f"cell {number}" for number in range(20)]
    reports = []
    for number in range(5):
        cells = [
            msgspec.structs.replace(FAILED_CELL, first_line=line, seconds=float(place * number))
            for place, line in enumerate(lines)
        ]
        report = make_report(number, config, Verdict.PASSED)
        reports.append(msgspec.structs.replace(report, cells=cells))
    entries = [entry(report) for report in reports]
    rows = [row_of(each, feedback="") for each in entries]
    times = times_of(entries, rows)
    assert [spread.first_line for spread in times.spreads] == lines[:7:-1]
    longest = times.spreads[0]
    assert (longest.seconds, longest.students) == ((0.0, 19.0, 38.0, 57.0, 76.0), 5)
    assert longest.slowest is rows[4]
    assert (times.others, times.other_seconds) == (8, sum(place * 10 for place in range(8)))
    assert (times.place(0), times.place(times.most)) == (0, 100)
    assert times.ticks == [0.1, 1, 10, 100]


def test_a_mark_by_a_person_is_shown_with_its_comment_and_counts(config: Config) -> None:
    report = make_report(5, config, Verdict.FAILED)
    checks = [
        msgspec.structs.replace(
            check, override=Override(points=check.max_points, comment="agreed <by> e-mail")
        )
        for check in report.checks
    ]
    report = msgspec.structs.replace(report, checks=checks, score=100.0)
    wanted = StudentPage(report=msgspec.json.encode(report), executed=None, config=config)
    page = draw_feedback(wanted).decode()
    assert "PASSED" in page and "NOT YET" not in page and "Your next step" not in page
    assert page.count("Comment: agreed &lt;by&gt; e-mail") == len(checks)
    assert f"of {checks[0].max_points:g}</span>" in page
    checks[0] = msgspec.structs.replace(checks[0], override=Override(points=0, comment="no"))
    view_ = feedback_view(msgspec.structs.replace(report, checks=checks), wanted)
    failed = [check for check in checks if check.status is not CheckStatus.PASSED]
    assert view_.next_step == "" and failed, "what a person has marked is decided"
    given = row_of(entry(report), feedback="")
    assert "Marked by a person" in given.notes


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
