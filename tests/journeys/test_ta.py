"""A TA grades a class from the command line, and opens the pages that come of it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import Page

from autograder.core.errors import ExitStatus
from tests.browser import OpenPage
from tests.journeys.conftest import BEFORE_CTRL_C, ROOT, GradedClass, m5, words_of
from tests.journeys.people import MODEL_CELL, UNREADABLE, whole_class
from tests.notebooks import read_json

CONFIG = read_json(ROOT / "otter_config.json")
CHECKS = tuple(CONFIG["points"])
FULL = sum(CONFIG["points"].values())


@pytest.mark.parametrize(
    "typed",
    ["student/m5.ipnyb", "{empty}"],
    ids=["a misspelt file", "an empty folder"],
)
def test_a_mistyped_path_is_refused_before_anything_is_written(tmp_path: Path, typed: str) -> None:
    (tmp_path / "empty").mkdir()
    path = typed.format(empty=tmp_path / "empty")
    done = m5("grade", path, "-o", tmp_path / "grades")
    assert done.returncode == ExitStatus.WRONG_USAGE
    assert path in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "grades").exists()


def test_ctrl_c_keeps_what_is_finished(graded_class: GradedClass) -> None:
    stopped, before = graded_class.stopped, graded_class.before
    assert stopped.returncode == ExitStatus.INTERRUPTED, stopped.stderr
    assert BEFORE_CTRL_C <= len(before) < len(whole_class())
    assert "Traceback" not in stopped.stderr


def test_resume_grades_the_others_and_nobody_twice(graded_class: GradedClass) -> None:
    assert graded_class.resumed.returncode == ExitStatus.NOT_ALL_GRADED, graded_class.resumed.stderr
    assert set(graded_class.rows) == set(whole_class())
    for name, row in graded_class.before.items():
        assert graded_class.rows[name] == row
        if row["verdict"] == "MALFORMED_SUBMISSION":
            continue  # read again, which costs nothing: it may have been unreadable for a while
        written = graded_class.file(name, "report.json").stat().st_mtime_ns
        assert written == graded_class.times[name]


def test_a_damaged_file_has_its_row_and_stops_nobody(graded_class: GradedClass) -> None:
    for name, word in UNREADABLE.items():
        assert graded_class.rows[name]["verdict"] == "MALFORMED_SUBMISSION"
        assert word.lower() in graded_class.rows[name]["notes"].lower()
        assert word.lower() in graded_class.file(name, "results.json").read_text("utf-8").lower()
        assert name in graded_class.resumed.stdout
    verdicts = Counter(row["verdict"] for row in graded_class.rows.values())
    assert verdicts["MALFORMED_SUBMISSION"] == len(UNREADABLE) and "GRADER_ERROR" not in verdicts


def test_points_add_up_in_every_file(graded_class: GradedClass) -> None:
    for name, row in graded_class.rows.items():
        results, report = (
            read_json(graded_class.file(name, "results.json")),
            graded_class.report(name),
        )
        points = [graded_class.points(name, check) for check in CHECKS]
        assert sum(points) == float(row["score"]) == results["score"] == report["score"]
        assert float(row["max_score"]) == FULL
        assert graded_class.file(name, "grading.log").exists()
        assert graded_class.file(name, "executed.ipynb").exists() == (name not in UNREADABLE)
        shown = graded_class.feedback(name)
        assert f"{float(row['score']):g} <small>of {FULL} points</small>" in shown
        earned = re.findall(r'<span class="points">([\d.]+) of ([\d.]+)</span>', shown)
        if earned:
            assert [float(some) for some, _ in earned] == points
            assert [float(most) for _, most in earned] == list(CONFIG["points"].values())


def test_every_figure_agrees_with_the_notebook_as_it_ran(graded_class: GradedClass) -> None:
    trained = 0
    for name, row in graded_class.rows.items():
        network = graded_class.report(name)["network"] if row["accuracy"] else None
        if network is None:
            continue
        page = graded_class.feedback(name)
        own = graded_class.printed(name, 'grader.check("budget")')
        assert f"has {int(row['parameters']):,} parameters" in own
        assert f"{int(row['parameters']):,} parameters; the budget is" in page
        (read,) = re.findall(
            r"reads (\d+\.\d\d) %", graded_class.printed(name, 'grader.check("accuracy")')
        )
        # The notebook has the public half of the test images; Keras and NumPy may differ by one.
        assert network["public_accuracy"] == pytest.approx(float(read) / 100, abs=2.1e-4)
        halves = network["public_accuracy"] + network["private_accuracy"]
        assert network["accuracy"] == pytest.approx(halves / 2, abs=1e-9)
        assert float(row["accuracy"]) == network["accuracy"]
        assert f"{float(row['accuracy']) * 100:.2f} % of the test images" in words_of(page)
        told = graded_class.printed(name, MODEL_CELL)
        epochs = re.findall(r"training accuracy (\S+), test accuracy (\S+)", told)
        history = network["history"]
        assert len(epochs) == len(history.get("accuracy", ())), "all epochs, or none"
        for number, (training, test) in enumerate(epochs):
            assert float(training) == pytest.approx(history["accuracy"][number], abs=6e-5)
            assert float(test) == pytest.approx(history["val_accuracy"][number], abs=6e-5)
        trained += bool(epochs)
    assert trained >= 3


@pytest.fixture(scope="module")
def expected(graded_class: GradedClass) -> dict[str, Counter[str]]:
    """What the charts of the class must show, counted in grades.csv."""
    rows = graded_class.rows.values()
    return {
        "verdicts": Counter(row["verdict"] for row in rows),
        "checks": Counter(
            check for row in rows for check in CHECKS if float(row[f"points_{check}"]) > 0
        ),
    }


def bars_of(page: Page, chart: str) -> dict[str, str]:
    """Each bar by its name, as it is told to a screen reader."""
    bars = page.locator(f"#chart-{chart} rect[aria-label]")
    told = bars.evaluate_all("bars => bars.map(bar => bar.getAttribute('aria-label'))")
    return dict(text.split(": ") for text in told)


def test_the_bars_of_every_chart_add_up_to_the_rows(
    graded_class: GradedClass, expected: dict[str, Counter[str]], open_page: OpenPage
) -> None:
    page = open_page((graded_class.folder / "report.html").as_uri())
    verdicts = page.locator("#verdict option").all_text_contents()[1:]
    told = {name: int(count) for name, count in (re.findall(r"\w+", each) for each in verdicts)}
    assert told == expected["verdicts"]
    scores = [float(row["score"]) for row in graded_class.rows.values()]
    bars = bars_of(page, "scores")
    for bar, students in bars.items():
        low, high = map(float, re.findall(r"[\d.]+", bar))
        is_last = "below" not in bar
        inside = [score for score in scores if low <= score < high or (is_last and score == high)]
        assert int(students.split()[0]) == len(inside) > 0, bar
    assert sum(int(students.split()[0]) for students in bars.values()) == len(scores)
    checks = bars_of(page, "checks")
    assert list(checks.values()) == [
        f"{expected['checks'][check]} of {len(scores)}" for check in CHECKS
    ]
    measured = [row for row in graded_class.rows.values() if row["accuracy"]]
    assert page.locator("#chart-networks a").count() == len(measured)
    if unmeasured := len(scores) - len(measured):
        assert f"{unmeasured} submissions without a measured network" in page.inner_text(
            "#chart-networks"
        )


def test_the_table_and_the_tiles_say_what_grades_csv_says(
    graded_class: GradedClass, expected: dict[str, Counter[str]], open_page: OpenPage
) -> None:
    page = open_page((graded_class.folder / "report.html").as_uri())
    scores = [float(row["score"]) for row in graded_class.rows.values()]
    tiles = page.locator(".tiles dd").all_text_contents()
    assert tiles[0] == f"{median(scores):g} of {FULL}"
    assert tiles[1] == f"{sum(scores) / len(scores):.1f} of {FULL}"
    assert tiles[2:] == [f"{expected['verdicts']['PASSED']} of {len(scores)}", "0"]
    lines = page.locator("#table tbody tr").evaluate_all(
        "rows => rows.map(row => Array.from(row.cells).slice(0, 5)"
        ".map(cell => cell.textContent.trim()))"
    )
    assert len(lines) == len(scores)
    for name, verdict, score, accuracy, parameters in lines:
        row = graded_class.rows[name]
        assert (verdict, float(score)) == (row["verdict"], float(row["score"]))
        wanted = f"{float(row['accuracy']) * 100:.2f}\u00a0%" if row["accuracy"] else "–"
        assert accuracy == wanted
        assert parameters == (f"{int(row['parameters']):,}" if row["parameters"] else "–")


def test_the_answers_that_staff_read_are_the_students_own(
    graded_class: GradedClass, open_page: OpenPage
) -> None:
    page = open_page((graded_class.folder / "report.html").as_uri())
    for question in ("reflection_1", "reflection_2", "reflection_3"):
        page.locator(f'input[name="question"][value="{question}"]').check()
        answers = page.locator(f'[data-question="{question}"] .answer')
        accepted = answers.evaluate_all(
            "all => all.filter(one => !one.textContent.includes('✗'))"
            ".map(one => one.dataset.submission)"
        )
        assert set(accepted) == {
            name for name in graded_class.rows if graded_class.points(name, question) > 0
        }
        said = " ".join(answers.locator(".said").all_text_contents())
        assert not re.search(r"QUESTION -->|<!--|m5:reflection|replacing this text", said)


def test_a_student_opens_the_feedback_on_a_phone(
    graded_class: GradedClass, open_page: OpenPage
) -> None:
    uri = graded_class.file("english", "feedback.html").as_uri()
    page = open_page(uri, width=400, scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    texts = page.locator(".curve svg").nth(1).locator("text").all_text_contents()
    assert "guessing" in " ".join(texts) and "0.0" in texts and "1.0" in texts
    notebook = page.locator(".notebook")
    row = graded_class.rows["english"]
    assert notebook.get_by_text(f"has {int(row['parameters']):,} parameters").count() == 1
