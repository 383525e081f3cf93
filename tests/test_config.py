"""Are absurd values refused, with the name of the key?"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from autograder.core.config import CONFIG_NAME, parse_config
from autograder.core.errors import ConfigError

GOOD = json.loads((Path(__file__).parents[1] / "otter_config.json").read_text("utf-8"))

ABSURD = [
    ("accuracy.threshold", 95),
    ("accuracy.threshold", 0),
    ("accuracy.threshold", 1),
    ("accuracy.threshold", "95 %"),
    ("budget.max_parameters", 0),
    ("budget.max_parameters", 109_999.5),
    ("budget.max_parameters", 10**12),
    ("points.runs", -1),
    ("points.reflection_2", 10_000),
    ("points.bonus", 5),
    ("reflections.min_characters", 0),
    ("reflections.prompts.reflection_1", ""),
    ("reflections.prompts.reflection_3", "x" * 2001),
    ("starter.hidden_units", [1] * 9),
    ("starter.hidden_units", [1000, 0]),
    ("starter.learning_rate", 0),
    ("starter.epochs", 0),
    ("starter.epochs", True),
    ("assignment.id", "Not An Id"),
    ("assignment.title", ""),
    ("limits.notebook_seconds", 1e9),
    ("limits.cell_seconds", 0),
    ("verification.seed", -1),
    ("second_runs.margin", 0),
    ("second_runs.margin", 1),
    ("second_runs.count", -1),
    ("second_runs.count", 11),
    ("second_runs.count", 1.5),
    ("second_runs.seeds", [1, 2]),
    ("gradescope.container_seconds", 30),
    ("gradescope.leaderboard", "yes"),
    ("tresholds", {}),
]


def changed(key: str, value: Any) -> bytes:
    config = copy.deepcopy(GOOD)
    *sections, last = key.split(".")
    part = config
    for section in sections:
        part = part[section]
    part[last] = value
    return json.dumps(config).encode()


@pytest.mark.parametrize(("key", "value"), ABSURD)
def test_absurd_value_is_refused_with_its_key(key: str, value: Any) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_config(changed(key, value), "course.json")
    said = str(refusal.value)
    assert said.startswith("course.json: ") and said.endswith(".")
    assert key.rpartition(".")[0] in said and key.rpartition(".")[2] in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("accuracy.threshold", 0.999),
        ("budget.max_parameters", 1),
        ("points.accuracy", 0),
        ("starter.hidden_units", []),
        ("starter.learning_rate", 10),
        ("reflections.min_characters", 1),
        ("second_runs.margin", 0.1),
        ("second_runs.count", 0),
        ("second_runs.count", 10),
    ],
)
def test_the_ends_of_a_range_are_allowed(key: str, value: Any) -> None:
    parse_config(changed(key, value))


@pytest.mark.parametrize("section", sorted(name for name in GOOD if name[0] != "$"))
def test_missing_section_is_named(section: str) -> None:
    config = {name: part for name, part in GOOD.items() if name != section}
    with pytest.raises(ConfigError, match=f"missing required field `{section}`"):
        parse_config(json.dumps(config).encode())


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"assignment": 1}'])
def test_what_is_no_configuration_is_refused(text: bytes) -> None:
    with pytest.raises(ConfigError):
        parse_config(text)


def test_an_editor_may_put_a_mark_in_front() -> None:
    text = json.dumps(GOOD).encode()
    assert parse_config(b"\xef\xbb\xbf" + text) == parse_config(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b'{\n  "points": {\n    "runs" 10\n  }\n}\n', 3),
        (b'{\n  "budget": {\n    "max_parameters": 9\n  }\n  "points": {}\n}\n', 5),
        (b'{\n  "points": {\n', 3),
    ],
    ids=["colon", "comma", "cut"],
)
def test_a_slip_of_the_pen_has_its_line(text: bytes, line: int) -> None:
    with pytest.raises(ConfigError, match=rf"^{CONFIG_NAME}, line {line}, or just before it"):
        parse_config(text)


def test_all_points_zero_is_refused() -> None:
    points = dict.fromkeys(GOOD["points"], 0)
    with pytest.raises(ConfigError, match="worth nothing"):
        parse_config(changed("points", points))


@pytest.mark.parametrize(
    ("key", "value"),
    [("surprise", 1), ("limits.surprise", 1), ("limits.cell_seconds", 7000)],
    ids=["unknown", "unknown in a section", "more than the whole notebook has"],
)
def test_what_no_range_tells_is_refused_too(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=key.rpartition(".")[2]):
        parse_config(changed(key, value))
