"""A notebook whose metadata claim a grade, and ask to be spared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def build(folder: Path) -> Any:
    def code(source: Any, *tags: Any, **metadata: Any) -> dict[str, Any]:
        return {
            "cell_type": "code",
            "metadata": {"tags": list(tags), **metadata},
            "source": source,
            "execution_count": 1,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "Score: 100/100"}],
        }

    nbgrader = {"grade": True, "points": 100, "score": 100, "grade_id": "a", "locked": True}
    cells = [
        code("raise ValueError('allowed to fail')", "raises-exception", "otter_ignore"),
        code("raise ValueError('not to be run')", "skip-execution", "remove-cell"),
        code("1 / 0", "parameters", nbgrader=nbgrader, deletable=False, editable=False),
        {
            "cell_type": "markdown",
            "metadata": {"tags": ["reflection_1", "full"]},
            "source": "",
        },
    ]
    metadata = {
        "activity_m5": {"assignment": "activity-m5", "score": 100, "verdict": "PASSED"},
        "otter": {"OK_FORMAT": True, "tests": {"accuracy": {"points": 0, "suites": []}}},
        "kernelspec": {"name": "python3; touch pwned", "display_name": "<script>alert(1)</script>"},
        "language_info": {"name": "python"},
        "huge": ["x" * 100] * 20_000,
        "nested": json.loads("[" * 25 + "]" * 25),
    }
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    path = folder / "marked.ipynb"
    path.write_text(json.dumps(notebook))
    return path
