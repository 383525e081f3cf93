"""Is what a run found judged alike before and after it was kept?"""

from __future__ import annotations

import msgspec
import pytest

from autograder.grading.evidence import Attempt, Evidence, decode_evidence, encode_evidence
from autograder.sandbox import CellRun, CellStatus, Ending, Execution


def evidence(**changes: object) -> Evidence:
    """Of a notebook that ended in its first cell."""
    cell = {"number": 1, "status": CellStatus.STOPPED, "seconds": 0.5, "first_line": "exit()"}
    execution = Execution(
        cells=(CellRun(**{**cell, **changes}),),  # type: ignore[arg-type]
        ending=Ending.KERNEL_DIED,
        notebook=None,
        seconds=0.5,
    )
    return Evidence(
        notebook=msgspec.Raw(b'{"cells":[]}'),
        attempts=(Attempt(seed=1, execution=execution, measured=None),),
    )


@pytest.mark.parametrize(
    "changes",
    [{}, {"seconds": 0}, {"seconds": -0.0}, {"first_line": "half a character: \ud800"}],
    ids=["as it is", "a whole number of seconds", "minus zero", "half a character"],
)
def test_whatever_a_run_left_is_read_back(changes: dict[str, object]) -> None:
    kept = encode_evidence(evidence(**changes))
    assert encode_evidence(decode_evidence(kept)) == kept
