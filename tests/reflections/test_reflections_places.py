"""Is an answer found, and filed under its own question, wherever a student put it?"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.grading.reflections import Fault
from autograder.grading.reflections.plain import MAX_CHARACTERS
from autograder.grading.reflections.reading import MAX_LINES, text_in_code
from tests.notebooks import cell_of, colab, released
from tests.reflections.released_answers import (
    ANSWERS,
    NAMES,
    ONE,
    PLACEHOLDER,
    PROMPTS,
    THREE,
    TWO,
    code,
    ending,
    fault_of,
    judged,
    md,
    question,
    questions,
    raw,
)

GOOD = tuple(ANSWERS.values())
SECTION = "## My reflections"
LABELS = {
    "Q1": ("Q1:", "Q2:", "Q3:"),
    "A1": ("**A1**", "**A2**", "**A3**"),
    "Ans": ("Ans 1.", "ans. 2:", "ANS3:"),
    "bold": ("**Reflection 1**", "**Reflection 2:**", "**Reflection 3** -"),
    "plain": ("Reflection 1:", "Reflection 2.", "reflection #3:"),
    "words": ("Reflection one", "Reflection Two:", "### Reflection three"),
    "ordinals": ("First reflection", "2nd reflection:", "The third answer:"),
    "numbered headings": ("### 8.1 Reflection 1", "### 8.2 Reflection 2", "### 8.3 Reflection 3"),
    "HTML": ("<h3>Reflection 1</h3>", "<b>Reflection 2</b>", "<p>Reflection 3:</p>"),
    "Roman": ("## Reflection I", "## Reflection II", "## Reflection III"),
    "Question": ("### Question 1", "### Question No. 2", "### Question 3"),
    "Portuguese": ("### Reflexão 1: Por quê?", "### Segunda reflexão", "### Reflexão 3"),
    "Spanish": ("### Reflexión 1", "### Reflexión nº 2", "### Tercera pregunta:"),
    "French": ("### Réflexion 1 :", "### Deuxième réflexion", "### Réponse n° 3"),
    "German": ("### Reflexion 1", "Zweite Frage:", "### Antwort Nr. 3"),
    "Swedish": ("### Reflektion 1", "### Andra frågan 2", "### Reflektion 3"),
    "Russian": ("### Размышление 1:", "Второй вопрос:", "### Ответ № 3."),
    "Chinese": ("### 反思 1：", "### 反思二", "### 第三个反思"),
    "Chinese questions": ("问题一：", "第二题", "答3："),
    "Japanese": ("### 振り返り１", "### 振り返り 2：", "### 振り返り③"),
    "Korean": ("### 성찰 1", "### 두 번째 성찰", "### 성찰 3"),
    "Arabic": ("### تأمل ١", "السؤال الثاني:", "### تأمل ٣"),
    "Hindi": ("### चिंतन १", "### चिंतन 2:", "### चिंतन ३"),
    "Thai": ("### การสะท้อนคิด ๑", "### การสะท้อนคิด 2", "### การสะท้อนคิด 3"),
    "Hebrew": ("### רפלקציה 1", "### רפלקציה 2:", "### רפלקציה 3"),
}


def each(form: str) -> list[Any]:
    """A code cell for each answer."""
    return [code(form.format(n=n, a=answer)) for n, answer in enumerate(GOOD, 1)]


def with_cells(made: Any, where: str, *cells: Any, offset: int = 1) -> Any:
    """Put cells behind the cell with the id `where`."""
    made.cells[(at := [c.id for c in made.cells].index(where) + offset) : at] = cells
    return made


def above_questions(made: Any) -> Any:
    """Each answer in a new cell above its question; the placeholders are left alone."""
    for number, answer in enumerate(GOOD, 1):
        with_cells(made, f"reflection-{number}-prompt", md(answer), offset=0)
    return made


def on_lines(labels: tuple[str, ...]) -> str:
    """Each answer behind its label."""
    return "\n\n".join(f"{label} {answer}" for label, answer in zip(labels, GOOD, strict=True))


def without_tags(made: Any) -> Any:
    """The same notebook, without the cells' metadata."""
    for cell in made.cells:
        cell["metadata"] = {}
    return made


