"""Stock `otter run` on the archive: our scores, and nothing of the student's in Otter's hands."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.core.config import CHECK_NAMES, load_config
from autograder.core.report import Verdict
from autograder.otter import otter_results, write_pickle
from autograder.otter.plugin import ActivityM5Plugin, NotGraded
from tests.gradescope.conftest import GOOD_NETWORK, ROOT, Autograder
from tests.gradescope.reports import check, report
from tests.notebooks import notebook

OTTER = [str(Path(sys.executable).with_name("otter")), "run", "--no-logo"]
TOUCH = "import pathlib; pathlib.Path({!r}).write_text('ran')"


def otter_run(
    bundle: Path, submission: Path, output: Path, *, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*OTTER, "-a", str(bundle), "-o", str(output), str(submission)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=output,
    )


class Mine:
    """Runs a command where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return exec, (TOUCH.format(str(self.path)),)


def test_the_same_scores_and_nothing_runs_outside_the_box(bundle: Path, tmp_path: Path) -> None:
    """A zip that holds everything that Otter would load: a log, modules of well-known names."""
    trap = tmp_path / "trap"
    submission = tmp_path / "m5.zip"
    with zipfile.ZipFile(submission, "w") as archive:
        trapped = notebook(TOUCH.format(str(trap)), GOOD_NETWORK)
        archive.writestr("m5.ipynb", nbformat.writes(trapped))
        archive.writestr(".OTTER_LOG", pickle.dumps(Mine(trap)))
        for name in ("otter", "logging", "pickle", "sitecustomize", "numpy", "__init__"):
            archive.writestr(f"{name}.py", TOUCH.format(str(trap)))
        archive.writestr("tests/runs.py", TOUCH.format(str(trap)))
        archive.writestr("autograder/__init__.py", TOUCH.format(str(trap)))
    done = otter_run(bundle, submission, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not trap.exists()
    results = json.loads((tmp_path / "results.json").read_text())
    scores = {test["name"]: test["score"] for test in results["tests"] if "score" in test}
    points = load_config(ROOT / "otter_config.json").points
    # The first cell may not write there, so that one check fails.
    assert scores == {name: points.of(name) for name in CHECK_NAMES} | {"runs": 0}
    assert results["score"] == points.total - points.runs
    text = json.dumps(results)
    assert "did not run" not in text and "when_graded" not in text
    assert "PLUGIN REPORT" in done.stdout and "90.000 / 100.000" in done.stdout


def test_a_failure_of_the_grader_is_no_zero_for_otter_either(bundle: Path, tmp_path: Path) -> None:
    broken = tmp_path / "autograder.zip"
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            content = b"{" if name == "files_m5/otter_config.json" else old.read(name)
            new.writestr(name, content)
    (tmp_path / "m5.ipynb").write_text(nbformat.writes(notebook("1")))
    done = otter_run(broken, tmp_path / "m5.ipynb", tmp_path)
    assert done.returncode != 0 and "This is no grade" in done.stdout + done.stderr
    assert not (tmp_path / "results.json").exists()


def test_otters_record_has_our_scores_and_words_and_no_tests() -> None:
    made = otter_results(report(checks=[check("runs"), check("budget", passed=False)]))
    assert (made.total, made.possible) == (10, 20)
    assert made.get_score("budget") == 0 and not made.get_result("budget").passed_all
    summary = made.summary()
    assert "what was measured" in summary and "what to do next" in summary


def test_otter_grade_is_told_that_there_is_no_grade(tmp_path: Path) -> None:
    import dill

    write_pickle(report(Verdict.GRADER_ERROR), tmp_path / "results.pkl")
    found = dill.loads((tmp_path / "results.pkl").read_bytes())
    assert found.has_catastrophic_failure() and "no grade" in str(found.catastrophic_error)
    write_pickle(report(), tmp_path / "results.pkl")
    assert dill.loads((tmp_path / "results.pkl").read_bytes()).total == 60


def test_the_harness_leaves_a_record_where_otter_grade_asks_for_one(
    autograder: Autograder,
) -> None:
    import dill

    (autograder.submission / "m5.html").write_text("<html>")
    (autograder.root / "results").mkdir()
    (autograder.root / "results/results.pkl").touch()
    # The image of `otter grade` has the grader's files in this folder.
    (autograder.root / "source/files_m5").rename(autograder.root / "source/files")
    subprocess.run(
        ["bash", str(autograder.root / "run_autograder"), str(autograder.root)],
        env={"PATH": "/usr/bin:/bin", "M5_VENV": sys.prefix},
        check=True,
        capture_output=True,
    )
    found = dill.loads((autograder.root / "results/results.pkl").read_bytes())
    assert (found.total, found.possible) == (0, 100)


def test_the_plugin_runs_nothing_it_has_not_graded() -> None:
    plugin = ActivityM5Plugin("/nowhere/m5.ipynb", {}, {})
    with pytest.raises(NotGraded):
        plugin.before_execution(notebook("1"))
