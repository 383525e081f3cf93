"""The same threads for every notebook, however many are graded side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.sandbox.box.command import THREAD_VARIABLES
from tests.notebooks import notebook, read_json, write

ROOT = Path(__file__).resolve().parents[2]
THREADS = 3
ASK = f"""import os, tensorflow
print("Said:", [os.environ.get(name) for name in {THREAD_VARIABLES!r}])"""


# That a forked box has the surroundings of a started one, tests/test_warm_start.py tries each time.
@pytest.mark.parametrize("jobs", [pytest.param(1, marks=pytest.mark.long), 2])
def test_side_by_side_and_in_turn_compute_alike(jobs: int, tmp_path: Path) -> None:
    config = read_json(ROOT / "otter_config.json")
    config["verification"]["threads"] = THREADS
    (tmp_path / "otter_config.json").write_text(json.dumps(config))
    # One after the other, they are forked; each with a process of its own, they are started.
    names = ["ann", "bob"]
    for name in names:
        write(tmp_path / f"class/{name}.ipynb", notebook(ASK, f"name = {name!r}"))
    arguments = [tmp_path / "class", "-o", tmp_path / "out", "--jobs", jobs, "--root", ROOT]
    arguments += ["--config", tmp_path / "otter_config.json"]
    result = CliRunner().invoke(main, ["grade", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    for name in names:
        (executed,) = (tmp_path / "out/submissions").glob(f"{name}*/executed.ipynb")
        assert f"Said: {[str(THREADS)] * len(THREAD_VARIABLES)}" in executed.read_text()