DISPLAYED = "\n".join(f"display(Markdown('Q{n}: {a}'))" for n, a in enumerate(GOOD, 1))
VARIABLES = "\n".join(f"q{n} = '{a}'" for n, a in enumerate(GOOD, 1))
DICTIONARY = f"answers = {dict(zip(('q1', 'q2', 'q3'), GOOD, strict=True))}"
LABELLED = "\n\n".join(f"Q{n}: {answer}" for n, answer in enumerate(GOOD, 1))
NUMBERED = "\n".join(f"{n}. {answer}" for n, answer in enumerate(GOOD, 1))
MERGED = "\n\n".join(f"{question(name)}\n\n{answer}" for name, answer in ANSWERS.items())
BARE = {"marker": False, "label": False, "otter": False}
NOTEBOOKS = {
    "as released": released(*GOOD),
    "copied out of Colab": colab(released(*GOOD)),
    "tags lost": without_tags(released(*GOOD)),
    "Otter's comments lost": ending(*questions(*map(md, GOOD), otter=False)),
    "markers lost": ending(*questions(*map(md, GOOD), marker=False)),
    "only the questions left": ending(*questions(*map(md, GOOD), **BARE)),
    "all merged into one cell": ending(md(MERGED)),
    "all merged into one tagged cell": ending(md(MERGED, "reflection_1")),
    "merged with the next question": ending(
        md(question(NAMES[0])),
        md(f"{ONE}\n\n{question(NAMES[1])}", NAMES[0]),
        md(TWO, NAMES[1]),
        md(question(NAMES[2])),
        md(THREE, NAMES[2]),
    ),
    "in the question's cell": ending(*(md(f"{question(n)}\n{a}") for n, a in ANSWERS.items())),
    "below the placeholder": released(*(f"{PLACEHOLDER}\n\n{a}" for a in GOOD)),
    "in new cells below": ending(
        *(
            cell
            for name, answer in ANSWERS.items()
            for cell in (md(question(name)), md(PLACEHOLDER, name), md(answer))
        )
    ),
    "moved to the end": ending(
        *(md(question(name)) for name in NAMES),
        code("x = 1"),
        *(md(answer, name) for name, answer in ANSWERS.items()),
    ),
    "in reverse order": ending(*(md(a, name) for name, a in reversed(ANSWERS.items()))),
    "questions in reverse order": ending(
        *(c for name, a in reversed(ANSWERS.items()) for c in (md(question(name)), md(a)))
    ),
    "raw cells": ending(*questions(*map(raw, GOOD))),
    "above the questions": above_questions(released()),
    "above the questions, tags lost": above_questions(without_tags(released())),
    "above the questions, placeholders deleted": ending(
        *(c for name, a in ANSWERS.items() for c in (md(a), md(question(name))))
    ),
    "above the questions, markers lost": ending(
        *(c for n, a in ANSWERS.items() for c in (md(a), md(question(n, marker=False))))
    ),
    "labels below all else": with_cells(released(), "hand-in", md(LABELLED)),
    "labels in the first answer's cell": released(LABELLED),
    "labels above the questions": with_cells(released(), "reflect", md(LABELLED)),
    "labels in one code cell": with_cells(released(), "hand-in", code(f'"""\n{LABELLED}\n"""')),
    "a list above the questions": with_cells(released(), "reflect", md(NUMBERED)),
    "a list under its own heading": with_cells(released(), "hand-in", md(f"{SECTION}\n{NUMBERED}")),
    "a list below all else": with_cells(released(), "hand-in", md(NUMBERED)),
    "a list in the first answer's cell": released(NUMBERED),
    "a list in Colab": colab(released(NUMBERED)),
    "a list in place of the questions": ending(md(NUMBERED)),
    "a list over several cells": ending(*(md(f"{n}) {a}") for n, a in enumerate(GOOD, 1))),
    "cells in place of the questions": ending(*map(md, GOOD)),
    "cells under a heading": with_cells(released(), "hand-in", md(SECTION), *map(md, GOOD)),
    "comments": ending(*questions(*each("# {a}"))),
    "strings": ending(*questions(*each('answer_{n} = """{a}"""'))),
    "printed": ending(*questions(*each("text = '{a}'\nprint(text)"))),
    "displayed": ending(
        *questions(
            *each("from IPython.display import Markdown, display\n\ndisplay(Markdown('''{a}'''))")
        )
    ),
    "displayed in one cell": with_cells(released(), "hand-in", code(DISPLAYED)),
    "variables": with_cells(released(), "hand-in", code(VARIABLES)),
    "a dictionary": with_cells(released(), "hand-in", code(DICTIONARY)),
    "prose in code cells": ending(*questions(*each("{a}"))),
    "tagged prose in code cells": ending(*(code(a, name) for name, a in ANSWERS.items())),
    "magic": ending(*questions(*each("%%markdown\n{a}"))),
    "code in between": ending(
        *(c for n, a in ANSWERS.items() for c in (md(question(n)), code("plt.plot(h)"), md(a)))
    ),
    **{
        f"labels: {name}": ending(*(md(x) for pair in zip(some, GOOD, strict=True) for x in pair))
        for name, some in LABELS.items()
    },
    **{
        f"labels on the line: {name}": with_cells(released(), "hand-in", md(on_lines(some)))
        for name, some in LABELS.items()
        if all(label.rstrip("*")[-1] in ":.：-" for label in some)
    },
}  # fmt: skip


