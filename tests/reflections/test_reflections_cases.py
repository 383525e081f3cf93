"""Hundreds of answers and non-answers in the released notebook: is each told for what it is?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.grading.reflections import Fault
from tests.notebooks import colab, released
from tests.reflections.released_answers import (
    ASSIGNMENT,
    NAMES,
    ONE,
    PROMPTS,
    SETTINGS,
    THREE,
    TWO,
    fault_of,
    judge,
    judge_all,
    judged,
)

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text(encoding="utf-8"))
NON_ANSWERS = json.loads((HERE / "non_answers.json").read_text(encoding="utf-8"))
LESSON = [
    text
    for text in ASSIGNMENT.lesson.text.split("\n\n")
    if len(text) > 200 and not text.startswith("### Reflection")  # a question, which is told so
]


@pytest.mark.parametrize("group", ANSWERS)
def test_true_answers_count_and_are_kept_as_they_were_written(group: str) -> None:
    for text, judgement in judge_all(ANSWERS[group]):
        assert judgement.present, judgement
        own = text.removeprefix(f"> {PROMPTS[NAMES[0]]}").strip()
        assert judgement.text == own


def test_true_answers_are_seldom_called_odd() -> None:
    remarks = [j.remark for texts in ANSWERS.values() for _, j in judge_all(texts)]
    assert sum(map(bool, remarks)) <= 0.02 * len(remarks), remarks


@pytest.mark.parametrize("group", NON_ANSWERS)
def test_non_answers_are_refused_with_their_reason(group: str) -> None:
    texts = NON_ANSWERS[group]
    # A question below another one would be taken for a label.
    one_by_one = ((text, judge(text)) for text in texts)
    for text, judgement in one_by_one if group == "prompt" else judge_all(texts):
        assert fault_of(judgement) is Fault(group), (text, judgement)


@pytest.mark.parametrize("made", [released(), colab(released())], ids=["released", "Colab"])
def test_an_untouched_notebook_is_told_so(made: object) -> None:
    for judgement in judged(made):
        assert fault_of(judgement) is Fault.UNTOUCHED
        assert "you have not written anything here yet" in judgement.reason
        assert judgement.text == ""


def test_the_minimum_is_exact() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz" * SETTINGS.min_characters
    enough = letters[: SETTINGS.min_characters]
    assert judge(f"{enough[:7]} {enough[7:]} 123!").present
    assert "very short" in judge(enough).remark
    assert fault_of(judge(f"{enough[1:8]} {enough[8:]} 123!")) is Fault.SHORT


def test_what_the_lesson_says_is_nobodys_answer() -> None:
    assert len(LESSON) > 20
    for text, judgement in judge_all(LESSON):
        assert fault_of(judgement) is Fault.LESSON, (text, judgement)
    words = max((text for text in LESSON if "assert" not in text), key=len).split()
    words[12::13] = ["thing"] * len(words[12::13])
    assert fault_of(judge(" ".join(words))) is Fault.LESSON
    quoted = judge(f"{LESSON[0]}\n\n{ONE}")
    assert quoted.present
    assert "stands in the lesson" in quoted.remark
    # However much is quoted, an answer beside it is an answer.
    assert judge("\n\n".join([*sorted(LESSON, key=len)[-4:], ONE])).present


@pytest.mark.parametrize("again", [ONE, ONE.upper(), f"2. {ONE}", f"**{ONE}**", f"<p>{ONE}</p>"])
def test_the_same_answer_counts_once(again: str) -> None:
    first, second, third = judged(released(ONE, again, again))
    assert first.present
    assert fault_of(second) is fault_of(third) is Fault.SAME
    assert "the same text as Reflection 1" in third.reason


def test_a_non_answer_again_keeps_its_own_reason() -> None:
    faults = [fault_of(judgement) for judgement in judged(released("TODO", "TODO", "banana"))]
    assert faults == [Fault.PLACEHOLDER, Fault.PLACEHOLDER, Fault.SHORT]


def test_answers_on_one_subject_are_not_the_same() -> None:
    other = ONE.replace("second", "first").replace("died", "lived on")
    first, second, third = judged(released(ONE, other, THREE))
    assert first.present and second.present and third.present
    assert "much like Reflection 1" in second.remark
    assert not first.remark and not third.remark


@pytest.mark.parametrize(
    "made",
    [f"{TWO}\n\nasdf", f"<p>{TWO}</p>", f"TODO\n\n{TWO}", f"{TWO} {TWO}", f"{TWO}\n\n---\n\n{TWO}"],
)
def test_an_answer_survives_what_is_added_to_it(made: str) -> None:
    assert judge(made).present


def test_the_questions_own_words_are_told_apart_from_an_answer_with_them() -> None:
    for place, prompt in enumerate(PROMPTS.values(), start=1):
        assert fault_of(judge(prompt, place)) is Fault.PROMPT
        assert fault_of(judge(f"**{prompt.upper()}** {prompt}", place)) is Fault.PROMPT
        assert judge(f"{prompt} {ONE[::-1]}", place).present


def test_a_few_words_of_a_question_belong_to_a_short_answer() -> None:
    """Its first four words, and too few letters beside them."""
    begin = " ".join(PROMPTS[NAMES[0]].split()[2:6])
    assert judge(f"{begin} badly since all its units died").present
