"""Do the public texts that this assignment grew from get the grades that they deserve?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.grading.pipeline import Grader
from autograder.intake.folders import handin_at
from tests.notebooks import notebook, write

pytestmark = pytest.mark.heavy
FOLDER = Path(__file__).parent
# File, accuracy passes, parameters, budget passes.
SEEDS = [
    ("original_starter", True, 795_120, False),
    ("student_512_256", True, 535_818, False),
    ("guide", True, 101_770, True),
    ("one_hot", True, 101_770, True),
    ("workflow", True, 535_818, False),
]


def grade(grader: Grader, tmp_path: Path, name: str, epochs: int | None = None) -> None:
    source = (FOLDER / name / "notebook.py").read_text(encoding="utf-8")
    if epochs is not None:
        source, changed = re.subn(r"^EPOCHS = \d+$", f"EPOCHS = {epochs}", source, flags=re.M)
        assert changed == 1
    cells = [cell.strip() for cell in source.split("# %%\n") if cell.strip()]
    path = write(tmp_path / f"{name}.ipynb", notebook(*cells))
    report = grader.grade(handin_at(path)).report
    _, accurate, parameters, small = next(seed for seed in SEEDS if seed[0] == name)
    accurate &= epochs is None
    assert report.network is not None, report.notes + report.staff_notes
    assert report.network.parameters == parameters
    failed = {check.name for check in report.checks if check.points < check.max_points}
    expected = ({"accuracy"} if not accurate else set()) | ({"budget"} if not small else set())
    assert failed == expected, (report.cells, report.network.accuracy)
    assert report.verdict.value == ("PASSED" if accurate and small else "FAILED")
    assert report.network.accuracy > 0.85


def test_one_of_them_cut_short(grader: Grader, tmp_path: Path) -> None:
    """One epoch is too little to pass, and enough to see that the network is read rightly."""
    grade(grader, tmp_path, "one_hot", epochs=1)


@pytest.mark.long
@pytest.mark.parametrize("name", [seed[0] for seed in SEEDS])
def test_seed_at_full_length(grader: Grader, tmp_path: Path, name: str) -> None:
    grade(grader, tmp_path, name)
