"""Over three hundred answers and non-answers: is each told for what it is?"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from autograder.reflections import Fault, ReflectionJudgement, judge_reflections

HERE = Path(__file__).parent
LESSON = (HERE / "lesson.md").read_text(encoding="utf-8")
PROMPTS = {
    "reflection_1": "Why did the first network do poorly?",
    "reflection_2": "How did your changes help?",
    "reflection_3": "What else did you learn about tuning a neural network?",
}


def load(name: str) -> list[tuple[str, str]]:
    """The cases of a file: group and text."""
    groups: dict[str, list[str]] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return [(group, text) for group, texts in groups.items() for text in texts]


ANSWERS = load("answers.json")
NON_ANSWERS = load("non_answers.json")


def judge(text: str, **options: Any) -> ReflectionJudgement:
    """Judge one answer by itself."""
    options = {"prompts": PROMPTS, "lesson_text": LESSON, "min_characters": 40} | options
    return judge_reflections({"reflection_1": text}, **options)["reflection_1"]


def test_tables_are_large_enough() -> None:
    assert len(ANSWERS) >= 110
    assert len({group for group, _ in ANSWERS}) >= 10
    assert len(NON_ANSWERS) >= 90
    assert {group for group, _ in NON_ANSWERS} == {fault.value for fault in Fault} - {"same"}
    texts = [text for _, text in ANSWERS + NON_ANSWERS]
    assert len(texts) == len(set(texts))


def test_confusion_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    """No true answer is refused, and at least 95 % of the others are."""
    refused = [(g, judge(t), t) for g, t in ANSWERS if not judge(t).present]
    slipped = [(group, text) for group, text in NON_ANSWERS if judge(text).present]
    total, others = len(ANSWERS), len(NON_ANSWERS)
    told = Counter(
        (group, fault.value if (fault := judge(text).fault) else "present")
        for group, text in NON_ANSWERS
    )
    with capsys.disabled():
        print(f"\n{'':14}{'present':>9}{'refused':>9}")
        print(f"{'answers':14}{total - len(refused):9}{len(refused):9}")
        print(f"{'non-answers':14}{len(slipped):9}{others - len(slipped):9}")
        for (group, fault), count in sorted(told.items()):
            if group != fault:
                print(f"  {count} {group} told as {fault}")
        for group, text in slipped:
            print(f"  slipped through, {group}: {text[:60]!r}")
    assert not refused
    assert len(slipped) <= 0.05 * others


@pytest.mark.parametrize(("group", "text"), ANSWERS)
def test_answer_is_present(group: str, text: str) -> None:
    judgement = judge(text)
    assert judgement.present, judgement
    assert judgement.reason == ""
    assert judgement.fault is None


@pytest.mark.parametrize(("group", "text"), ANSWERS)
def test_answer_below_its_question_is_present(group: str, text: str) -> None:
    source = f"### Reflection 1: {PROMPTS['reflection_1']}\n\n{text}"
    assert judge(source).present


@pytest.mark.parametrize(("group", "text"), NON_ANSWERS)
def test_reason_is_kind_and_specific(group: str, text: str) -> None:
    judgement = judge(text)
    if judgement.present:
        assert judgement.reason == ""
        return
    assert judgement.reason.startswith("Reflection 1 ")
    assert judgement.reason.endswith(".")
    assert 1 <= judgement.reason.count(". ") <= 2
    assert len(judgement.reason) < 200
