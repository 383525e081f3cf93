"""A class whose pages are built once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.core.assignment import read_lesson
from autograder.core.config import Config, load_config
from autograder.core.report import Report, Verdict
from autograder.reports.pages import FEEDBACK_NAME, rebuild_pages
from tests.browser import OpenPage
from tests.pages.samples import write_class
from tests.rules import with_own_rules

__all__ = ["BuiltClass", "OpenPage", "built", "config"]

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
    rebuilt = rebuild_pages(folder, config, read_lesson(root))
    assert rebuilt.feedback == WITH_FEEDBACK
    assert len(rebuilt.problems) == 1
    return BuiltClass(root=folder, reports=reports)