UNSURE = ("list", "above", "cells in", "cells under", "labels below", "labels in", "on the line")


@pytest.mark.parametrize("place", NOTEBOOKS)
def test_answers_are_found_and_filed_under_their_questions(place: str) -> None:
    for judgement, answer in zip(judged(NOTEBOOKS[place]), GOOD, strict=True):
        assert answer in judgement.text
        assert len(judgement.text) < len(answer) + 12
        assert judgement.present
    if any(word in place for word in UNSURE):
        assert judgement.remark


@pytest.mark.parametrize("missing", [1, 2, 3])
@pytest.mark.parametrize("by", ["", PLACEHOLDER, "\n", "?"])
@pytest.mark.parametrize("make", [released, lambda *a: colab(released(*a))], ids=["here", "Colab"])
def test_a_blank_answer_takes_nothing_from_its_neighbours(missing: int, by: str, make: Any) -> None:
    texts = [by if n == missing else answer for n, answer in enumerate(GOOD, 1)]
    for made in (make(*texts), with_cells(copy.deepcopy(released(*texts)), "reflect", md("Hi!"))):
        judgements = judged(made)
        assert [j.present for j in judgements] == [text in GOOD for text in texts]
        assert [j.text.strip("?") for j in judgements] == [t if t in GOOD else "" for t in texts]


def test_a_list_within_one_answer_answers_no_other_question() -> None:
    points = "I changed three things:\n\n1. learning rate 0.001\n2. 64 units\n3. fewer epochs"
    first, *others = judged(released(points))
    assert first.present and first.text == points
    assert [fault_of(j) for j in others] == [Fault.UNTOUCHED] * 2


def test_notes_outside_of_the_questions_are_no_answers() -> None:
    made = with_cells(released(), "model", md(f"My notes\n\n{NUMBERED}"), md(f"## Tries\n{ONE}"))
    assert [fault_of(j) for j in judged(made)] == [Fault.UNTOUCHED] * 3
    no_reflections = [code("x = 1"), md("# My notebook")]
    made.cells = no_reflections
    assert [fault_of(j) for j in judged(made)] == [Fault.UNTOUCHED] * 3


def test_an_answer_may_have_headings_cells_and_labels_of_its_own() -> None:
    text = (
        f"### What went wrong\n\n{ONE}\n\nReflection 2 says what I did about it.\nQuestion 3: why?"
    )
    made = with_cells(
        released(text, TWO, THREE), "reflection-1", md(f"#### And then\n\n{ONE[::-1]}")
    )
    first, second, third = judged(made)
    assert first.text == f"{text}\n\n#### And then\n\n{ONE[::-1]}".replace("Question 3: ", "")
    assert (second.text, third.text) == (TWO, THREE)


@pytest.mark.parametrize("make", [lambda made: made, colab], ids=["here", "Colab"])
def test_a_former_question_is_no_answer(make: Any) -> None:
    """Who hands in the notebook of a release whose questions were other ones."""
    for answers in ((), GOOD):
        former = released(*answers)
        for name in NAMES:
            cell = next(c for c in former.cells if f"m5:{name} -->" in c.source)
            assert PROMPTS[name] in cell.source
            other = f"What would your neighbour have answered when asked about {name}?"
            cell.source = cell.source.replace(PROMPTS[name], other)
        for judgement, answer in zip(judged(make(former)), answers or [""] * 3, strict=True):
            assert judgement.text == answer
            assert fault_of(judgement) is (None if answer else Fault.UNTOUCHED)
            assert not judgement.remark


def test_an_answer_on_the_heading_itself() -> None:
    made = ending(
        md(f"### Reflection 1: {ONE}"), md("### Reflection 2"), md(TWO), md(f"A3: {THREE}")
    )
    assert [j.text for j in judged(made)] == [ONE, TWO, THREE]
    made = released()
    for name, answer in ANSWERS.items():
        cell = next(c for c in made.cells if f"m5:{name} -->" in c.source)
        cell.source = cell.source.replace(PROMPTS[name], f"{PROMPTS[name]} {answer}")
    assert [j.present for j in judged(made)] == [True] * 3


