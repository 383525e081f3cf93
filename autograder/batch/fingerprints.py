"""What makes two gradings the same, beside the answer: the assignment as configured."""

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


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()
