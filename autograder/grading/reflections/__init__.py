"""Whether the three written answers are there: found wherever they went, judged in any language.

The judgement is about presence, not quality: what is clearly no answer (nothing, the placeholder,
the question again, the lesson's own text) is refused with a reason. What is merely odd counts, with
a remark for staff, who read the answers anyway.

It is made by the clerk, or left to staff.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from enum import Enum

import msgspec

from autograder.core.assignment import Asked
from autograder.core.clerk import Bounds, Task, Trouble, Unfinished, ask
from autograder.core.config import Record
from autograder.core.report import ReflectionReport
from autograder.grading.reflections.finding import Found, find_reflections
from autograder.grading.reflections.plain import (
    MAX_CHARACTERS,
    is_wide,
    likeness,
    plain_text,
    points_elsewhere,
    split_words,
    weigh,
)
from autograder.grading.reflections.scaffold import (
    PLACEHOLDERS,
    Scaffold,
    is_placeholder,
    own_words,
    runs_of,
)

MAX_COPIED_SHARE = 0.8
"""Of an answer's letters. A quotation of this size still leaves an answer around it."""
MIN_DIFFERENT_PAIRS = 18
"""Different pairs of neighbouring letters, or 0.6 of the minimum of letters if that is less. An
answer of 30 letters has 22 and more; “blah blah blah” has 4, however long it is."""
SAME_TEXT_LIKENESS = 0.95
"""Of words; two answers that agree so far are one."""
ALIKE_TEXT_LIKENESS = 0.75
"""Of words; two answers that agree so far are worth a look."""
SHORT_MARGIN = 10
"""Letters above the minimum up to which staff are told that an answer is very short."""

_NOT_JUDGED = (
    "{label} could not be judged ({why}): its points are given for now. "
    "Read it in executed.ipynb, and decide."
)


class Fault(str, Enum):
    """What keeps a text from being an answer."""

    UNTOUCHED = "untouched"
    PLACEHOLDER = "placeholder"
    PROMPT = "prompt"
    LESSON = "lesson"
    REPETITION = "repetition"
    SHORT = "short"
    SAME = "same"


class Written(Record, frozen=True):
    """What the clerk needs to find and judge the answers."""

    notebook: bytes
    """The clean notebook, as JSON."""
    prompts: dict[str, str]
    """The question by name, in order."""
    lesson_text: str
    min_characters: int
    asked: Asked = Asked()


JUDGE: Task[Written, dict[str, ReflectionReport]] = Task(
    "autograder.grading.reflections:judge_written",
    dict[str, ReflectionReport],
    # Full answers took a tenth of a second and 20 MB; in Gradescope's container a notebook runs
    # beside this.
    Bounds(cpu_seconds=4, wall_seconds=12, memory_bytes=256 << 20, answer_bytes=16 << 20),
)


Judgements = Mapping[str, ReflectionReport]


def judgements_of(written: Written, answer: Judgements | Unfinished | None = None) -> Judgements:
    """The judgement on each answer; where there can be none, one that leaves it to staff.

    Parameters
    ----------
    answer
        What came of the task; None to have it done.

    Raises
    ------
    Unfinished
        If we made a mistake.
    """
    try:
        if isinstance(answer, Unfinished):
            raise answer
        return answer or ask(JUDGE, written)
    except Unfinished as unfinished:
        if unfinished.trouble is Trouble.FAULT:
            raise
        why = unfinished.trouble.value
    return {name: not_judged(name, why) for name in written.prompts}


def judge_written(written: Written) -> dict[str, ReflectionReport]:
    """Find the answers in a notebook and judge them: what the clerk does."""
    questions = tuple(dict.fromkeys([*written.prompts.values(), *written.asked.prompts]))
    lesson_text = "\n\n".join(filter(None, (written.lesson_text, written.asked.text)))
    scaffold = Scaffold.of(prompts=questions, lesson_text=lesson_text)
    answers = find_reflections(
        msgspec.json.decode(written.notebook), prompts=written.prompts, scaffold=scaffold
    )
    return judge_reflections(answers, scaffold=scaffold, min_characters=written.min_characters)


def judge_reflections(
    answers: Mapping[str, Found],
    *,
    scaffold: Scaffold,
    min_characters: int,
) -> dict[str, ReflectionReport]:
    """Judge for each answer whether it is there; in doubt it is, with a remark for staff.

    Parameters
    ----------
    answers
        By name, as `find_reflections` gives them, in the order of the questions. A text that
        answers several questions counts for the first.
    scaffold
        Of the questions and the released notebook; what is copied from it is nobody's answer.
    min_characters
        Letters that an answer has at least; a Han, Kana or Hangul character counts as two.

    Returns
    -------
    dict of str to ReflectionReport
        For every name in `answers`, in that order.
    """
    earlier: dict[str, list[str]] = {}
    judgements: dict[str, ReflectionReport] = {}
    for name, found in answers.items():
        text, left_out = _own_text(found.text, scaffold)
        words = split_words(plain_text(text))
        fault = _fault_of(text, words, left_out, scaffold, min_characters)
        if fault is not None and found.unread:
            why = f"the notebook has {found.unread}, and the rest is not read"
            judgements[name] = not_judged(name, why, text=text)
            continue
        twin, alike = "", 0.0
        if fault is None:
            twin, alike = _likest(words, earlier)
            fault = Fault.SAME if alike >= SAME_TEXT_LIKENESS else None
        reason = remark = ""
        if fault is None:
            earlier[name] = words
            odd = _oddities(found, words, scaffold, min_characters)
            odd += [f"much like {label_of(twin)}"] if alike >= ALIKE_TEXT_LIKENESS else []
            remark = f"{label_of(name)}: {'; '.join(odd)}." if odd else ""
        else:
            detail = (
                label_of(twin) if fault is Fault.SAME else _missing(text, words, min_characters)
            )
            reason = _reason(label_of(name), fault, detail)
        judgements[name] = ReflectionReport(
            present=fault is None, reason=reason, text=text, remark=remark
        )
    return judgements


