"""feedback.html holds what its student may know, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from autograder.core.assignment import Lesson, read_lesson
from autograder.core.config import Config
from autograder.core.report import IsolationReport, Override, Report, Verdict
from autograder.reports.pages import feedback, write_feedback
from autograder.reports.pages.drawing import StudentPage
from autograder.reports.pages.executed import render_executed
from autograder.reports.pages.feedback import FeedbackView, NetworkView
from autograder.reports.pages.markup import TAGS
from autograder.reports.pages.pictures import Series, draw_curves
from autograder.reports.results_json import BY_HAND, gradescope_results
from tests.pages.hostile import hostile_notebook, hostile_report
from tests.pages.sample_reports import make_report
from tests.pages.samples import make_notebook, png

ATTRIBUTES = "class|id|tabindex|title|colspan|rowspan"
HIDDEN = (
    "12.34", "0.1234", "65.43", "0.6543", "7.6543", "77.77", "0.7777", "staff only", "gvisor-like",
    "secret-layer", "landlock-missing", "c0ffee", "hidden@school.example", "/tmp/box-77",
    "/autograder/source", "123456789", "987654321", "recovered-how", "found-how",
)  # fmt: skip
"""Traces of every field that students may not see, planted by `with_secrets`."""


def with_secrets(report: Report) -> Report:
    """The report with a trace in each hidden field."""
    network = report.network
    if network is not None:
        network = msgspec.structs.replace(
            network,
            private_accuracy=0.12345,
            public_accuracy=0.65432,
            training_accuracy=0.77777,
            leak_z=7.65432,
            preparation="recovered-how",
            chosen_by="found-how",
        )
    cells = [
        msgspec.structs.replace(cell, traceback=["File /tmp/box-77/work/secret.py, line 1"])
        for cell in report.cells
    ]
    return msgspec.structs.replace(
        report,
        network=network,
        cells=cells,
        email="hidden@school.example",
        staff_notes=["staff only: see /autograder/source/x.py"],
        isolation=IsolationReport(
            kind="gvisor-like", layers=["secret-layer"], missing=["landlock-missing"]
        ),
        content_hash="c0ffee" * 10,
        peak_bytes=123456789,
        output_bytes=987654321,
    )


@pytest.mark.parametrize("verdict", list(Verdict))
def test_page_of_each_verdict_gives_nothing_away(
    verdict: Verdict, config: Config, tmp_path: Path
) -> None:
    report = with_secrets(make_report(3, config, verdict))
    executed = None if report.isolation is None else json.dumps(make_notebook(3, pictures=0))
    page = write_feedback(report, executed, tmp_path, config, Lesson()).read_text(encoding="utf-8")
    assert [trace for trace in HIDDEN if trace in page] == []
    assert report.headline in page.replace("&#39;", "'")
    assert ("NO GRADE" if report.score is None else "NOT YET" if verdict is not Verdict.PASSED
            else "PASSED") in page  # fmt: skip
    assert verdict is Verdict.PASSED or verdict.value not in page
    for reflection in report.reflections.values():
        assert reflection.text not in page or reflection.text in (executed or "")


def test_where_the_grader_failed_there_is_no_part_of_a_grade(
    config: Config, tmp_path: Path
) -> None:
    graded = make_report(4, config, Verdict.PASSED)
    report = msgspec.structs.replace(graded, verdict=Verdict.GRADER_ERROR)
    page = write_feedback(report, "{}", tmp_path, config, Lesson()).read_text(encoding="utf-8")
    assert "NO GRADE" in page
    assert "of 100" not in page
    assert "Checks" not in page
    assert "Your network" not in page


def test_page_of_a_passing_student_says_it_all(config: Config, tmp_path: Path) -> None:
    report = make_report(5, config, Verdict.PASSED)
    assert report.network is not None
    notebook = json.dumps(make_notebook(5))
    page = write_feedback(report, notebook, tmp_path, config, Lesson()).read_text(encoding="utf-8")
    assert "100 <small>of 100 points" in page
    assert f"{report.network.parameters:,} parameters; the budget is 110,000." in page
    assert report.network.hints[0].text in page
    assert "4 taken for 9: 23 times" in page
    assert "7 taken for 2: 1 time<" in page
    assert page.count("<svg role") == 2
    assert "val_accuracy" in page
    assert "3 of " in page


def test_a_dead_network_does_not_look_as_if_it_learned() -> None:
    history = [
        Series(name="loss", values=[2.3163, 2.3053]),
        Series(name="accuracy", values=[0.1045, 0.1052]),
        Series(name="learning_rate", values=[0.03, 0.03]),
    ]
    loss, accuracy, other = draw_curves(history)
    assert re.findall(r">(\d\.\d+)</text>", loss)[:2] == ["0.0", "0.5"]
    assert re.findall(r">(\d\.\d+)</text>", accuracy) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert ">guessing</text>" in accuracy
    assert "> learning_rate</text>" in other and "guessing" not in loss + other


def test_allow_list_is_what_it_was() -> None:
    """A new field on the page is a decision: whoever makes it changes this test as well."""
    assert {field.name for field in dataclasses.fields(FeedbackView)} == {
        "name", "state", "headline", "next_step", "next_place", "score", "max_score", "notes",
        "checks", "failed_cells", "more_failed_cells", "network", "is_full", "seconds", "budget",
        "assignment", "executed",
    }  # fmt: skip
    assert {field.name for field in dataclasses.fields(NetworkView)} == {
        "parameters", "layers", "more_layers", "hints", "confusions", "curves", "history", "epochs",
    }  # fmt: skip


def test_page_may_run_and_load_nothing(config: Config, tmp_path: Path) -> None:
    report = make_report(6, config, Verdict.PASSED)
    page = write_feedback(report, json.dumps(make_notebook(6)), tmp_path, config, Lesson())
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'; script-src 'none'" in text
    assert "<script" not in text
    assert not re.search(r"(?:src|href|action)=\"?(?:https?:|//)", text)


def test_hostile_texts_are_texts(config: Config, tmp_path: Path) -> None:
    report = hostile_report(1, config)
    page = write_feedback(report, json.dumps(hostile_notebook()), tmp_path, config, Lesson())
    text = page.read_text(encoding="utf-8")
    assert text.count("<script") == 0
    assert "{{7*7}}" in text
    assert "49" not in re.sub(r"[\d.]{3,}", "", text)
    assert not re.search(r"<(?:img|iframe|object|form|base|meta http-equiv=.refresh)", text)


def test_hostile_notebook_is_left_with_harmless_tags() -> None:
    body = render_executed(hostile_notebook(), Lesson())
    tags = {tag.lower() for tag in re.findall(r"<\s*/?\s*([a-zA-Z!?][^\s>/]*)", body)}
    assert tags <= TAGS
    for tag in re.findall(r"<[a-zA-Z][^>]*>", body):
        assert re.fullmatch(rf'<\w+(?: (?:{ATTRIBUTES})="[^"]*")*/?>', tag), tag
    assert "\x1b" not in body
    assert "\x00" not in body


def test_page_of_the_notebook_has_no_address_and_formulas_as_written() -> None:
    notebook = make_notebook(7)
    notebook["cells"] += [
        {"cell_type": "markdown", "source": "$$\n\\frac{a}{b} < c\n$$\n\nand $a < b$, *so*"},
        {"cell_type": "markdown", "source": "## A heading"},
    ]
    page = render_executed(notebook, Lesson())
    assert "://" not in page and "src=" in page
    for text in ("$x_i$", "\\frac{a}{b} &lt; c", "$a &lt; b$", "<em>so</em>", "<h4>A heading</h4>"):
        assert text in page


def test_a_picture_that_a_browser_would_unpack_for_gigabytes_is_not_shown() -> None:
    for side, shown in ((60_000, False), (3_000, True)):
        cell: dict[str, Any] = {"cell_type": "code", "source": "show()"}
        data = {"image/png": png(side, side, rows=1)}
        cell["outputs"] = [{"output_type": "display_data", "data": data}]
        assert ("data:image/png" in render_executed({"cells": [cell]}, Lesson())) == shown


def test_pictures_and_tables_are_shown() -> None:
    notebook = make_notebook(7, pictures=1)
    table = (
        "<div><style scoped>.dataframe { color: red }</style><table border='1' class='dataframe'>"
        "<tr><th colspan='2' style='color:red'>a</th></tr><tr><td>1</td></tr></table></div>"
    )
    notebook["cells"].append(
        {"cell_type": "code", "source": "frame", "outputs": [
            {"output_type": "execute_result", "data": {"text/html": [table], "text/plain": "1"}}]}
    )  # fmt: skip
    page = render_executed(notebook, Lesson())
    assert '<img src="data:image/png;base64,' in page
    assert '<th colspan="2">a</th>' in page
    assert "dataframe" not in page


def test_page_of_a_huge_notebook_is_bounded() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "x" * 1_000_000}
    cell = {"cell_type": "code", "source": "print()\n" * 100_000, "outputs": [output] * 50}
    page = render_executed({"cells": [cell] * 600}, Lesson())
    assert len(page) < 12_000_000
    assert "The rest is too long to show" in page


@pytest.mark.parametrize("executed", [None, "", "{", "[]", '"x"', "{}", '{"cells": 7}', b"\xff"])
def test_notebook_that_is_none_costs_no_page(
    executed: str | bytes | None, config: Config, tmp_path: Path
) -> None:
    report = make_report(8, config, Verdict.PASSED)
    page = write_feedback(report, executed, tmp_path, config, Lesson()).read_text(encoding="utf-8")
    assert "100 <small>of 100 points" in page


def test_half_characters_and_folders_are_taken_out(config: Config, tmp_path: Path) -> None:
    report = msgspec.structs.replace(
        make_report(9, config, Verdict.FAILED), notes=["half \ud800 of /tmp/box-9/work/mine.txt"]
    )
    page = write_feedback(report, None, tmp_path, config, Lesson()).read_text(encoding="utf-8")
    assert "half ? of …/mine.txt" in page


def ran(root: Path, changes: dict[str, str], failed: str = "") -> dict[str, Any]:
    """The released notebook as it might have run; sources by the id of their cell."""
    notebook: dict[str, Any] = json.loads((root / "student/m5.ipynb").read_bytes())
    for cell in notebook["cells"]:
        cell["source"] = changes.get(cell["id"], cell["source"])
        if cell["id"] == failed:
            cell["outputs"] = [{"output_type": "error", "traceback": ["NameError"]}]
    return notebook


def outside(page: str) -> str:
    """What is seen while all is folded."""
    return re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)


def test_the_lessons_formulas_are_drawn_and_a_students_own_stay_as_written(root: Path) -> None:
    lesson = read_lesson(root)
    own = "Mine: $x_i^2$ and `$w_i$`; <math><mi>forged</mi></math>; yours: $w_i$"
    page = render_executed(ran(root, {"reflection-1": own}), lesson)
    assert page.count("<math") == page.count("</math>") > len(lesson.formulas)
    assert [formula for formula, made in lesson.formulas.items() if made not in page] == []
    assert "Mine: $x_i^2$ and <code>$w_i$</code>;" in page and "forged" not in page
    assert f"yours: {lesson.formulas['$w_i$']}" in page
    assert page.count("$w_i$") == 1


def test_the_lesson_is_folded_and_the_students_own_is_not(root: Path) -> None:
    lesson = read_lesson(root)
    changes = {"model": "model = my_own", "reflection-2": "Because *I* say so."}
    page = render_executed(ran(root, changes, failed="dead-units"), lesson)
    seen = outside(page)
    assert "my_own" in page[page.index('id="your-network"') :][:2_000]
    assert "because" in page[page.index('id="your-reflections"') :][:6_000].lower()
    assert "my_own" in seen and "<em>I</em>" in seen
    assert "pictures</span><span" in seen and "NameError" in seen  # the tool that failed
    assert "Yann LeCun" not in seen and "Yann LeCun" in page
    assert "Reflection 1: Why did the first network" in seen  # the question
    numbers = [int(number) for number in re.findall(r'id="cell-(\d+)"', page)]
    assert numbers == sorted(set(numbers))


def test_other_numbers_in_the_lesson_make_no_cell_a_students_own(
    config: Config, root: Path, tmp_path: Path
) -> None:
    """As after a regrade by another threshold and budget; but a number in code may be their own."""
    report, lesson = make_report(5, config, Verdict.PASSED), read_lesson(root)

    def opened(*changed: str) -> int:
        notebook = ran(root, {})
        for cell in notebook["cells"]:
            if cell["id"] in changed or cell["cell_type"] in changed:
                cell["source"] = re.sub(r"\d[\d,.]*\d|\d", "7", "".join(cell["source"]))
        folder = tmp_path / changed[-1]
        folder.mkdir()
        page = write_feedback(report, json.dumps(notebook).encode(), folder, config, lesson)
        return outside(page.read_text("utf-8")).count('<div class="cell')

    as_released = opened("none")
    assert opened("markdown", "local-checks") == as_released
    assert opened("two-by-two") == as_released + 1


def test_what_took_long_is_drawn_once(
    config: Config, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the lesson has changed since, as it does with every number in it."""
    report, lesson = make_report(5, config, Verdict.PASSED), read_lesson(root)
    forged = '</div></details><details><summary>a</summary>\n<div class="cell" id="cell-1">mine'
    wanted = StudentPage(
        report=msgspec.json.encode(report),
        executed=json.dumps(ran(root, {"model": "mine = 1", "reflection-1": forged})).encode(),
        config=config,
        lesson=lesson,
    )
    page = feedback.draw_feedback(wanted)
    failed = msgspec.structs.replace(report, score=1.0, headline="Judged anew.")
    first, *others = lesson.cells
    changed_lesson = msgspec.structs.replace(
        lesson, cells=[msgspec.structs.replace(first, source="# Other words"), *others]
    )
    again = msgspec.structs.replace(
        wanted, report=msgspec.json.encode(failed), lesson=changed_lesson
    )
    afresh = feedback.draw_feedback(again)
    other = wanted.executed.replace(b"mine = 1", b"mine = 2") if wanted.executed else b""
    for name in ("draw_cells", "draw_curves"):
        monkeypatch.setattr(feedback, name, lambda *_: b"drawn again")
    assert feedback.draw_feedback(msgspec.structs.replace(again, earlier=page)) == afresh != page
    open_cells = [outside(each.decode()).count('<div class="cell') for each in (page, afresh)]
    assert open_cells[1] == open_cells[0] + 1
    changed = msgspec.structs.replace(again, earlier=page, executed=other)
    assert b"drawn again" in feedback.draw_feedback(changed)


def test_points_by_hand_leave_nothing_to_do(config: Config, tmp_path: Path) -> None:
    report = make_report(5, config, Verdict.FAILED)
    given = [
        msgspec.structs.replace(check, override=Override(points=check.max_points, comment="Agreed"))
        for check in report.checks
    ]
    report = msgspec.structs.replace(report, checks=given, score=report.max_score)
    page = write_feedback(report, None, tmp_path, config, Lesson()).read_text(encoding="utf-8")
    assert ">PASSED<" in page
    results = gradescope_results(report)
    said = results["output"] + "".join(test["output"] for test in results["tests"])
    for text in (page.partition("Your network")[0], said):
        assert BY_HAND in text
        for untrue in ("How small could it be", "not yet", "pass yet", "ext step"):
            assert untrue not in text
