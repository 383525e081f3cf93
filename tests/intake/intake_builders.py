"""Notebooks and files for the tests of intake, a line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autograder.intake import Handin, Submission, read_submission

ASSIGNMENT = "activity-m5"
PYTHON = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python", "version": "3.11.7"},
}


def code(source: Any = "print(1)", **extra: Any) -> dict[str, Any]:
    """A code cell as Jupyter saves it."""
    cell = {
        "cell_type": "code",
        "id": f"id-{abs(hash(str(source))) % 10**9}",
        "metadata": {},
        "source": source,
        "execution_count": 1,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1\n"}],
    }
    return cell | extra


def notebook(*cells: Any, **extra: Any) -> dict[str, Any]:
    """A notebook as Jupyter saves it, with one code cell if none is given."""
    base = {"nbformat": 4, "nbformat_minor": 5, "metadata": PYTHON}
    return base | {"cells": list(cells) or [code()]} | extra


def read(folder: Path, content: Any, name: str = "m5.ipynb") -> Submission:
    """Write `content` (bytes, or what becomes JSON) to a file and read it as a submission."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_submission(Handin(submission="m5", path=path), assignment_id=ASSIGNMENT)
