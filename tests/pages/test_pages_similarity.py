"""Who has much in common, and who has not."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from autograder.core.assignment import read_lesson
from autograder.reports.code_tokens import normalised_code
from autograder.reports.pages.class_report import work_of
from autograder.reports.similarity import MAX_GROUPS, Work, find_similar

OWN_CODE = """
history = model.fit(x_train, y_train, epochs=6, validation_split=0.1)
fig, axes = plt.subplots(1, 2, figsize=(9, 3))
axes[0].plot(history.history["loss"], label="training loss")
axes[0].plot(history.history["val_loss"], label="validation loss")
axes[1].plot(history.history["accuracy"])
axes[1].set_ylim(0.8, 1.0)
for ax in axes:
    ax.legend()
wrong = np.flatnonzero(model.predict(x_test).argmax(axis=1) != y_test)
print("mistakes", len(wrong), wrong[:20])
"""
DISGUISED = """
# my very own work
%matplotlib inline
h = net.fit(a, b, epochs = 6, validation_split = 0.1,)   # train
picture, places = plt.subplots(1, 2, figsize=(9, 3))
places[0].plot(h.history['loss'], label='training loss')
places[0].plot(h.history['val_loss'], label='validation loss')
places[1].plot(h.history['accuracy'])

places[1].set_ylim(0.8, 1.0)
for place in places:
        place.legend()
bad = np.flatnonzero(net.predict(c).argmax(axis=1) != d)
print('mistakes', len(bad), bad[:20])
"""
HEADS = ("(x_train, y_train), (x_test, y_test) = load()\nmodel = build()",
         "(a, b), (c, d) = load()\nnet = build()")  # fmt: skip
ANSWER = (
    "The ten units of the second layer all died after the first epoch, since the learning rate "
    "was thirty times what Adam usually gets, and so every picture got the very same answer."
)


def code(key: str, *cells: str) -> Work:
    return Work(key=key, code=cells, answers=())


def text(key: str, *answers: str) -> Work:
    return Work(key=key, code=(), answers=answers)


def other_code(seed: int) -> str:
    """A cell that nobody else has."""
    chance = random.Random(seed)
    return "\n".join(
        f"x{i} = tool_{chance.randrange(10**6)}.call({chance.random()}, y={chance.random()})"
        for i in range(30)
    )


def test_disguised_copy_is_found() -> None:
    found = find_similar(
        [code("a", HEADS[0], OWN_CODE), code("b", HEADS[1], DISGUISED), code("c", other_code(1))]
    )
    assert [similar.keys for similar in found["code"]] == [("a", "b")]
    assert found["code"][0].share == pytest.approx(1.0)
    assert "figsize" in found["code"][0].sample


def test_partial_copy_is_found() -> None:
    lines = OWN_CODE.splitlines()
    found = find_similar([code("a", OWN_CODE), code("b", "\n".join(lines[:9]) + "\nx = f(1, 2)")])
    assert len(found["code"]) == 1
    assert 0.5 <= found["code"][0].share < 1


def test_what_was_released_is_nobodys(root: Path) -> None:
    released = work_of(read_lesson(root))
    works = [Work(key=key, code=released.code, answers=released.answers) for key in "abc"]
    assert find_similar(works, released) == {"code": [], "reflections": []}


def test_small_fixes_of_the_released_network_are_no_copies(root: Path) -> None:
    released = work_of(read_lesson(root))
    changes = {"Dense(1000": "Dense(96", "learning_rate=0.03": "learning_rate=0.001"}
    fixed = list(released.code)
    for before, after in changes.items():
        assert sum(before in cell for cell in fixed) == 1
        fixed = [cell.replace(before, after) for cell in fixed]
    works = [Work(key=key, code=fixed, answers=()) for key in "ab"]
    assert find_similar(works, released)["code"] == []


def test_the_same_answers_are_one_group() -> None:
    works = [text(key, ANSWER) for key in "abc"] + [text("d", "Something else, said shortly.")]
    found = find_similar(works)["reflections"]
    assert [(similar.keys, similar.share) for similar in found] == [(("a", "b", "c"), 1.0)]


def test_answers_with_some_changed_words_are_found() -> None:
    changed = ANSWER.replace("usually", "mostly").replace("very same", "same").upper()
    found = find_similar([text("a", ANSWER), text("b", changed)])["reflections"]
    assert [similar.keys for similar in found] == [("a", "b")]


def test_answers_in_scripts_without_blanks_are_compared() -> None:
    answer = "第一個網路的學習率太大，第二層只有十個單元，全部死掉了，所以每張圖片的答案都一樣。"
    found = find_similar([text("a", answer), text("b", answer + "準確率只有一成。")])
    assert [similar.keys for similar in found["reflections"]] == [("a", "b")]


def test_answers_on_one_subject_are_not_alike() -> None:
    other = (
        "Because the rate of learning was too high, the units of layer two were dead and the "
        "network said the same thing for all of the digits that I showed to it."
    )
    assert find_similar([text("a", ANSWER), text("b", other)])["reflections"] == []


def test_a_thousand_are_compared_in_seconds() -> None:
    codes = [other_code(n) for n in range(300)]
    works = [
        Work(key=f"{n}", code=[codes[n % len(codes)]], answers=[f"{ANSWER} {n} " * 5])
        for n in range(1000)
    ]
    start = time.process_time()
    found = find_similar(works)
    assert time.process_time() - start < 8
    assert len(found["code"]) == MAX_GROUPS


@pytest.mark.parametrize(
    "source",
    ["'" * 50_000, '"""' * 20_001, "(" * 50_000, "\\" * 50_000, "\ud800 = 1", "\0", "=" * 9],
)
def test_no_code_is_too_odd(source: str) -> None:
    start = time.process_time()
    normalised_code([source], frozenset())
    find_similar([code("a", source), code("b", source)])
    assert time.process_time() - start < 5


def test_names_read_alike_and_calls_stay() -> None:
    cells = ["net = layers.Dense(units=64)", "for i, k in net: net(k, units=i)\nwith f() as g: g"]
    assert normalised_code(cells, frozenset()) == [
        ("v", "=", "layers", ".", "Dense", "(", "units", "=", "64", ")"),
        ("for", "v", "v", "in", "v", ":", "v", "(", "v", "units", "=", "v", ")",
         "with", "f", "(", ")", "as", "v", ":", "v"),
    ]  # fmt: skip
