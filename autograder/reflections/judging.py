"""Whether a written answer says something."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum

from autograder.reflections.copying import own_words, runs_of, without_repeats
from autograder.reflections.noise import words_not_noise
from autograder.reflections.placeholders import PLACEHOLDERS, is_placeholder
from autograder.reflections.plain import (
    is_visible,
    is_wide,
    plain_text,
    points_elsewhere,
    shorten,
    split_words,
    weigh,
)
from autograder.reflections.scaffold import Scaffold

MAX_COPIED_SHARE = 0.8
"""Of an answer's letters. A quotation of this size still leaves an answer around it."""

MAX_SAID_SHARE = 0.5
"""Of letters, what is left of a text when repetitions are said once. Answers say more than three
quarters of their words for the first time."""

MIN_SAID_SHARE = 0.75
"""Of the minimum. “lr 0.03, lr 0.01, lr 0.001” repeats a word for a reason, so a little may go."""

MAX_SHUFFLED_VOCABULARY = 7
MIN_SHUFFLED_WORDS = 30
"""So many words, out of so few different ones, are no sentence in any language."""

SAME_TEXT_LIKENESS = 0.95
"""Of words in order; two answers that agree so far are one."""

COMPARED_WORDS = 300
"""Of each answer; the time for comparing grows with the square."""


class Fault(str, Enum):
    """What keeps a text from being an answer."""

    EMPTY = "empty"
    PLACEHOLDER = "placeholder"
    PROMPT = "prompt"
    LESSON = "lesson"
    REPETITION = "repetition"
    NOISE = "noise"
    SHORT = "short"
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReflectionJudgement:
    """Whether one answer is there."""

    present: bool
    reason: str
    """For the student: what is missing and what to do next; empty where the answer is there."""
    text: str
    """The student's own lines, without the question and the placeholder."""
    fault: Fault | None = None
    remark: str = ""
    """For staff: what is odd about an answer that is there."""


def judge_reflections(
    answers: Mapping[str, str],
    *,
    prompts: Mapping[str, str],
    lesson_text: str,
    min_characters: int,
) -> dict[str, ReflectionJudgement]:
    """Judge for each answer whether it is there; in doubt it is.

    Parameters
    ----------
    answers
        Source of each answer by name, as `find_reflections` gives it, in the order of the
        questions. A text that answers several questions counts for the first.
    prompts
        The question by name.
    lesson_text
        All text of the released notebook; what is copied from it is nobody's answer.
    min_characters
        Letters that an answer has at least; a Han, Kana or Hangul character counts as two.

    Returns
    -------
    dict of str to ReflectionJudgement
        For every name in `answers`, in that order.
    """
    scaffold = Scaffold.of(prompts=tuple(prompts.values()), lesson_text=lesson_text)
    earlier: dict[str, list[str]] = {}
    judgements: dict[str, ReflectionJudgement] = {}
    for name, source in answers.items():
        text, fault = _judge_alone(source, scaffold, min_characters)
        detail = ""
        if fault is None:
            words = split_words(plain_text(text))
            twin = next((n for n, known in earlier.items() if _is_same(words, known)), None)
            if twin is None:
                earlier[name] = words
            else:
                fault, detail = Fault.SAME, label_of(twin)
        elif fault is Fault.SHORT:
            detail = _letters_missing(text, min_characters)
        reason = "" if fault is None else _reason(label_of(name), fault, detail)
        judgements[name] = ReflectionJudgement(
            present=fault is None, reason=reason, text=text, fault=fault
        )
    return judgements


def label_of(name: str) -> str:
    """A reflection's name as students read it: ``reflection_1`` is “Reflection 1”."""
    return name.replace("_", " ").strip().capitalize()


def _judge_alone(source: str, scaffold: Scaffold, min_characters: int) -> tuple[str, Fault | None]:
    """The student's own lines, and what is wrong with them."""
    own, left_out = scaffold.strip(shorten(source))
    text = "\n".join(own).strip()
    lines = plain_text(text).splitlines()
    words = split_words("\n".join(lines))
    is_elsewhere = points_elsewhere(text)
    if not is_visible("\n".join(lines)) and not is_elsewhere:
        if "placeholder" in left_out:
            return text, Fault.PLACEHOLDER
        return text, Fault.PROMPT if "prompt" in left_out else Fault.EMPTY
    if is_placeholder(words) or not (words or is_elsewhere or _has_symbols(text)):
        return text, Fault.SHORT if is_elsewhere else Fault.PLACEHOLDER
    answer = own_words(words, [*scaffold.prompt_runs, *_placeholder_runs()])
    if scaffold.is_prompt(words) or (answer != words and weigh(answer) < min_characters):
        return text, Fault.PROMPT
    weight = weigh(answer)
    said = weigh(without_repeats(answer))
    is_repeated = said < MIN_SAID_SHARE * min_characters and 0 < said <= MAX_SAID_SHARE * weight
    if is_repeated or _is_shuffled(answer):
        return text, Fault.REPETITION
    if weight >= min_characters > weigh(words_not_noise(lines)):
        return text, Fault.NOISE
    if weight < min_characters:
        return text, Fault.SHORT
    own_part = weigh(own_words(words, [scaffold.lesson_runs]))
    if own_part < min_characters and own_part <= (1 - MAX_COPIED_SHARE) * weigh(words):
        return text, Fault.LESSON
    return text, None


def _has_symbols(text: str) -> bool:
    """Whether there is more than punctuation: a number, a formula, an emoji."""
    return any(unicodedata.category(char)[0] in "NS" and char not in "`^~|<>=+" for char in text)


def _placeholder_runs() -> list[frozenset[tuple[str, ...]]]:
    return [runs_of(words, len(words)) for words in PLACEHOLDERS]


def _is_shuffled(words: list[str]) -> bool:
    return len(words) >= MIN_SHUFFLED_WORDS and len(set(words)) <= MAX_SHUFFLED_VOCABULARY


def _is_same(words: list[str], known: list[str]) -> bool:
    if words == known:
        return True
    matcher = SequenceMatcher(None, known[:COMPARED_WORDS], words[:COMPARED_WORDS], autojunk=False)
    return all(
        ratio() >= SAME_TEXT_LIKENESS
        for ratio in (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
    )


def _letters_missing(text: str, min_characters: int) -> str:
    words = split_words(plain_text(text))
    letters = f"{weigh(words)} of at least {min_characters} letters"
    if points_elsewhere(text):
        return f"{letters} beside a picture or link. Say here in words what it shows"
    if any(is_wide(char) for word in words for char in word):
        letters += ", where 字 counts as two"
    return f"{letters}. Add a sentence that gives a reason or an example"


def _reason(label: str, fault: Fault, detail: str) -> str:
    """A sentence or two for the student: what is missing, and one next step."""
    return {
        Fault.EMPTY: f"{label} is still empty. Write two or three sentences below its question.",
        Fault.PLACEHOLDER: f"{label} still holds only a placeholder. Replace it by two or three "
        "sentences of your own.",
        Fault.PROMPT: f"{label} repeats its question without an answer. Write below it what you "
        "think, in two or three sentences.",
        Fault.LESSON: f"{label} is copied from this notebook’s own text. Say it in your own words, "
        "about your network.",
        Fault.REPETITION: f"{label} says the same words over and over. Add what they mean for your "
        "network.",
        Fault.NOISE: f"{label} does not read like words. Write two or three sentences, in any "
        "language.",
        Fault.SHORT: f"{label} is short: {detail}.",
        Fault.SAME: f"{label} is the same text as {detail}, where it counts. Answer this question "
        "by itself here.",
    }[fault]
