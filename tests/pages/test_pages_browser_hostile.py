"""Hostile submissions in a real browser: nothing runs, nothing is asked for, nothing breaks out."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser

from autograder.core.assignment import Lesson
from autograder.core.config import Config
from autograder.reports.pages import FEEDBACK_NAME, executed, write_class_report, write_feedback
from autograder.reports.pages.drawing import StudentPage
from autograder.reports.pages.feedback import draw_feedback
from tests.pages.conftest import OpenPage
from tests.pages.hostile import HOSTILE, hostile_notebook, hostile_report
from tests.pages.sample_reports import make_report
from tests.pages.samples import write_submission


def test_hostile_class_does_nothing(open_page: OpenPage, config: Config, tmp_path: Path) -> None:
    for number in range(3):
        report = hostile_report(number, config)
        folder = write_submission(tmp_path, report, json.dumps(hostile_notebook()))
        write_feedback(report, json.dumps(hostile_notebook()), folder, config, Lesson())
    page = open_page(write_class_report(tmp_path, config, Lesson()).as_uri())
    assert page.evaluate("window.hacked") is None
    assert page.locator("#table tbody tr").count() == 3
    assert HOSTILE[:100] in (page.locator("#table tbody th").first.text_content() or "")
    assert page.locator("img, iframe, object, embed, base").count() == 0
    page.locator("#table tbody a").first.click()
    page.wait_for_url("**/feedback.html")
    notebook = page.locator(".notebook")
    notebook.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.title() == f"{config.assignment.title}: feedback"
    assert notebook.locator("script, svg, iframe, a, form, input, object, style").count() == 0
    assert notebook.locator("xpath=following::*").count() == 0  # nothing has broken out of it


def test_second_lock_holds_what_the_first_would_let_through(
    browser: Browser, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole is cleaned once more, and the page has its policy, without the pieces cleaned."""
    attack = (
        "<script>parent.hacked = 1; top.hacked = 1; alert(1)</script>"
        "<img src=x onerror='top.hacked = 1'><img src='https://tracker.example/a.png'>"
        "<link rel=stylesheet href='https://tracker.example/a.css'>"
        "<style>@import 'https://tracker.example/b.css'; body { position: fixed }</style>"
        "<meta http-equiv=refresh content='0; url=https://tracker.example/'>"
        "<iframe src='https://tracker.example/'></iframe>"
        "<form action='https://tracker.example/'><input autofocus></form>"
    )
    monkeypatch.setattr(executed.NotebookPage, "draw", lambda *_: attack)
    report = make_report(1, config)
    wanted = StudentPage(
        report=msgspec.json.encode(report),
        executed=json.dumps(hostile_notebook()).encode(),
        config=config,
    )
    path = tmp_path / FEEDBACK_NAME
    path.write_bytes(draw_feedback(wanted))
    page = browser.new_page()
    asked: list[str] = []
    answered: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: answered.append(response.url))
    page.on("dialog", lambda dialog: pytest.fail("a dialog"))
    page.goto(path.as_uri())
    page.wait_for_timeout(1000)
    assert page.evaluate("window.hacked") is None
    assert page.url == path.as_uri()
    assert [url for url in answered if "tracker" in url] == []
    page.close()
