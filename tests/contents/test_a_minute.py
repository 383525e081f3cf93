"""No row takes longer than a minute beyond its cells: by limits that add up to one, not by luck.

Tasks of the clerk count with their processor time: as many submissions are graded side by side as
there are processors. On a machine that is busy with other things as well, three times that may
pass, so that no honest page is lost there.

What a network is measured with is not among them: that is bounded in multiply-adds
(`autograder.network.layer`), so that a grade never depends on how busy a machine is.
"""

from __future__ import annotations

import re
from pathlib import Path

import autograder
from autograder import intake
from autograder.batch import executed
from autograder.core import processes
from autograder.core.clerk import Task
from autograder.grading import reflections
from autograder.reports.pages import drawing
from autograder.sandbox import box, executor
from autograder.sandbox.box import limits

MINUTE = 60.0
ON_THE_WAY = (
    executor.EXPORT_SECONDS,
    executor.RETRACE_SECONDS,
    processes.KILL_SECONDS,
    box.END_SECONDS,
    limits.FAREWELL_SECONDS,
)
"""Limits between the end of the last cell and the finished row, in this order; then the tasks."""
ASKED_ON_THE_WAY = (
    reflections.JUDGE,  # begun before the first cell, and waited for after the last
    executed.WRITE,
    executed.WRITE,  # once more without outputs
    drawing.DRAW_STUDENT,
    drawing.DRAW_PLAINLY,
)
ELSEWHERE = (
    intake.READ,  # before the first cell
    executed.WRITE_TWIN,  # where no cell is run
    drawing.REDRAW_STUDENT,  # for all rows together, once they are there
    drawing.draw_class_task(1),
)


def test_all_limits_between_the_last_cell_and_the_row_are_a_minute_together() -> None:
    limits = [*ON_THE_WAY, *(task.bounds.cpu_seconds for task in ASKED_ON_THE_WAY)]
    assert sum(limits) <= MINUTE


def test_no_task_is_forgotten() -> None:
    """Each function that the clerk is asked for is counted above, or stands elsewhere."""
    folder = Path(autograder.__file__).parent
    source = "\n".join(path.read_text("utf-8") for path in folder.rglob("*.py"))
    asked = set(re.findall(r"\bTask\(\s*\"([\w.]+:\w+)\"", source))
    tasks: tuple[Task[object, object], ...] = (*ASKED_ON_THE_WAY, *ELSEWHERE)  # type: ignore[assignment]
    assert asked == {task.function for task in tasks}


def test_a_task_that_only_waits_ends_as_well() -> None:
    for task in (*ASKED_ON_THE_WAY, *ELSEWHERE):
        cpu_seconds, wall_seconds = task.bounds.cpu_seconds, task.bounds.wall_seconds
        assert cpu_seconds <= wall_seconds <= 3 * cpu_seconds, task.function
