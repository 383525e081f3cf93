"""report.html: self-contained, complete, and safe against what students write."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.core.assignment import Lesson
from autograder.core.config import Config
from autograder.core.errors import DataError
from autograder.core.report import Verdict
from autograder.reports.files import read_results
from autograder.reports.pages import rebuild_pages, write_class_report
from autograder.reports.pages.class_report import page_of, work_of
from autograder.reports.pages.environment import (
    link_to,
    percent,
    script_data,
    script_hash,
    seconds,
    whole_percent,
)
from tests.pages.conftest import BROKEN, SIZE, BuiltClass, OpenPage
from tests.pages.hostile import HOSTILE, hostile_report
from tests.pages.sample_reports import make_report
from tests.pages.samples import write_submission


@pytest.fixture(scope="module")
def page(built: BuiltClass) -> str:
    """The page of the class of sixty."""
    return (built.root / "report.html").read_text(encoding="utf-8")


def without_scripts(page: str) -> str:
    """The page's own HTML."""
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_page_loads_nothing(page: str) -> None:
    html = without_scripts(page)
    sources = re.findall(r"(?:src|href|srcset|action|poster)=\"([^\"]*)\"", html)
    assert {source.split("/")[0] for source in sources if not source.startswith("#")} == {
        "submissions", "data:,", "data:image",
    }  # fmt: skip
    styles = re.findall(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    assert not re.search(r"url\(|@import", "".join(styles))


def test_policy_lets_only_our_scripts_run(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    allowed = policy[1].replace("&#39;", "'")
    assert len(scripts) == 4
    assert allowed.startswith("default-src 'none'; script-src ")
    assert all(script_hash(script) in allowed for script in scripts)
    assert "unsafe-inline" not in allowed.split("script-src")[1].split(";")[0]


def test_every_submission_is_a_row(built: BuiltClass, page: str) -> None:
    assert page.count("<tr data-words=") == SIZE
    assert page.count("GRADER_ERROR") >= 2
    assert "1 not finished yet" in page
    assert "is not what the grader writes" in page
    for verdict in Verdict:
        assert f'data-verdict="{verdict.value}"' in page


def test_page_says_that_likeness_is_a_hint(page: str) -> None:
    assert "This is a hint for staff and never a penalty" in page


def test_hostile_texts_are_texts(config: Config, tmp_path: Path) -> None:
    write_submission(tmp_path, hostile_report(0, config), None)
    (tmp_path / "submissions/m5_0000/feedback.html").touch()
    page = write_class_report(tmp_path, config, Lesson()).read_text(encoding="utf-8")
    data = page.split('<script type="application/json" id="data">')[1]
    assert json.loads(data.split("</script>")[0])["students"][0]["name"].startswith(HOSTILE[:90])
    html = without_scripts(page)
    assert "window.hacked" in html
    assert not re.search(r"<(?:img|svg|iframe|object)", html)
    assert page.count("<script") == 5


def test_json_cannot_end_its_element() -> None:
    text = script_data({HOSTILE: [HOSTILE, "<!--<script>", "\u2028\u2029&amp;"]})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {HOSTILE: [HOSTILE, "<!--<script>", "\u2028\u2029&amp;"]}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"format": 1}', b"null", b"[" * 100_000, b'{"score": NaN}'],
)
def test_one_bad_file_is_a_row(content: bytes, config: Config, tmp_path: Path) -> None:
    write_submission(tmp_path, make_report(1, config), None)
    bad = tmp_path / "submissions" / "bad"
    bad.mkdir()
    (bad / "report.json").write_bytes(content)
    page = write_class_report(tmp_path, config, Lesson()).read_text(encoding="utf-8")
    assert page.count("<tr data-words=") == 2
    assert "UNREADABLE" in page


def test_report_that_is_a_folder_is_a_row(config: Config, tmp_path: Path) -> None:
    (tmp_path / "submissions/bad/report.json").mkdir(parents=True)
    assert "UNREADABLE" in write_class_report(tmp_path, config, Lesson()).read_text(
        encoding="utf-8"
    )


