"""A class whose pages are built once, and a browser to look at them with."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from autograder.assignment import LESSON_PATH
from autograder.config import Config, load_config
from autograder.pages import FEEDBACK_NAME, rebuild_pages
from autograder.report import Report
from autograder.verdict import Verdict
from tests.pages.samples import write_class
from tests.rules import with_own_rules

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
OpenPage = Callable[..., Page]
SIZE = 60
BROKEN = "m5_0040"
WITH_FEEDBACK = len(Verdict)


@dataclass(frozen=True, kw_only=True)
class BuiltClass:
    """A results folder with its pages; one report in it cannot be read."""

    root: Path
    reports: list[Report]

    @property
    def url(self) -> str:
        """Where staff's page is."""
        return (self.root / "report.html").as_uri()

    def feedback_url(self, number: int) -> str:
        """Where a student's page is; those of the first ten students are real."""
        return (self.root / "submissions" / f"m5_{number:04d}" / FEEDBACK_NAME).as_uri()


@pytest.fixture(scope="session")
def config(root: Path) -> Config:
    """The course's configuration, with the rules for which the cases were made."""
    return with_own_rules(load_config(root / "otter_config.json"))


@pytest.fixture(scope="session")
def built(root: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> BuiltClass:
    """A class of sixty with every verdict in it; most students' pages are stand-ins."""
    folder = tmp_path_factory.mktemp("class é #1")  # a name that addresses have to quote
    reports = write_class(folder, config, SIZE)
    (folder / "submissions" / BROKEN / "report.json").write_text('{"format": 2}')
    (folder / "submissions" / "still_running").mkdir()
    for report in reports[WITH_FEEDBACK:]:
        stand_in = folder / "submissions" / report.submission / FEEDBACK_NAME
        stand_in.write_text("<!doctype html><title>a stand-in</title>")
    rebuilt = rebuild_pages(folder, config, released=root / LESSON_PATH)
    assert rebuilt.feedback == WITH_FEEDBACK
    assert len(rebuilt.problems) == 1
    return BuiltClass(root=folder, reports=reports)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real browser without a window."""
    if CHROMIUM is None:
        pytest.skip("No Chromium here: install the Debian package `chromium` to run these tests.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address; at the end nothing may have gone wrong or been asked of any network."""
    troubles: list[str] = []
    contexts = []

    def open_at(url: str, *, width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (troubles.append("a dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("file:", "data:", "blob:"))
                else troubles.append(f"request: {request.url}")
            ),
        )
        page.goto(url)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert troubles == []
