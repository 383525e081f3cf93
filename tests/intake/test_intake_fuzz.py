"""Whatever the bytes: a valid notebook, or `MalformedSubmission`, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from intake_builders import code, notebook, read

from autograder.core.errors import MalformedSubmission

in_a_folder = settings(
    deadline=None,
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = ["cell_type", "source", "metadata", "id", "outputs", "attachments", "tags"]
cell_likes = st.dictionaries(
    st.sampled_from(KEYS),
    st.sampled_from(["code", "markdown", "raw", "heading", "x = 1"]) | json_values,
)
notebook_likes = st.fixed_dictionaries(
    {},
    optional={
        "nbformat": st.sampled_from([3, 4, "4", 4.0, True]) | json_values,
        "nbformat_minor": json_values,
        "metadata": st.dictionaries(
            st.sampled_from(["kernelspec", "language_info", "activity_m5", "authors", "x"]),
            json_values,
        )
        | json_values,
        "cells": st.lists(cell_likes | json_values, max_size=5) | json_values,
    },
)


def assert_harmless(folder: Path, content: bytes) -> None:
    try:
        submission = read(folder, content)
    except MalformedSubmission as refusal:
        str(refusal).encode()
        return
    nbformat.validate(nbformat.from_dict(submission.notebook))
    json.dumps(submission.notebook, allow_nan=False, ensure_ascii=False).encode()


@in_a_folder
@given(content=st.binary(max_size=200))
@example(content=b'{"cells":[{}]}')
@example(content=b"\xff\xfe")
@example(content=b"\x00{")
@example(content=b"1e99999")
@example(content=b"NaN")
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    assert_harmless(tmp_path, content)


@in_a_folder
@given(document=json_values | notebook_likes)
def test_any_json(tmp_path: Path, document: Any) -> None:
    assert_harmless(tmp_path, json.dumps(document).encode())


@in_a_folder
@given(document=notebook_likes)
def test_any_notebook_with_one_sound_cell(tmp_path: Path, document: dict[str, Any]) -> None:
    cells = document.get("cells")
    document["cells"] = [code(), *(cells if isinstance(cells, list) else [])]
    assert_harmless(tmp_path, json.dumps(document).encode())


@in_a_folder
@given(data=st.data())
def test_any_damage(tmp_path: Path, data: st.DataObject) -> None:
    """Cut, overwritten or doubled somewhere in the middle."""
    content = json.dumps(notebook(code("é = 1"), code()), ensure_ascii=False).encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    patch = data.draw(st.binary(max_size=10) | st.just(content[start:end] * 2))
    assert_harmless(tmp_path, content[:start] + patch + content[end:])


@pytest.mark.parametrize("depth", [10, 40, 300, 900, 2_000, 100_000])
@pytest.mark.parametrize("key", ["metadata", "cells", "outputs", "junk"])
def test_any_depth(depth: int, key: str, tmp_path: Path) -> None:
    deep = '{"a":[' * depth + "1" + "]}" * depth
    text = json.dumps(notebook(code(), junk=0))
    text = text.replace(f'"{key}": ', f'"{key}": {deep}, "was": ', 1)
    assert_harmless(tmp_path, text.encode())
