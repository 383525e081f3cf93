"""Has the clerk judge the reflections; where it cannot, staff do."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from autograder.core.clerk import Bounds, Task, Trouble, Unfinished, ask
from autograder.core.config import Record
from autograder.grading.reflections.finding import find_reflections
from autograder.grading.reflections.judging import (
    ReflectionJudgement,
    judge_reflections,
    not_judged,
)


class Written(Record, frozen=True):
    """What the clerk needs to find and judge the answers."""

    notebook: bytes
    """The clean notebook, as JSON."""
    prompts: dict[str, str]
    """The question by name, in order."""
    lesson_text: str
    min_characters: int


JUDGE: Task[Written, dict[str, ReflectionJudgement]] = Task(
    "autograder.grading.reflections.bounded:judge_written",
    dict[str, ReflectionJudgement],
    # Full answers took a tenth of a second and 20 MB; in Gradescope's container a notebook runs
    # beside this.
    Bounds(cpu_seconds=4, wall_seconds=12, memory_bytes=256 << 20, answer_bytes=16 << 20),
)


def judge_written(written: Written) -> dict[str, ReflectionJudgement]:
    """Find the answers in a notebook and judge them: what the clerk does."""
    answers = find_reflections(
        msgspec.json.decode(written.notebook),
        names=tuple(written.prompts),
        prompts=written.prompts,
        lesson_text=written.lesson_text,
    )
    return judge_reflections(
        answers,
        prompts=written.prompts,
        lesson_text=written.lesson_text,
        min_characters=written.min_characters,
    )


def judgements_of(written: Written) -> Mapping[str, ReflectionJudgement]:
    """The judgement on each answer; where there can be none, one that leaves it to staff.

    Raises
    ------
    Unfinished
        If we made a mistake.
    """
    try:
        return ask(JUDGE, written)
    except Unfinished as unfinished:
        if unfinished.trouble is Trouble.FAULT:
            raise
        why = unfinished.trouble.value
    return {name: not_judged(name, why) for name in written.prompts}
