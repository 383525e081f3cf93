"""What the released notebook says around an answer, and how to take it off again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from autograder.grading.reflections.plain import (
    likeness,
    plain_text,
    points_elsewhere,
    split_words,
    without_our_comments,
)
from autograder.grading.reflections.reading import after_label

Words = tuple[str, ...]

PROMPT_RUN_WORDS = 5
"""A run of so many words of a question is the question; fewer occur in good answers to it."""
LESSON_RUN_WORDS = 8
"""A run of so many words of the lesson was copied; fewer are idioms of the subject."""
MAX_EDIT_WORDS = 2
"""So few own words between two copied passages are taken for an edit of one passage."""
MAX_PROMPT_VOCABULARY = 60
"""Different words in all questions; with more, a true answer might be made of them alone."""
MAX_NEW_WORDS = 2
"""Words by which a question may differ and still be that question."""
MIN_PLACEHOLDER_LIKENESS = 0.8
"""Of words shared with a known placeholder; one in five may differ."""

PLACEHOLDERS = tuple(
    tuple(split_words(text))
    for text in (
        "Type your answer here, replacing this text.",  # Otter's, and the released notebook's
        "Double-click (or enter) to edit",
        "Type Markdown and LaTeX",
        "Escribe tu respuesta aquí, reemplazando este texto.",
        "Digite sua resposta aqui, substituindo este texto.",
        "Tapez votre réponse ici, en remplaçant ce texte.",
        "Geben Sie hier Ihre Antwort ein und ersetzen Sie diesen Text.",
        "Scrivi qui la tua risposta, sostituendo questo testo.",
        "Введите ваш ответ здесь, заменив этот текст.",
        "在此处输入您的答案，替换此文本。",
        "請在此輸入你的答案，取代這段文字。",
        "ここに回答を入力して、このテキストを置き換えてください。",
        "여기에 답을 입력하여 이 텍스트를 바꾸세요.",
        "اكتب إجابتك هنا بدلاً من هذا النص.",
        "अपना उत्तर यहाँ लिखें, इस पाठ को बदलकर।",
    )
)
PLACEHOLDER_WORDS = frozenset(
    split_words(
        "type write enter insert add put fill in out give your my the an a answer answers response "
        "reflection text here replacing replace this that with please goes below above cell will "
        "be is to todo tbd tba wip fixme xxx na n none nil null nothing empty blank placeholder "
        "sample example words sentences question complete finish later come back it i ll own and "
        "double click edit done ok yes no idk test not yet applicable written must should go"
    )
)
"""Nothing that is made of these alone says anything about a network."""
_PLACEHOLDER_VOCABULARY = frozenset(word for known in PLACEHOLDERS for word in known)
_TORN_COMMENTS = frozenset((edge, "question") for edge in ("begin", "end"))
"""Otter's comments without their arrows, as some editors leave them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffold:
    """The words of the questions and of the lesson, ready for comparing."""

    prompts: tuple[Words, ...]
    prompt_runs: tuple[frozenset[Words], ...]
    guidance: frozenset[Words]
    """The lines of the lesson between a question and its placeholder, and labels."""
    lines: frozenset[str]
    """All lines of the lesson."""
    opening: str
    """The heading under which the lesson asks its questions."""
    lesson_runs: frozenset[Words]

    @staticmethod
    @lru_cache(maxsize=8)
    def of(*, prompts: tuple[str, ...], lesson_text: str) -> Scaffold:
        """Prepare the questions and the lesson; the same ones come again for a whole class."""
        questions = tuple(words for prompt in prompts if (words := _words(prompt)))
        runs = tuple(runs_of(q, min(PROMPT_RUN_WORDS, len(q))) for q in questions)
        guidance: set[Words] = set(_TORN_COMMENTS)
        opening = heading = ""
        is_asking = False
        texts = without_our_comments(lesson_text).splitlines()
        lines = list(map(_words, texts))
        for text, words in zip(texts, lines, strict=True):
            asks = [q for q in questions if words and not own_words(q, [runs_of(words, len(q))])]
            if asks:
                opening = opening or heading
                is_asking = True
            elif text.startswith("#"):
                heading, is_asking = text.strip(), False
            elif is_known_placeholder(words):
                is_asking = False
            if is_asking and words:
                guidance.add(words)
        return Scaffold(
            prompts=questions,
            prompt_runs=runs,
            guidance=frozenset(guidance),
            lines=frozenset(text.strip() for text in texts),
            opening=opening,
            lesson_runs=runs_of([word for line in lines for word in line], LESSON_RUN_WORDS),
        )

    def own_part(self, line: str) -> tuple[str, list[str], str]:
        """What a student added to a line: its text and words; else what the line is."""
        rest = None if self.only_mentions(line) else after_label(line)
        line = line if rest is None else rest
        words = split_words(plain_text(line))
        if not words and (rest is not None or not line.strip()):
            return "", words, "label" if rest is not None else ""
        if tuple(words) in self.guidance:
            is_question = words and not own_words(words, self.prompt_runs)
            return "", [], "prompt" if is_question else "guidance"
        if is_placeholder(words) and not points_elsewhere(line):
            return "", [], "untouched" if is_known_placeholder(words) else "placeholder"
        if words and not own_words(words, self.prompt_runs):
            return "", [], "prompt"
        return line, words, ""

    def only_mentions(self, line: str) -> bool:
        """Whether it is the lesson that names a reflection in this line, without asking it."""
        return line.strip() in self.lines and _words(line) not in self.guidance

    def is_prompt(self, words: Sequence[str]) -> bool:
        """Whether `words` are a question again, with a word or two changed or moved."""
        vocabulary = {word for prompt in self.prompts for word in prompt}
        if not words or len(vocabulary) > MAX_PROMPT_VOCABULARY:
            return False
        return len(set(words) - vocabulary) <= MAX_NEW_WORDS and len(set(words) & vocabulary) >= 3


