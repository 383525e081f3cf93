"""Is an answer found, whatever a student did to the notebook?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.reflections import find_reflections, judge_reflections
from autograder.reflections.code_text import text_in_code

NAMES = ("reflection_1", "reflection_2", "reflection_3")
PROMPTS = {
    "reflection_1": "Why did the first network do poorly?",
    "reflection_2": "How did your changes help?",
    "reflection_3": "What else did you learn about tuning a neural network?",
}
PLACEHOLDER = "_Type your answer here, replacing this text._"
LESSON = (Path(__file__).parent / "lesson.md").read_text(encoding="utf-8")
ONE = "The learning rate was so high that all the neurons of the second layer died."
TWO = "With a smaller rate the loss went down in every epoch and the network learned."
THREE = "I learned to change one thing at a time and to look at the loss first."
ANSWERS = dict(zip(NAMES, (ONE, TWO, THREE), strict=True))

Cell = dict[str, Any]


def md(text: str, *tags: str, kind: str = "markdown") -> Cell:
    """A text cell."""
    return {"cell_type": kind, "metadata": {"tags": list(tags)}, "source": text}


def code(text: str, *tags: str) -> Cell:
    """A code cell."""
    return md(text, *tags, kind="code")


def prompt(number: int, marker: bool = True, heading: bool = True) -> str:
    """A question as the release has it, more or less of it."""
    name = f"reflection_{number}"
    lines = [f"<!-- m5:{name} -->"] if marker else []
    label = f"### Reflection {number}: " if heading else ""
    return "\n".join([*lines, label + PROMPTS[name]])


def released(one: str = ONE, two: str = TWO, three: str = THREE, tags: bool = True) -> list[Cell]:
    """The end of the released notebook, filled in."""
    cells = [code("model.fit(x_train, y_train)"), md("## Reflections\n\nAnswer each question.")]
    for number, answer in enumerate((one, two, three), start=1):
        cells.append(md(prompt(number)))
        cells.append(md(answer, *([f"reflection_{number}"] if tags else [])))
    cells.append(md("## Before you upload\n\nRun all cells, save the notebook, and upload it."))
    return cells


def find(cells: list[Cell], lesson: str = LESSON) -> dict[str, str]:
    """Find the answers in a notebook of these cells."""
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return find_reflections(notebook, names=NAMES, prompts=PROMPTS, lesson_text=lesson)


def own(cells: list[Cell], lesson: str = LESSON) -> dict[str, str]:
    """The students' own lines, as the judge leaves them."""
    judged = judge_reflections(
        find(cells, lesson), prompts=PROMPTS, lesson_text=LESSON, min_characters=40
    )
    return {name: judgement.text for name, judgement in judged.items()}


def labelled(*lines: str) -> list[Cell]:
    """Each line as a heading, followed by an answer in a cell of its own."""
    return [md(t) for pair in zip(lines, ANSWERS.values(), strict=True) for t in pair]


