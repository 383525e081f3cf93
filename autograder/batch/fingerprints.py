"""What makes two gradings the same, beside the answer: the grader and the assignment."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from autograder.batch.grader_version import grader_version
from autograder.core.assignment import Assignment
from autograder.core.report import Report


def configuration_hash(assignment: Assignment) -> str:
    """SHA-256 of everything but the submission that a grade depends on, the grader included."""
    tests = {path.name: path.read_text("utf-8") for path in sorted(assignment.tests.glob("*.py"))}
    layout = [field.name for field in msgspec.structs.fields(Report)]
    config = msgspec.to_builtins(assignment.config)
    return _digest([grader_version(), layout, config, tests, assignment.lesson_text])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()
