"""executed.ipynb: the notebook with what its cells showed, of bounded size, made by the clerk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autograder.core.clerk import Bounds, Task, Unfinished, ask
from autograder.core.config import Record
from autograder.intake import Submission

MAX_OUTPUT_BYTES = 32 << 20
"""Of all outputs together, as JSON; the course keeps 8 MiB of what cells send, and control
characters take six bytes each."""
TOO_LARGE = {
    "output_type": "stream",
    "name": "stderr",
    "text": "[What this cell showed is too large to keep.]\n",
}
# The reference solution took 0.03 s of processor time, a cell of 64 MiB 1.1 s and 0.2 GB.
BOUNDS = Bounds(cpu_seconds=3, wall_seconds=9, memory_bytes=3 << 29, answer_bytes=160 << 20)


class Twins(Record, frozen=True):
    """A notebook that was run, and another one with the same code and text."""

    executed: bytes
    notebook: bytes
    """The clean notebook of the one that was not run, as JSON."""


WRITE: Task[bytes, bytes] = Task("autograder.batch.executed:write_executed", bytes, BOUNDS)
WRITE_TWIN: Task[Twins, bytes] = Task("autograder.batch.executed:write_twin", bytes, BOUNDS)


def executed_text(notebook: Mapping[str, Any]) -> tuple[str | None, str]:
    """The text of executed.ipynb, and a sentence for the log where it lacks something."""
    try:
        return _write(notebook), ""
    except Unfinished as unfinished:
        why = f"executed.ipynb has no outputs: they could not be written ({unfinished})."
    bare = [{**cell, "outputs": []} if "outputs" in cell else cell for cell in notebook["cells"]]
    try:
        return _write({**notebook, "cells": bare}), why
    except Unfinished as unfinished:
        return None, f"There is no executed.ipynb: it could not be written ({unfinished})."


def _write(notebook: Mapping[str, Any]) -> str:
    # ASCII, since outputs may hold half characters.
    return ask(WRITE, json.dumps(notebook).encode("ascii")).decode()


def write_executed(content: bytes) -> bytes:
    """Write an executed notebook as Jupyter does: what the clerk does."""
    import nbformat

    notebook = json.loads(content)
    _bound(notebook["cells"])
    return str(nbformat.writes(nbformat.from_dict(notebook))).encode("utf-8", "replace")


def warm_up() -> None:
    """Load what writing takes."""
    write_executed(b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}')


def _bound(cells: list[dict[str, Any]]) -> None:
    left = MAX_OUTPUT_BYTES
    for cell in cells:
        kept = []
        for output in cell.get("outputs", ()):
            left -= len(json.dumps(output))
            if left < 0:
                kept.append(TOO_LARGE)
                break
            kept.append(output)
        if "outputs" in cell:
            cell["outputs"] = kept


def executed_twin(executed: str | None, submission: Submission) -> str | None:
    """The submission's own notebook, with what its twin's cells gave: nothing else of the other's.

    Metadata are its own, since editors write names and times there.
    """
    if executed is None:
        return None
    twins = Twins(executed=executed.encode(), notebook=submission.data)
    try:
        return ask(WRITE_TWIN, twins).decode()
    except Unfinished:
        return submission.data.decode()


def write_twin(twins: Twins) -> bytes:
    """Put the outputs of one notebook into another: what the clerk does."""
    ran = json.loads(twins.executed)["cells"]
    notebook = json.loads(twins.notebook)
    for cell, other in zip(notebook["cells"], ran, strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"] = other.get("outputs", [])
            cell["execution_count"] = other.get("execution_count")
    return json.dumps(notebook, indent=1, ensure_ascii=False).encode()