@pytest.mark.parametrize(
    "torn", ["BEGIN QUESTION", "<!-- BEGIN QUESTION", "&lt;!-- END QUESTION --&gt;"]
)
def test_what_is_left_of_otters_comments_is_no_text(torn: str) -> None:
    name = "<!--\nBEGIN QUESTION\nname: reflection_1\nmanual: true\n-->"
    made = released(f"{name}\n{torn}\n{PLACEHOLDER}", f"{TWO}\n\n{torn}", THREE)
    first, second, _ = judged(made)
    assert fault_of(first) is Fault.UNTOUCHED
    assert second.text == TWO


def test_a_picture_of_megabytes_does_not_hide_the_answer() -> None:
    picture = "![image.png](data:image/png;base64," + "A" * 3_000_000 + ")"
    first, *_ = judged(released(f"{picture}\n\n{ONE}"))
    assert first.present
    assert ONE in first.text and len(first.text) < 200


def test_training_logs_do_not_hide_the_answers() -> None:
    made = released(*GOOD)
    log = "\n".join(f"{n}/1875 - 2s - accuracy: 0.9{n}" for n in range(20_000))
    cell_of(made, "welcome").source = log
    made.cells.insert(1, code(log))
    assert all(j.present for j in judged(made))


@pytest.mark.parametrize(
    ("source", "text", "is_code"),
    [
        ("# one\n# two", "one\ntwo", False),
        ("#@markdown one", "one", False),
        ("'''one\ntwo'''", "one\ntwo", False),
        ("print('one')  # two", "one\ntwo", False),
        ("answer = 'one'", "one", False),
        ("display(Markdown('one'))", "one", False),
        ("%%markdown\n# one", "# one", False),
        ("!ls\n# one", "one", False),
        ("reflection_1 = 'one'", "reflection 1:\none", False),
        ("model = Sequential()  # one", "one", True),
        ("import numpy as np", "", True),
        ("", "", False),
        ("The rate was too high, I think.", "The rate was too high, I think.", False),
        ("It didn't learn because of the rate", "It didn't learn because of the rate", False),
        ("学习率 太高 了", "学习率 太高 了", False),
        ("def f(:", "", True),
        ("((((((((", "", True),
    ],
)
def test_words_in_code(source: str, text: str, is_code: bool) -> None:
    assert text_in_code(source) == (text, is_code)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*map(question, NAMES), ONE, *PROMPTS.values(), "Q2:", "# x", "'''"])
            | st.text(max_size=60),
            st.sampled_from([*NAMES, "other"]),
            st.sampled_from([md, code]),
        ),
        max_size=6,
    )
)
def test_any_notebook_is_searched_and_judged(cells: list[tuple[str, str, Any]]) -> None:
    judged(ending(*(make(text, tag) for text, tag, make in cells)))


def test_below_more_text_than_is_searched_an_answer_is_left_to_staff() -> None:
    made = released(*GOOD)
    notes = md("\n".join(["A line of my notes."] * 200))
    made.cells[1:1] = [notes] * (MAX_LINES // 200)
    for number, judgement in enumerate(judged(made), start=1):
        assert judgement.present and not judgement.reason
        assert f"Reflection {number} could not be judged" in judgement.remark
        assert f"more than {MAX_LINES:,} lines" in judgement.remark
    del made.cells[1:11]
    assert [judgement.text for judgement in judged(made)] == list(GOOD)


@pytest.mark.parametrize("make", [md, code])
def test_what_stands_beyond_the_part_of_a_cell_that_is_read_is_left_to_staff(make: Any) -> None:
    notes = '"""' + "A line of my notes.\n" * (MAX_CHARACTERS // 19)
    answers = "\n".join(f"Reflection {n}: {answer}" for n, answer in enumerate(GOOD, start=1))
    made = released()
    made.cells.append(make(f'{notes}\n{answers}\n"""'))
    for number, judgement in enumerate(judged(made), start=1):
        assert judgement.present and not judgement.reason
        assert f"Reflection {number} could not be judged" in judgement.remark
        assert f"{MAX_CHARACTERS:,} characters" in judgement.remark
    del made.cells[-1]
    assert not any(judgement.present for judgement in judged(made))


@pytest.mark.parametrize(
    "more",
    ["I then tried one more thing.\n" * 500, "\n" * MAX_CHARACTERS + "One more thing."],
    ids=["of text", "below blank lines, which count for nothing"],
)
def test_of_a_long_answer_staff_are_told_how_much_was_read(more: str) -> None:
    made = released(f"{GOOD[0]}\n{more}", *GOOD[1:])
    first, *others = judged(made)
    assert first.present and f"only {MAX_CHARACTERS:,} characters" in first.remark
    assert [judgement.remark for judgement in others] == ["", ""]
