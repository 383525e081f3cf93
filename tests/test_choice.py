"""Is the network that counts the one that the rules name, and is a student told what to rename?"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.network.beside import (
    CHOICE_NAME,
    MAX_DESCRIPTION_BYTES,
    Choice,
    read_choice,
    remarks_for_staff,
    remarks_for_student,
)
from autograder.sandbox.inside.epilogue import choose, describe, write_choice
from tests.network.network_harness import keras


def built(*, fitted: bool = False) -> Any:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    if fitted:
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return model


@pytest.fixture(scope="module")
def fitted() -> Any:
    return built(fitted=True)


@pytest.fixture(scope="module")
def last() -> Any:
    return built(fitted=True)


@pytest.fixture(scope="module")
def plain() -> Any:
    return built()


def unbuilt() -> Any:
    return keras.Sequential([keras.layers.Dense(2)])


def empty() -> Any:
    return keras.Sequential([keras.Input((3,)), keras.layers.Flatten()])


def chosen(variables: dict[str, Any], fitted_last: Any = None) -> tuple[Any, str, Choice]:
    network, chosen_by = choose(variables, fitted_last)
    found = describe(network, variables, fitted_last)
    return network, chosen_by, Choice(**found)


def test_model_counts_also_where_another_was_fitted_last(plain: Any, last: Any) -> None:
    network, chosen_by, choice = chosen({"model": plain, "net": last, "again": last}, last)
    assert network is plain and chosen_by == "the variable model"
    assert (choice.model, choice.fitted, choice.others) == ("graded", False, ["net", "again"])
    (told,) = remarks_for_student(choice, chosen_by)
    assert "`net`, `again` were" in told and "give it this name" in told
    assert "was never called" in remarks_for_staff(choice)[0]


def test_nothing_is_said_where_model_was_fitted(fitted: Any, last: Any) -> None:
    network, chosen_by, choice = chosen({"model": fitted, "net": last}, last)
    assert network is fitted
    assert remarks_for_student(choice, chosen_by) == [] == remarks_for_staff(choice)


@pytest.mark.parametrize(
    ("model", "state"),
    [(unbuilt, "empty"), (empty, "empty"), (dict, "no_network"), (None, "missing")],
)
def test_without_a_network_in_model_the_one_fitted_last_counts(
    model: Any, state: str, fitted: Any, last: Any, plain: Any
) -> None:
    variables = {"first": fitted, "net": last, "_hidden": plain, "later": plain}
    if model is not None:
        variables = {"model": model(), **variables}
    network, chosen_by, choice = chosen(variables, last)
    assert network is last and chosen_by == "the network fitted last"
    assert (choice.model, choice.names, choice.others) == (state, ["net"], ["first"])
    (told,) = remarks_for_student(choice, chosen_by)
    assert "graded is the network fitted last, `net`" in told and "`first`" in told
    assert "Name the one that counts `model`" in told


def test_without_a_fitted_network_the_last_defined_counts(plain: Any) -> None:
    other = built()
    network, chosen_by, choice = chosen({"a": other, "b": plain, "x": 3, "_c": other})
    assert network is plain and chosen_by == "the variable b"
    assert not choice.fitted and choice.others == []


def test_a_network_that_lives_in_a_function_is_still_known(last: Any) -> None:
    network, chosen_by, choice = chosen({"x": 3}, last)
    assert network is last and choice.names == [] and choice.fitted
    assert "graded is the network fitted last. Name" in remarks_for_student(choice, chosen_by)[0]


@pytest.mark.parametrize("model", [unbuilt, empty])
def test_where_nothing_can_be_measured_model_is_said_to_be_empty(model: Any) -> None:
    made = model()
    network, chosen_by, choice = chosen({"model": made})
    assert network is made and chosen_by == "the variable model"
    assert choice.model == "graded" and not choice.fitted
    assert choose({"x": 1, "model": {}}, None) == (None, "")


def test_what_the_box_writes_is_read(tmp_path: Path, plain: Any, last: Any) -> None:
    write_choice(plain, {"model": plain, "net": last}, last, str(tmp_path))
    assert read_choice(tmp_path) == chosen({"model": plain, "net": last}, last)[2]


SOUND: dict[str, Any] = {"format": 1, "model": "graded", "fitted": True, "names": [], "others": []}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        json.dumps(SOUND | {"format": 2}),
        json.dumps(SOUND | {"model": "excellent"}),
        json.dumps(SOUND | {"others": ["x"] * 11}),
        json.dumps(SOUND | {"others": ["x" * 201]}),
        json.dumps(SOUND | {"others": 5}),
        json.dumps(SOUND | {"points": 100}),
        json.dumps(SOUND) + " " * MAX_DESCRIPTION_BYTES,
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_what_is_not_as_the_box_writes_it_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / CHOICE_NAME).write_text(text)
    assert read_choice(tmp_path) is None


def test_no_link_is_followed_and_no_pipe_waited_for(tmp_path: Path) -> None:
    assert read_choice(tmp_path) is None and read_choice(tmp_path / "missing") is None
    (tmp_path / "secret").write_text(json.dumps(SOUND))
    (tmp_path / CHOICE_NAME).symlink_to(tmp_path / "secret")
    assert read_choice(tmp_path) is None
    (tmp_path / CHOICE_NAME).unlink()
    os.mkfifo(tmp_path / CHOICE_NAME)
    assert read_choice(tmp_path) is None


def test_names_are_shown_without_what_a_terminal_would_obey() -> None:
    choice = Choice(**SOUND | {"fitted": False, "others": ["a\x1b[2J\u202e"]})
    assert all(text.isprintable() for text in remarks_for_student(choice, "the variable model"))
