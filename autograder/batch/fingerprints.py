"""What makes two gradings the same: the assignment as configured, and the answer handed in."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from autograder.assignment import Assignment
from autograder.report import Report

GRADING_VERSION = 1
"""To be raised when the grader grades otherwise than before, so that `--resume` grades again."""


def configuration_hash(assignment: Assignment) -> str:
    """SHA-256 of everything but the submission that a grade depends on."""
    tests = {path.name: path.read_text("utf-8") for path in sorted(assignment.tests.glob("*.py"))}
    layout = [field.name for field in msgspec.structs.fields(Report)]
    config = msgspec.to_builtins(assignment.config)
    return _digest([GRADING_VERSION, layout, config, tests, assignment.lesson_text])


def answer_hash(notebook: dict[str, Any]) -> str:
    """SHA-256 of a clean notebook's code and text; what it printed and who wrote it is left out.

    Tags are part of it, since reflections are found by them.
    """
    cells = []
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags")
        tags = sorted(map(str, tags)) if isinstance(tags, list) else []
        cells.append([cell["cell_type"], cell["source"], tags])
    return _digest(cells)


def _digest(value: Any) -> str:
    # ASCII: half a character, which UTF-8 cannot say, is legal in JSON's escapes.
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()
