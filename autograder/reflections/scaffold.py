"""What the released notebook puts around an answer, and how to take it off again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from autograder.reflections.anchors import is_heading, numbered_rest
from autograder.reflections.copying import Words, own_words, runs_of
from autograder.reflections.placeholders import is_placeholder
from autograder.reflections.plain import plain_text, points_elsewhere, split_words

PROMPT_RUN_WORDS = 5
"""A run of so many words of a question is the question; fewer occur in good answers to it."""

LESSON_RUN_WORDS = 8
"""A run of so many words of the lesson was copied; fewer are idioms of the subject."""

MAX_GUIDANCE_LINES = 12
"""Below a question, the released notebook says in a few lines what is expected."""

MAX_PROMPT_VOCABULARY = 60
"""Different words in all questions; with more, a true answer might be made of them alone."""

MAX_NEW_WORDS = 2
"""Words by which a question may differ and still be that question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffold:
    """The words of the questions and of the lesson, ready for comparing."""

    prompts: tuple[Words, ...]
    prompt_runs: tuple[frozenset[Words], ...]
    guidance: frozenset[Words]
    """The lines that the released notebook has below its questions."""
    lesson_runs: frozenset[Words]

    @staticmethod
    @lru_cache(maxsize=8)
    def of(*, prompts: tuple[str, ...], lesson_text: str) -> Scaffold:
        """Prepare the questions and the lesson; the same ones come again for a whole class."""
        questions = tuple(tuple(split_words(plain_text(prompt))) for prompt in prompts)
        questions = tuple(question for question in questions if question)
        lines = [tuple(split_words(plain_text(line))) for line in lesson_text.splitlines()]
        lesson = tuple(word for line in lines for word in line)
        runs = [runs_of(q, min(PROMPT_RUN_WORDS, len(q))) for q in questions]
        return Scaffold(
            prompts=questions,
            prompt_runs=tuple(runs),
            guidance=_guidance(lesson_text.splitlines(), lines, questions),
            lesson_runs=runs_of(lesson, LESSON_RUN_WORDS),
        )

    def strip(self, source: str) -> tuple[list[str], set[str]]:
        """The student's own lines, and the kinds of line that were left out."""
        own: list[str] = []
        left_out: set[str] = set()
        for line in source.splitlines():
            rest = numbered_rest(line)
            line = line if rest is None else rest
            words = split_words(plain_text(line))
            if rest is not None and not words:
                continue
            if tuple(words) in self.guidance:
                continue
            if is_placeholder(words) and not points_elsewhere(line):
                left_out.add("placeholder")
            elif words and not own_words(words, self.prompt_runs):
                left_out.add("prompt")
            else:
                own.append(line)
        return own, left_out

    def is_prompt(self, words: Sequence[str]) -> bool:
        """Whether `words` are a question again, with a word or two changed or moved."""
        vocabulary = {word for prompt in self.prompts for word in prompt}
        if not words or len(vocabulary) > MAX_PROMPT_VOCABULARY:
            return False
        return len(set(words) - vocabulary) <= MAX_NEW_WORDS and len(set(words) & vocabulary) >= 3


def _guidance(
    lines: Sequence[str], words: Sequence[Words], prompts: Sequence[Words]
) -> frozenset[Words]:
    """Lines of the lesson between a question and its placeholder or the next heading."""
    guidance: set[Words] = set()
    remaining = 0
    for line, own in zip(lines, words, strict=True):
        if own and any(not own_words(prompt, [runs_of(own, len(prompt))]) for prompt in prompts):
            remaining = MAX_GUIDANCE_LINES
        elif is_heading(line) or is_placeholder(own):
            remaining = 0
        if remaining > 0 and own:
            guidance.add(own)
            remaining -= 1
    return frozenset(guidance)
