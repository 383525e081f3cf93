"""The pages in a real browser: they open, sort, filter, link, and do nothing else."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from autograder.core.assignment import Lesson
from autograder.core.config import Config
from autograder.core.report import CheckStatus, Verdict
from autograder.reports.overrides import OVERRIDES_NAME, read_overrides
from autograder.reports.pages import write_class_report
from tests.pages.conftest import BROKEN, SIZE, BuiltClass, OpenPage
from tests.pages.sample_reports import make_report
from tests.pages.samples import write_submission


def shown_names(page: Page) -> list[str]:
    """The students in the table, from the top."""
    return page.locator("#table tbody tr:not([hidden]) th").evaluate_all(
        "cells => cells.map(cell => cell.dataset.sort)"
    )


def becomes(page: Page, condition: str) -> None:
    """Wait for a condition.

    Asked from outside: `wait_for_function` evaluates text within the page when its first look
    finds the condition false, which the page's policy rightly refuses.
    """
    deadline = time.monotonic() + 120
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)


def lay_out(page: Page) -> None:
    """Let the browser draw two frames: what comes near the window is laid out by then."""
    page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


def sort_values(page: Page, column: int) -> list[str]:
    """What a column is sorted by, from the top."""
    return page.locator(f"#table tbody tr > :nth-child({column})").evaluate_all(
        "cells => cells.map(cell => cell.dataset.sort)"
    )


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (400, "light")])
@pytest.mark.parametrize(
    "number",
    [
        None,  # the class
        2,  # a cell failed: the page has every part
        7,  # there was no notebook
        9,  # the grader failed
    ],
)
def test_page_fits_and_axe_finds_nothing(
    built: BuiltClass, open_page: OpenPage, number: int | None, width: int, scheme: str
) -> None:
    url = built.url if number is None else built.feedback_url(number)
    page = open_page(url, width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 28)"
    )
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_table_sorts_by_number_with_the_unknown_last(
    built: BuiltClass, open_page: OpenPage
) -> None:
    page = open_page(built.url)
    header = page.locator("#table thead th", has_text="Score")
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    known = [float(value) for value in sort_values(page, 3) if value]
    assert known == sorted(known, reverse=True)
    assert sort_values(page, 3)[-1] == ""
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    values = sort_values(page, 3)
    known = [float(value) for value in values if value]
    assert known == sorted(known)
    assert values[: len(known)] == [value for value in values if value]


def test_table_sorts_by_name(built: BuiltClass, open_page: OpenPage) -> None:
    page = open_page(built.url)
    page.locator("#table thead th button", has_text="Student").click()
    names = shown_names(page)
    assert len(names) == SIZE
    assert names.index("Amber Sample 10") < names.index("Amber Sample 20")
    assert names != sorted(names, reverse=True)
    sorted_headers = page.locator('#table thead th:not([aria-sort="none"])[aria-sort]')
    assert sorted_headers.count() == 1


def test_table_filters(built: BuiltClass, open_page: OpenPage) -> None:
    page = open_page(built.url)
    page.fill("#search", "exempel")
    names = shown_names(page)
    assert names
    assert all("Exempel" in name for name in names)
    assert page.inner_text("#shown") == f"{len(names)} shown"
    page.fill("#search", "")
    page.select_option("#verdict", "UNREADABLE")
    assert shown_names(page) == ["m5_0040"]
    page.select_option("#verdict", "PASSED")
    page.fill("#search", "no such student")
    assert shown_names(page) == []
    assert page.inner_text("#shown") == "0 shown"


def test_links_in_the_table_lead_to_pages(built: BuiltClass, open_page: OpenPage) -> None:
    page = open_page(built.url)
    links = page.locator("#table tbody a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) == SIZE
    assert all(Path(unquote(urlsplit(link).path)).is_file() for link in links)
    page.locator("#table tbody a").first.click()
    page.wait_for_url(built.feedback_url(0))
    assert page.locator("h1").inner_text() == "Amber Sample 0"


def test_each_measured_student_is_a_dot_that_links(built: BuiltClass, open_page: OpenPage) -> None:
    page = open_page(built.url)
    measured = [r for r in built.reports if r.network and r.submission != "m5_0040"]
    dots = page.locator("#chart-networks a")
    assert dots.count() == len(measured)
    hrefs = dots.evaluate_all("dots => dots.map(dot => dot.getAttribute('href'))")
    assert set(hrefs) == {f"submissions/{r.submission}/feedback.html" for r in measured}
    labels = page.locator("#chart-networks svg text").all_text_contents()
    assert "threshold: 5 %" in labels
    assert any("budget 110,000" in label for label in labels)
    dots.first.dispatch_event("click")
    page.wait_for_url("**/feedback.html")


def test_where_nothing_was_measured_the_page_says_so_in_a_line(
    config: Config, tmp_path: Path, open_page: OpenPage
) -> None:
    for number in range(2):
        made = make_report(number, config, Verdict.GRADER_ERROR)
        write_submission(tmp_path, msgspec.structs.replace(made, network=None, score=None), None)
    page = open_page(write_class_report(tmp_path, config, Lesson()).as_uri())
    assert page.locator("header p").inner_text().startswith("0 submissions graded, 2 without a")
    assert page.locator("#chart-networks").inner_text().startswith("No network could be measured")
    assert page.locator("#chart-checks").inner_text() == "No submission has a score."
    assert page.locator("#chart-networks").bounding_box()["height"] < 60  # type: ignore[index]
    assert [*told_by(page, "#chart-scores")] == ["without a score: 2 students"]


def told_by(page: Page, chart: str) -> list[str]:
    """What each bar of a chart says to a screen reader."""
    bars = page.locator(f"{chart} svg rect[aria-label], {chart} svg path[aria-label]")
    return bars.evaluate_all("bars => bars.map(bar => bar.getAttribute('aria-label'))")


def test_bars_hold_everyone(built: BuiltClass, open_page: OpenPage) -> None:
    page = open_page(built.url)
    reports = [report for report in built.reports if report.submission != BROKEN]
    known = [report.score for report in reports if report.score is not None]
    bars = told_by(page, "#chart-scores")
    assert sum(int(told.split(": ")[1].split()[0]) for told in bars) == SIZE
    top = sum(score >= 95 for score in known)
    assert top > 0
    assert f"95 to 100 points: {top} students" in bars
    assert bars[-1] == f"without a score: {SIZE - len(known)} students"
    verdicts = page.locator("#verdict option").all_text_contents()[1:]
    assert sum(int(told.split("(")[1].rstrip(")")) for told in verdicts) == SIZE
    checks = dict(told.split(": ") for told in told_by(page, "#chart-checks"))
    passed = sum(
        check.status is CheckStatus.PASSED
        for report in reports
        for check in report.checks
        if check.name == "budget" and report.score is not None
    )
    assert checks["Parameter budget"] == f"{passed} of {len(known)}"


def test_axis_of_errors_goes_up_to_all_and_shows_the_level_of_guessing(
    built: BuiltClass, open_page: OpenPage
) -> None:
    page = open_page(built.url)
    ticks = page.locator("#chart-networks [aria-label='y-axis tick label'] text")
    assert ticks.all_text_contents()[-3:] == ["20 %", "50 %", "100 %"]
    texts = page.locator("#chart-networks svg text").all_text_contents()
    assert "guessing: 90 %" in texts
    unmeasured = sum(not r.network or r.submission == BROKEN for r in built.reports)
    assert f"Not shown: {unmeasured} submissions without" in page.inner_text("#chart-networks")


def test_the_heat_map_holds_every_pair_of_every_network(
    built: BuiltClass, open_page: OpenPage
) -> None:
    page = open_page(built.url)
    networks = [r.network for r in built.reports if r.network and r.submission != BROKEN]
    cells = page.locator(".heat td").all_text_contents()
    assert len(cells) == 100
    assert sum(int(cell) for cell in cells if cell.isdigit()) == sum(
        len(network.confusions) for network in networks
    )


def test_goal_and_marks_agree_with_the_checks(built: BuiltClass, open_page: OpenPage) -> None:
    page = open_page(built.url)
    goal = page.locator("#chart-networks rect[aria-label='the goal']").evaluate(
        "rect => [rect.x, rect.y, rect.width, rect.height].map(side => side.baseVal.value)"
    )
    by_link = {f"submissions/{r.submission}/feedback.html": r for r in built.reports}
    marks = page.locator("#chart-networks a").evaluate_all(
        """marks => marks.map(mark => {
          const { e, f } = mark.firstElementChild.transform.baseVal.consolidate().matrix;
          return [mark.getAttribute("href"), e, f];
        })"""
    )
    inside = 0
    for href, x, y in marks:
        checks = {check.name: check.status is CheckStatus.PASSED for check in by_link[href].checks}
        is_inside = x <= goal[0] + goal[2] and y > goal[1]
        assert is_inside == (checks["accuracy"] and checks["budget"]), href
        inside += is_inside
    assert 0 < inside < len(marks)


def test_charts_follow_the_width(built: BuiltClass, open_page: OpenPage) -> None:
    page = open_page(built.url)
    wide = page.locator("#chart-scores svg").evaluate("svg => svg.clientWidth")
    page.set_viewport_size({"width": 500, "height": 900})
    becomes(
        page,
        f"document.querySelector('#chart-networks svg:last-of-type').clientWidth < {wide} + 200",
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 500


def test_nothing_moves_under_the_mouse(built: BuiltClass, open_page: OpenPage) -> None:
    """What is laid out late takes the height that was kept for it, and links land."""
    page = open_page(built.url)
    where = "document.querySelector('#reflections').getBoundingClientRect().top + scrollY"
    before = page.evaluate(where)
    page.locator("#table").scroll_into_view_if_needed()
    lay_out(page)
    assert page.evaluate(where) == before
    page.locator('nav a[href="#similar"]').click()
    top = "document.querySelector('#similar').getBoundingClientRect().top"
    becomes(page, f"0 <= {top} && {top} < 450")
    lay_out(page)
    assert 0 <= page.evaluate(top) < 450
    page.locator("#submissions").scroll_into_view_if_needed()
    page.fill("#search", "m5_0003")
    becomes(page, "document.querySelector('.long').offsetHeight < 300")


def test_reflections_are_read_question_by_question(built: BuiltClass, open_page: OpenPage) -> None:
    page = open_page(built.url)
    seen = page.locator(".question:not([hidden])")
    assert seen.count() == 1
    assert "Why did the first network" in (seen.locator("h3").text_content() or "")
    page.locator('input[name="question"][value="reflection_3"]').check()
    assert "What else did you learn" in (seen.locator("h3").text_content() or "")
    page.select_option("#answer-shown", "odd")
    refused = seen.locator(".answer:not([hidden])")
    assert refused.count() > 0
    assert refused.count() == seen.locator(".answer[data-odd=yes]").count()
    page.select_option("#answer-shown", "")
    page.select_option("#answer-order", "long")
    lengths = [int(n) for n in seen.locator(".answer").evaluate_all(
        "answers => answers.map(answer => answer.dataset.length)")]  # fmt: skip
    assert lengths == sorted(lengths, reverse=True)
    page.fill("#answer-search", "dropout")
    texts = seen.locator(".answer:not([hidden])").all_text_contents()
    assert texts
    assert all("dropout" in text.lower() for text in texts)


def test_marks_go_from_the_page_into_the_grades(
    built: BuiltClass, config: Config, open_page: OpenPage, tmp_path: Path
) -> None:
    """By keyboard alone; and what the grader reads is what was typed, to the letter."""
    page = open_page(built.url)
    fields = page.locator(".question:not([hidden]) .answer:not([hidden]) .mark")
    names = page.locator(".question:not([hidden]) .answer:not([hidden])").evaluate_all(
        "answers => answers.filter(each => each.querySelector('.mark'))"
        ".map(each => each.dataset.submission)"
    )
    typed = [("7,5", '=good, "but" vague'), ("0", ""), ("10", "+1 für Ümlaute; 'so'")]
    fields.first.locator("input").first.focus()
    for points, comment in typed:
        page.keyboard.type(points)
        page.keyboard.press("Enter")
        page.keyboard.type(comment)
        page.keyboard.press("Enter")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("1")  # the second student's points, which were selected
    typed[1] = (page.input_value("*:focus"), "")
    page.reload()
    assert page.locator("#kept").is_visible() and not page.locator("#not-kept").is_visible()
    assert "3 of " in page.inner_text("#answers-shown")
    with page.expect_download() as download:
        page.click("#save-marks")
    assert download.value.suggested_filename == OVERRIDES_NAME
    download.value.save_as(tmp_path / OVERRIDES_NAME)
    reports = [report for report in built.reports if report.submission != BROKEN]
    read = read_overrides([tmp_path / OVERRIDES_NAME], gradable=reports, points=config.points)
    assert {
        key: (mark.override.points, mark.override.comment) for key, mark in read.marks.items()
    } == {
        (name, "reflection_1"): (float(points.replace(",", ".")), comment)
        for name, (points, comment) in zip(names, typed, strict=False)
    }


@pytest.mark.parametrize(
    ("points", "comment", "told"),
    [
        ("11", "", "from 0 to 10"),
        ("ten", "", "from 0 to 10"),
        ("7.125", "", "two decimals"),
        ("", "why", "has no points"),
    ],
)
def test_a_mark_that_would_be_refused_is_not_saved(
    built: BuiltClass, open_page: OpenPage, points: str, comment: str, told: str
) -> None:
    page = open_page(built.url)
    mark = page.locator(".question:not([hidden]) .mark").nth(3)
    mark.locator("input").first.fill(points)
    mark.locator("input").last.fill(comment)
    page.locator('input[name="question"][value="reflection_3"]').check()
    page.click("#save-marks")
    assert told in page.inner_text("#marks-problem")
    assert mark.locator("input").first.evaluate("field => field === document.activeElement")


def test_a_browser_that_keeps_nothing_is_told(built: BuiltClass, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw 1; }})")
    page.goto(built.url)
    assert page.locator("#not-kept").is_visible() and not page.locator("#kept").is_visible()