def not_judged(name: str, why: str, *, text: str = "") -> ReflectionReport:
    """What is said of an answer on which there can be no judgement: it is left to staff.

    Its points are given, since a program that gave up knows nothing against an answer.

    Parameters
    ----------
    why
        In a few words, for staff.
    text
        What was found of it.
    """
    remark = _NOT_JUDGED.format(label=label_of(name), why=why)
    return ReflectionReport(present=True, reason="", text=text, remark=remark)


def label_of(name: str) -> str:
    """A reflection's name as students read it: ``reflection_1`` is “Reflection 1”."""
    return name.replace("_", " ").strip().capitalize()


def _own_text(source: str, scaffold: Scaffold) -> tuple[str, set[str]]:
    """The student's own lines, and what else there was."""
    own: list[str] = []
    left_out: set[str] = set()
    for line in source[:MAX_CHARACTERS].splitlines():
        text, _, kind = scaffold.own_part(line)
        left_out.add(kind)
        if not kind and (text or (own and own[-1])):
            own.append(text.strip() if len(own) == 0 else text)
    return "\n".join(own).strip(), left_out


def _fault_of(
    text: str, words: list[str], left_out: set[str], scaffold: Scaffold, min_characters: int
) -> Fault | None:
    """What is wrong with an answer by itself."""
    is_elsewhere = points_elsewhere(text)
    if not words and not is_elsewhere:
        if any(char.isprintable() and not char.isspace() for char in plain_text(text)):
            return Fault.SHORT
        kinds = (Fault.PLACEHOLDER, Fault.UNTOUCHED, Fault.PROMPT)
        return next((fault for fault in kinds if fault.value in left_out), Fault.UNTOUCHED)
    if is_placeholder(words) and not is_elsewhere:
        return Fault.PLACEHOLDER
    known = [*scaffold.prompt_runs, *(runs_of(known, len(known)) for known in PLACEHOLDERS)]
    answer = own_words(words, known)
    weight = weigh(answer)
    if scaffold.is_prompt(words) or (answer != words and weight < min_characters):
        return Fault.PROMPT
    if weight < min_characters:
        return Fault.SHORT
    pairs = {a + b for a, b in itertools.pairwise("".join(answer))}
    if weigh(list(pairs)) / 2 < min(MIN_DIFFERENT_PAIRS, 0.6 * min_characters):
        return Fault.REPETITION
    own_part = weigh(own_words(words, [scaffold.lesson_runs]))
    if own_part < min_characters and own_part <= (1 - MAX_COPIED_SHARE) * weigh(words):
        return Fault.LESSON
    return None


def _likest(words: list[str], earlier: Mapping[str, list[str]]) -> tuple[str, float]:
    """Which of the answers before it an answer is likest, and how like."""
    alike = {name: likeness(words, known) for name, known in earlier.items()}
    twin = max(alike, key=alike.__getitem__, default="")
    return twin, alike.get(twin, 0.0)


def _oddities(found: Found, words: list[str], scaffold: Scaffold, min_characters: int) -> list[str]:
    """What staff may want to look at in an answer that is there."""
    weight = weigh(words)
    odd = [found.remark] if found.remark else []
    if found.is_cut or len(found.text) > MAX_CHARACTERS:
        odd.append(f"only {MAX_CHARACTERS:,} characters of it, or of its cell, were read")
    if weight < min_characters + SHORT_MARGIN:
        odd.append("very short")
    if 2 * weigh(own_words(words, [scaffold.lesson_runs])) < weight:
        odd.append("more than half of it stands in the lesson")
    return odd


def _missing(text: str, words: list[str], min_characters: int) -> str:
    letters = f"{weigh(words)} of at least {min_characters} letters"
    if points_elsewhere(text):
        return f"{letters} beside a picture or link. Say here in words what it shows"
    if any(map(is_wide, "".join(words))):
        letters += ", where 字 counts as two"
    return f"{letters}. Add a sentence that gives a reason or an example"


def _reason(label: str, fault: Fault, detail: str) -> str:
    """A sentence or two for the student: what is missing, and one next step."""
    return {
        Fault.UNTOUCHED: f"{label}: you have not written anything here yet. Write two or three "
        "sentences below the question.",
        Fault.PLACEHOLDER: f"{label} still holds only a placeholder. Replace it by two or three "
        "sentences of your own.",
        Fault.PROMPT: f"{label} repeats its question without an answer. Write below it what you "
        "think, in two or three sentences.",
        Fault.LESSON: f"{label} is copied from this notebook’s own text. Say it in your own words, "
        "about your network.",
        Fault.REPETITION: f"{label} says the same words over and over. Add what they mean for your "
        "network.",
        Fault.SHORT: f"{label} is short: {detail}.",
        Fault.SAME: f"{label} is the same text as {detail}, where it counts. Answer this question "
        "by itself here.",
    }[fault]
