"""The released notebook, cell by cell, and what its helper cells define."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib

from tests.notebooks import TOOLS

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
def variables(cells: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the notebook's variables are after the cells with tools."""
    made: dict[str, Any] = {"__name__": "__main__", "get_ipython": MagicMock()}
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)  # the first cell sets it
    for name in TOOLS:
        exec(compile(cells[name]["source"], name, "exec"), made)
    return made