def is_placeholder(words: Sequence[str]) -> bool:
    """Whether `words`, as `split_words` gives them, hold the place of an answer."""
    is_filler = words[:2] == ["lorem", "ipsum"] or PLACEHOLDER_WORDS.issuperset(words)
    return bool(words) and (is_filler or is_known_placeholder(words))


def is_known_placeholder(words: Sequence[str]) -> bool:
    """Whether `words` are what a notebook or an editor shows before anything is written."""
    if 2 * sum(word in _PLACEHOLDER_VOCABULARY for word in words) < len(words):
        return False  # most lines: to compare is slow
    return any(
        0.6 < len(words) / len(known) < 1.6 and likeness(words, known) >= MIN_PLACEHOLDER_LIKENESS
        for known in PLACEHOLDERS
    )


def runs_of(words: Sequence[str], length: int) -> frozenset[Words]:
    """Every run of `length` words in `words`."""
    return frozenset(tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def own_words(words: Sequence[str], runs: Iterable[frozenset[Words]]) -> list[str]:
    """`words` without those that lie in a run of one of the sets `runs`.

    Up to two words between two runs go as well: they are an edit of what was copied.
    """
    sized = [(len(next(iter(known), ())), known) for known in runs]
    sized = [(length, known) for length, known in sized if 0 < length <= len(words)]
    if not sized:
        return list(words)
    copied = [False] * len(words)
    for length, known in sized:
        for start in range(len(words) - length + 1):
            if tuple(words[start : start + length]) in known:
                copied[start : start + length] = [True] * length
    last = None
    for i, is_copied in enumerate(copied):
        if is_copied:
            if last is not None and 0 < i - last - 1 <= MAX_EDIT_WORDS:
                copied[last:i] = [True] * (i - last)
            last = i
    return [word for word, is_copied in zip(words, copied, strict=True) if not is_copied]


def _words(line: str) -> Words:
    return tuple(split_words(plain_text(line)))
