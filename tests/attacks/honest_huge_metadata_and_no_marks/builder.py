"""The honest notebook as some editors would save it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attack_cases import HERE, read_notebook


def build(folder: Path) -> Any:
    notebook = read_notebook((HERE / "honest_plain/notebook.py").read_text())
    notebook["metadata"] = {"widgets": {"state": "x" * 1_000_000}, "colab": {"provenance": []}}
    notebook["nbformat_minor"] = 2
    for cell in notebook["cells"]:
        cell.pop("id")
        cell["metadata"] = {"scrolled": "yes", "ExecuteTime": {"end_time": None}}
        cell["source"] = cell["source"].splitlines(keepends=True)
    path = folder / "Copy of m5 (1).ipynb"
    path.write_text(json.dumps(notebook))
    return path