MERGED = "\n\n".join(prompt(n) + "\n\n" + a for n, a in enumerate(ANSWERS.values(), 1))
LAYOUTS: dict[str, list[Cell]] = {
    "as released": released(),
    "tags lost": released(tags=False),
    "markers and tags lost": [
        cell
        for n, answer in enumerate(ANSWERS.values(), 1)
        for cell in (md(prompt(n, marker=False)), md(answer))
    ],
    "only the questions left": [
        cell
        for n, answer in enumerate(ANSWERS.values(), 1)
        for cell in (md(prompt(n, marker=False, heading=False)), md(answer))
    ],
    "answers moved to the end": [
        *[md(prompt(n)) for n in (1, 2, 3)],
        code("x = 1"),
        *[md(a, name) for name, a in ANSWERS.items()],
    ],
    "answers in reverse order": [md(a, name) for name, a in reversed(ANSWERS.items())],
    "questions in reverse order": [
        cell for n in (3, 2, 1) for cell in (md(prompt(n)), md(ANSWERS[f"reflection_{n}"]))
    ],
    "all merged into one cell": [md(MERGED)],
    "all merged into one tagged cell": [md(MERGED, "reflection_1")],
    "answer merged with the next question": [
        md(prompt(1)),
        md(f"{ONE}\n\n{prompt(2)}", "reflection_1"),
        md(TWO, "reflection_2"),
        md(prompt(3)),
        md(THREE, "reflection_3"),
    ],
    "answers in the question's cell": [
        md(f"{prompt(n)}\n\n{a}") for n, a in enumerate(ANSWERS.values(), 1)
    ],
    "placeholder left above the answer": released(
        *(f"{PLACEHOLDER}\n\n{a}" for a in ANSWERS.values())
    ),
    "answer in a new cell below the placeholder": [
        cell
        for n, a in enumerate(ANSWERS.values(), 1)
        for cell in (md(prompt(n)), md(PLACEHOLDER, f"reflection_{n}"), md(a))
    ],
    "raw cells": [
        cell
        for n, a in enumerate(ANSWERS.values(), 1)
        for cell in (md(prompt(n)), md(a, kind="raw"))
    ],
    "comments in code": [
        cell for n, a in enumerate(ANSWERS.values(), 1) for cell in (md(prompt(n)), code("# " + a))
    ],
    "strings in code": [
        cell
        for n, a in enumerate(ANSWERS.values(), 1)
        for cell in (md(prompt(n)), code(f'answer_{n} = """{a}"""'))
    ],
    "printed": [
        cell
        for n, a in enumerate(ANSWERS.values(), 1)
        for cell in (md(prompt(n)), code(f"print('{a}')"))
    ],
    "prose in a code cell": released(tags=True)[:2]
    + [
        cell
        for n, a in enumerate(ANSWERS.values(), 1)
        for cell in (md(prompt(n)), code(a, f"reflection_{n}"))
    ],
    "prose in a code cell without tag": [
        cell for n, a in enumerate(ANSWERS.values(), 1) for cell in (md(prompt(n)), code(a))
    ],
    "markdown magic": [
        cell
        for n, a in enumerate(ANSWERS.values(), 1)
        for cell in (md(prompt(n)), code(f"%%markdown\n{a}"))
    ],
    "code between question and answer": [
        cell
        for n, a in enumerate(ANSWERS.values(), 1)
        for cell in (md(prompt(n)), code("plt.plot(history)"), md(a))
    ],
    "bold labels": labelled("**Reflection 1**", "**Reflection 2:**", "**Reflection 3** -"),
    "plain labels": labelled("Reflection 1:", "Reflection 2.", "reflection #3:"),
    "HTML headings": labelled(*(f"<h3>Reflection {n}</h3>" for n in (1, 2, 3))),
    "Roman numbers": labelled("## Reflection I", "## Reflection II", "## Reflection III"),
    "Portuguese": labelled("### Reflexão 1: Por quê?", "### Reflexão 2", "### Reflexão 3"),
    "Spanish": labelled("### Reflexión 1", "### Reflexión nº 2", "### Reflexión 3:"),
    "French": labelled("### Réflexion 1 : pourquoi ?", "### Réflexion n° 2", "### Reflexion 3"),
    "Russian": labelled("### Размышление 1:", "### Размышление № 2", "### Размышление 3."),
    "Chinese": labelled("### 反思 1：", "### 反思二", "### 第三个反思"),
    "Japanese": labelled("### 振り返り１", "### 振り返り 2：", "### 振り返り③"),
    "Korean": labelled("### 성찰 1", "### 성찰 2:", "### 성찰 3"),
    "Arabic": labelled("### تأمل ١", "### تأمل 2:", "### تأمل ٣"),
    "Hindi": labelled("### चिंतन १", "### चिंतन 2:", "### चिंतन ३"),
    "Thai": labelled("### การสะท้อนคิด ๑", "### การสะท้อนคิด 2", "### การสะท้อนคิด 3"),
    "Hebrew": labelled("### רפלקציה 1", "### רפלקציה 2:", "### רפלקציה 3"),
    "German": labelled("### Reflexion 1", "### Reflexion Nr. 2", "### Reflexion 3"),
    "Swedish": labelled("### Reflektion 1", "### Reflektion 2", "### Reflektion 3"),
    "Question and number": labelled("### Question 1", "### Question 2", "### Question 3"),
}


