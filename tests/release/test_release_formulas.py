"""Formulas of the lesson: which are found, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.core.errors import ReleaseError
from autograder.release.notebooks import formulas_of


def notebook(text: str) -> Any:
    return {"cells": [{"cell_type": "markdown", "source": text}]}


def test_formulas_are_found_where_a_reader_sees_them() -> None:
    text = "$a$, `$b$`, \\$5 and $$\nc\n$$\n\n```\n$d$\n```\n$e\nf$"
    made = json.loads(formulas_of(notebook(text), "m5.ipynb"))
    assert list(made) == ["$$\nc\n$$", "$a$"]
    assert made["$a$"].startswith("<math ") and "<mi>a</mi>" in made["$a$"]


@pytest.mark.parametrize(
    "formula", [r"$\frac$", r"$\text{<script>}$", r"$\text{<b>x</b>}$", r"$\href{data:,}{a}$"]
)
def test_what_is_more_than_a_formula_is_refused_by_name(formula: str) -> None:
    with pytest.raises(ReleaseError, match=r"m5\.ipynb: \$"):
        formulas_of(notebook(formula), "m5.ipynb")
