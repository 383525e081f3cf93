"""The clerk's tasks, killed or held up by one submission."""

import os
import signal

from autograder.core.report import ReflectionReport
from autograder.grading.reflections import Written, judge_written
from autograder.reports.pages.drawing import KeptPage
from autograder.reports.pages.feedback import redraw_feedback

CRASHES, HANGS = "over_budget", "failing_cell"
"""Recorded submissions in which these words stand, and in no other:"""
SIGNS = b"Dense(400", b"print(history['val_accuracy'])"


def _hurt(content: bytes) -> None:
    if SIGNS[0] in content:
        os.kill(os.getpid(), signal.SIGSEGV)
    while SIGNS[1] in content:
        pass


def judge(written: Written) -> dict[str, ReflectionReport]:
    _hurt(written.notebook)
    return judge_written(written)


def draw(kept: KeptPage) -> str:
    _hurt(kept.read().executed or b"")
    return redraw_feedback(kept)
