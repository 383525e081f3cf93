"""Students hand in what they were given, with their answers in it, and read their feedback."""

from __future__ import annotations

import re

import pytest

from tests.journeys.conftest import ROOT, Graded, m5, read_rows, words_of
from tests.journeys.people import ANSWERED, MODEL_CELL, NOT_ANSWERED, THRICE_THE_SAME
from tests.notebooks import STUDENT_NOTEBOOK, cell_of, read_json, released

CONFIG = read_json(ROOT / "otter_config.json")
REFLECTIONS = ("reflection_1", "reflection_2", "reflection_3")
OF_THE_NOTEBOOK = re.compile(r"BEGIN QUESTION|END QUESTION|m5:reflection|<!--|Type your answer")


@pytest.mark.parametrize("name", sorted(ANSWERED))
def test_a_true_answer_earns_its_points_in_any_language(graded_class: Graded, name: str) -> None:
    for question, text in zip(REFLECTIONS, ANSWERED[name], strict=True):
        found = graded_class.report(name)["reflections"][question]
        assert graded_class.points(name, question) == CONFIG["points"][question], found
        assert found["text"].strip() == text  # neither more nor less is what TAs read


@pytest.mark.parametrize("name", sorted(NOT_ANSWERED))
def test_what_is_not_an_answer_earns_nothing(graded_class: Graded, name: str) -> None:
    """The same answer thrice answers one question."""
    for question in REFLECTIONS:
        found = graded_class.report(name)["reflections"][question]
        if name in THRICE_THE_SAME and question == "reflection_1":
            continue
        assert graded_class.points(name, question) == 0, found
        assert found["reason"] in words_of(graded_class.feedback(name))
        assert not OF_THE_NOTEBOOK.search(found["text"]), found


def test_an_untouched_reflection_is_told_so(graded_class: Graded) -> None:
    for question in REFLECTIONS:
        found = graded_class.report("untouched")["reflections"][question]
        assert found["text"] == ""
        assert "letters" not in found["reason"]  # none were written, so none are counted
    placeholder = cell_of(released(), "reflection-1")["source"]
    assert placeholder.strip("_") not in words_of(
        graded_class.feedback("untouched").split('id="notebook-title"')[0]
    )


def test_the_network_that_was_fixed_is_told_that_it_learned(graded_class: Graded) -> None:
    assert graded_class.rows["english"]["verdict"] == "PASSED"
    page = graded_class.feedback("english").split('id="notebook-title"')[0]
    assert "guesses" not in words_of(page)


def test_credit_is_given_for_exactly_what_was_measured(graded_class: Graded) -> None:
    seen = set()
    for name, row in graded_class.rows.items():
        accurate = row["accuracy"] and float(row["accuracy"]) > CONFIG["accuracy"]["threshold"]
        small = row["parameters"] and int(row["parameters"]) <= CONFIG["budget"]["max_parameters"]
        for check, earned in (("accuracy", accurate), ("budget", small)):
            assert graded_class.points(name, check) == bool(earned) * CONFIG["points"][check], name
            seen.add((check, bool(earned)))
        assert (row["verdict"] == "PASSED") == (row["score"] == row["max_score"])
    assert {("accuracy", False), ("budget", True), ("budget", False)} <= seen


def test_a_copy_from_colab_is_graded_like_the_original(graded_class: Graded) -> None:
    original, copy = (graded_class.report(name) for name in ("no_network", "colab_no_network"))
    for what in ("verdict", "checks", "notes", "reflections"):
        assert original[what] == copy[what]
    assert graded_class.report("colab_chinese")["network"]["history"]["accuracy"]


def test_the_first_result_agrees_with_the_notebook(graded_class: Graded) -> None:
    check_first_result(graded_class, "untouched")


@pytest.mark.long
def test_the_first_result_in_full(tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("first") / "grades"
    assert m5("grade", STUDENT_NOTEBOOK, "-o", out).returncode == 0
    check_first_result(Graded(out, read_rows(out)), STUDENT_NOTEBOOK.stem)


def check_first_result(graded: Graded, name: str) -> None:
    """A dead network is told to be what the notebook itself says that it is."""
    own = graded.printed(name, 'grader.check("accuracy")')
    assert "calls every single image a" in own, "its units did not die"
    (percent,) = re.findall(r"reads (\d+\.\d\d) %", own)
    report, page = (
        graded.report(name),
        words_of(graded.feedback(name).split('id="notebook-title"')[0]),
    )
    network = report["network"]
    assert network["public_accuracy"] == pytest.approx(float(percent) / 100, abs=5e-5)
    assert f"{percent} %" in page  # though another number counts: that of all images
    bottleneck = CONFIG["starter"]["hidden_units"][-1]
    assert f"{bottleneck} of {bottleneck}" in page or f"All {bottleneck} units" in page
    assert "x / 255 - 0.5" not in page
    assert graded.points(name, "accuracy") == graded.points(name, "budget") == 0
    assert float(graded.rows[name]["score"]) == CONFIG["points"]["runs"]
    starter = read_json(ROOT / "solutions/starter.expect.json")
    assert int(graded.rows[name]["parameters"]) == starter["parameters"]


def test_a_typing_error_is_told_with_the_cell_and_the_name(graded_class: Graded) -> None:
    row, page = graded_class.rows["typo"], words_of(graded_class.feedback("typo"))
    assert row["verdict"] == "CELL_ERROR" and float(row["points_runs"]) == 0
    assert "x_trian" in page and MODEL_CELL in page