@pytest.mark.parametrize("lesson", [LESSON, ""], ids=["with lesson", "without"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_answers_are_found(layout: str, lesson: str) -> None:
    found = own(LAYOUTS[layout], lesson)
    for name, answer in ANSWERS.items():
        assert answer in found[name], (name, found)
        for other in set(ANSWERS.values()) - {answer}:
            assert other not in found[name], (name, found)


def test_released_notebook_holds_no_answer() -> None:
    found = find(released(PLACEHOLDER, PLACEHOLDER, PLACEHOLDER))
    judged = judge_reflections(found, prompts=PROMPTS, lesson_text=LESSON, min_characters=40)
    assert [str(j.fault.value) for j in judged.values() if j.fault] == ["placeholder"] * 3


@pytest.mark.parametrize("missing", [1, 2, 3])
@pytest.mark.parametrize("tags", [True, False])
def test_blank_answer_takes_nothing_from_its_neighbours(missing: int, tags: bool) -> None:
    given_answers = ["" if n == missing else a for n, a in enumerate(ANSWERS.values(), 1)]
    found = find(released(*given_answers, tags=tags))
    judged = judge_reflections(found, prompts=PROMPTS, lesson_text=LESSON, min_characters=40)
    assert [j.present for j in judged.values()] == [bool(a) for a in given_answers]


def test_nothing_is_found_where_nothing_is() -> None:
    assert find([]) == dict.fromkeys(NAMES, "")
    assert find([code("x = 1"), md("# My notebook")]) == dict.fromkeys(NAMES, "")


def test_answer_with_its_own_headings_and_cells() -> None:
    cells = [md(prompt(1)), md("### What went wrong\n\n" + ONE), md("#### And then\n\n" + TWO)]
    found = find(cells)["reflection_1"]
    assert ONE in found
    assert TWO in found


def test_answer_on_the_heading_itself() -> None:
    cells = [md(f"### Reflection 1: {ONE}"), md("### Reflection 2"), md(TWO)]
    assert own(cells)["reflection_1"] == ONE
    assert own(cells)["reflection_2"] == TWO


def test_sentence_that_begins_like_a_label_is_none() -> None:
    answer = f"{TWO}\nReflection 1 already said why the rate matters."
    assert "already said" in find(released(two=answer))["reflection_2"]


def test_picture_of_megabytes_does_not_hide_the_answer() -> None:
    picture = "![image.png](data:image/png;base64," + "A" * 3_000_000 + ")"
    assert ONE in own(released(one=f"{picture}\n\n{ONE}"))["reflection_1"]


@pytest.mark.parametrize(
    ("source", "text", "is_all"),
    [
        ("# one\n# two", "one\ntwo", True),
        ("#@markdown one", "one", True),
        ("'''one\ntwo'''", "one\ntwo", True),
        ("print('one')  # two", "one\ntwo", True),
        ("answer = 'one'", "one", True),
        ("display(Markdown('one'))", "one", True),
        ("%%markdown\n# one", "# one", True),
        ("!ls\n# one", "one", True),
        ("model = Sequential()  # one", "one", False),
        ("import numpy as np", "", False),
        ("", "", True),
        ("The rate was too high, I think.", "The rate was too high, I think.", True),
        ("It didn't learn because of the rate", "It didn't learn because of the rate", True),
        ("学习率 太高 了", "学习率 太高 了", True),
        ("def f(:", "", False),
        ("((((((((", "", False),
    ],
)
def test_words_in_code(source: str, text: str, is_all: bool) -> None:
    found = text_in_code(source)
    assert (found.text.strip(), found.is_all) == (text, is_all)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    st.lists(
        st.builds(
            md,
            st.sampled_from([prompt(1), prompt(2), ONE, "## Reflection 3", "# x", "'''", "(" * 99])
            | st.text(max_size=60),
            st.sampled_from([*NAMES, "other"]),
            kind=st.sampled_from(["code", "markdown", "raw"]),
        ),
        max_size=6,
    )
)
def test_any_notebook_is_searched_and_judged(cells: list[Cell]) -> None:
    found = find(cells)
    assert list(found) == list(NAMES)
    judged = judge_reflections(found, prompts=PROMPTS, lesson_text=LESSON, min_characters=40)
    assert all(bool(j.reason) != j.present for j in judged.values())


HOSTILE = {
    "one letter": "a" * 1_000_000,
    "one letter, spaced": "a " * 500_000,
    "two words": "ab cd " * 200_000,
    "brackets": "[" * 500_000,
    "images": "![" * 300_000,
    "tags": "<b " * 300_000,
    "comments": "<!--" * 250_000,
    "labels": "### Reflection\n" * 60_000,
    "stars": "*" * 900_000,
    "blanks": " " * 900_000,
    "marks": "a" + "\u0301" * 500_000,
    "quotes": "'" * 900_000,
    "lesson": LESSON * 20,
    "questions": (PROMPTS["reflection_1"] + "\n") * 20_000,
    "lines": "x\n" * 400_000,
    "ligatures": "\ufdfa" * 200_000,
}


@pytest.mark.parametrize("kind", ["markdown", "code"])
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_is_judged_in_seconds(case: str, kind: str) -> None:
    start = time.process_time()
    own([md(HOSTILE[case], name, kind=kind) for name in NAMES])
    assert time.process_time() - start < 5
