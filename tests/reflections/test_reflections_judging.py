"""The judge's rules one by one, and its numbers at their edges."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from test_reflections_cases import ANSWERS, LESSON, PROMPTS, judge

from autograder.reflections import Fault, judge_reflections
from autograder.reflections.copying import own_words, runs_of, without_repeats
from autograder.reflections.noise import PAIR_BITS
from autograder.reflections.plain import plain_text, split_words, weigh

GOOD = "The learning rate was so high that all the neurons of the second layer died."
OTHER = "With a smaller rate the loss went down in every epoch and the network learned."


def faults(*answers: str) -> list[Fault | None]:
    """What is wrong with each of three answers."""
    names = [f"reflection_{n}" for n in range(1, len(answers) + 1)]
    judged = judge_reflections(
        dict(zip(names, answers, strict=True)),
        prompts=PROMPTS,
        lesson_text=LESSON,
        min_characters=40,
    )
    return [judgement.fault for judgement in judged.values()]


@pytest.mark.parametrize(
    "again", [GOOD, GOOD.upper(), f"2. {GOOD}", f"**{GOOD}**", GOOD.replace("0.03", "0.3")]
)
def test_same_text_counts_once(again: str) -> None:
    assert faults(GOOD, again, again) == [None, Fault.SAME, Fault.SAME]
    assert faults(GOOD, OTHER, again) == [None, None, Fault.SAME]


def test_same_text_is_told_where_it_counts() -> None:
    judged = judge_reflections(
        {"reflection_1": GOOD, "reflection_2": GOOD},
        prompts=PROMPTS,
        lesson_text=LESSON,
        min_characters=40,
    )
    assert "same text as Reflection 1, where it counts" in judged["reflection_2"].reason


def test_same_non_answer_keeps_its_own_fault() -> None:
    assert faults("TODO", "TODO", "") == [Fault.PLACEHOLDER, Fault.PLACEHOLDER, Fault.EMPTY]


def test_similar_answers_are_not_the_same() -> None:
    assert faults(GOOD, GOOD.replace("second", "first").replace("died", "lived on")) == [None, None]


@pytest.mark.parametrize(("minimum", "present"), [(18, True), (19, False)])
def test_minimum_is_exact(minimum: int, present: bool) -> None:
    assert judge("It learned far too fast 123!", min_characters=minimum).present is (
        weigh(split_words("It learned far too fast")) >= minimum
    )
    assert judge("学习率太高了网络死", min_characters=minimum).present is present


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("abc déf 123 !?", 6),
        ("e\u0301\u0301\u0301\u0301", 1),
        ("学习率", 6),
        ("ひらがな カタカナ", 16),
        ("학습률", 6),
        ("ﾊﾝｶｸ", 8),
        ("ㅋㅋㅋㅋ", 0),
        ("\u3164\u115f\uffa0", 0),
        ("שלום", 6),
        ("مرحبا", 7),
        ("की", 2),
        ("เพิ่ม", 4),
        ("🎉0.03 %", 0),
    ],
)
def test_weight_of_letters(text: str, weight: int) -> None:
    assert weigh(split_words(text)) == weight


def test_short_quotation_of_the_lesson_is_fine_and_a_page_of_it_is_not() -> None:
    page = LESSON[3000:6000]
    assert judge(page).fault is Fault.LESSON
    assert judge(f"{page}\n\n{GOOD}").present
    edited = " ".join(
        "thing" if i % 15 == 14 else word for i, word in enumerate(page.split(), start=1)
    )
    assert judge(edited).fault is Fault.LESSON


def test_any_answer_survives_what_students_add() -> None:
    for _, text in ANSWERS:
        for wrapped in (f"{text}\n\nasdf", f"<p>{text}</p>", f"TODO\n\n{text}", f"{text} {text}"):
            assert judge(wrapped).present, wrapped


@pytest.mark.parametrize(
    ("keys", "least"),
    [
        ("abcdefghijklmnopqrstuvwxyz", 95),
        ("asdfghjkl", 95),
        ("zxcvbnm", 95),
        ("sdfjklgh", 95),
        # Half of this row are vowels: by pairs of letters alone it is hard to tell from words.
        ("qwertyuiop", 75),
    ],
)
def test_random_keys_are_mostly_noise(keys: str, least: int) -> None:
    """Of 100 texts that no rule was made for; the seed is fixed."""
    source = random.Random(20261121)
    texts = ["".join(source.choice(keys + "  ") for _ in range(90)) for _ in range(100)]
    assert sum(not judge(text).present for text in texts) >= least


def test_pairs_of_letters_make_a_square() -> None:
    assert len(PAIR_BITS) == 27
    assert {len(row) for row in PAIR_BITS} == {27}


def test_copied_runs_and_repeats() -> None:
    known = runs_of(tuple("abcdefgh"), 3)
    assert own_words(list("xabcy"), [known]) == ["x", "y"]
    assert own_words(list("abcxdef"), [known]) == []
    assert own_words(list("ab"), [known]) == ["a", "b"]
    assert without_repeats(["a", "a", "b", "a", "b", "c"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("a <b>bold</b> word", "a bold word"),
        ("a<br>b", "a\nb"),
        ("lr<threshold and acc>0.9", "lr<threshold and acc>0.9"),
        ("x &lt; y &amp; z", "x < y & z"),
        ("[text](http://x.org/a)", "text"),
        ("![alt](data:image/png;base64,AAAA)", "alt"),
        ("see https://x.org/a?b=c now", "see  now"),
        ("<!-- m5:reflection_1 -->a", "a"),
    ],
)
def test_plain_text(source: str, plain: str) -> None:
    assert plain_text(source) == plain


def test_import_is_light() -> None:
    """Does importing the package leave the heavy ones alone?"""
    program = (
        "import sys, autograder.reflections;"
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'nbformat', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
