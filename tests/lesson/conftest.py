"""The released notebook, cell by cell, and what its helper cells define."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib

matplotlib.use("agg")

ROOT = Path(__file__).resolve().parents[2]


def read_cells(path: Path) -> dict[str, dict[str, Any]]:
    """A notebook's cells by id, with their sources as one string."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return {cell["id"]: {**cell, "source": "".join(cell["source"])} for cell in cells}


@pytest.fixture(scope="session")
def cells() -> dict[str, dict[str, Any]]:
    """The student's notebook."""
    return read_cells(ROOT / "student/m5.ipynb")


@pytest.fixture
def variables(cells: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the notebook's variables are after the two cells with tools."""
    made: dict[str, Any] = {"__name__": "__main__"}
    for name in ("local-checks", "pictures"):
        exec(compile(cells[name]["source"], name, "exec"), made)
    return made