def test_class_of_none_has_a_page(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here/submissions").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    page = write_class_report(Path("here"), config, Lesson()).read_text(encoding="utf-8")
    assert "0 submissions graded" in page


def test_folder_without_grades_is_named(config: Config, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no grades there"):
        write_class_report(tmp_path / "nowhere", config, Lesson())


def test_pages_are_built_where_they_are_missing_or_old(config: Config, tmp_path: Path) -> None:
    for number in range(2):
        write_submission(tmp_path, make_report(number, config, Verdict.GRADER_ERROR), None)
    assert rebuild_pages(tmp_path, config, Lesson()).feedback == 2
    assert rebuild_pages(tmp_path, config, Lesson()).feedback == 0
    write_submission(tmp_path, make_report(1, config, Verdict.MALFORMED_SUBMISSION), None)
    assert rebuild_pages(tmp_path, config, Lesson()).feedback == 1
    assert not list(tmp_path.rglob("*.part"))


def test_command_builds_pages(built: BuiltClass, root: Path) -> None:
    result = CliRunner().invoke(main, ["report", str(built.root), "--root", str(root)])
    assert result.exit_code == 1, result.output
    assert f"{BROKEN}: report.json is not what the grader writes" in result.output
    assert f"({SIZE} submissions, 1 not finished yet)" in result.output


def test_command_names_a_folder_without_grades(tmp_path: Path, root: Path) -> None:
    result = CliRunner().invoke(main, ["report", str(tmp_path), "--root", str(root)])
    assert result.exit_code == 2
    assert "no grades there" in result.output


def test_numbers_are_shown_as_people_write_them() -> None:
    assert percent(0.9731) == "97.31\u00a0%"
    assert percent(0.949999) == "94.99\u00a0%"
    assert percent(1.0) == "100.00\u00a0%"
    assert percent(None) == "–"
    assert [seconds(value) for value in (0.04, 9.96, 59.6, 185)] == [
        "0.0\u00a0s", "10.0\u00a0s", "1\u00a0min\u00a000\u00a0s", "3\u00a0min\u00a005\u00a0s",
    ]  # fmt: skip
    assert [whole_percent(value) for value in (0.0, 0.001, 0.5, 1.2)] == [
        "0\u00a0%", "<1\u00a0%", "50\u00a0%", "120\u00a0%",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("a b", "a%20b"),
        ("50%#?", "50%25%23%3F"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("학생", "%ED%95%99%EC%83%9D"),
        ("\udcff", "%FF"),
    ],
)
def test_links_are_quoted(name: str, link: str) -> None:
    assert link_to("submissions", name) == f"submissions/{link}"


def test_vendored_libraries_are_those_that_are_named(root: Path) -> None:
    from hashlib import sha256

    folder = root / "autograder/reports/pages/vendor"
    named = (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.glob("*.js"):
        assert sha256(path.read_bytes()).hexdigest() in named


def test_page_grows_no_faster_than_the_class(
    built: BuiltClass, config: Config, open_page: OpenPage, tmp_path: Path
) -> None:
    """Building it and opening it, in processor time: sixteen times as many students."""
    few = read_results(built.root)
    many = replace(few, entries=few.entries * 16)
    built_in, opened_in = [], []
    for name, results in (("few", few), ("many", many)):
        started = time.process_time()
        text, _ = page_of(results, config, work_of(Lesson()), why_not_compared="not here")
        built_in.append(time.process_time() - started)
        (tmp_path / name).with_suffix(".html").write_text(text, encoding="utf-8")
        opened_in.append(min(_busy(open_page, tmp_path / f"{name}.html") for _ in range(2)))
    assert built_in[1] < 0.5 + 2 * 16 * built_in[0]
    assert opened_in[1] < 0.5 + 2 * 16 * opened_in[0]


def _busy(open_page: OpenPage, path: Path) -> float:
    """Seconds of processor time that a page takes until it is there."""
    page = open_page("about:blank")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(path.as_uri(), wait_until="load")
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))
