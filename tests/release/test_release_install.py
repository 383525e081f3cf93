"""Does a release come out the same each time, whole, and without leftovers?"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from autograder.core.errors import ConfigError, DataError, ReleaseError
from autograder.release import check_release, hand_out_data, release

ROOT = Path(__file__).resolve().parents[2]
RELEASED = {
    "dist/tests/accuracy.py",
    "dist/tests/budget.py",
    "dist/tests/formulas.json",
    "dist/tests/reflection_1.py",
    "dist/tests/reflection_2.py",
    "dist/tests/reflection_3.py",
    "dist/tests/runs.py",
    "docs/otter_config.schema.json",
    "docs/students.md",
    "solutions/dropout_128.ipynb",
    "solutions/no_reflections.ipynb",
    "solutions/rate_only.ipynb",
    "solutions/reference.ipynb",
    "solutions/small_conv.ipynb",
    "solutions/tiny_conv.ipynb",
    "solutions/width_only.ipynb",
    "student/m5.ipynb",
    "student/requirements.txt",
    "student/tests/accuracy.py",
    "student/tests/budget.py",
}


def test_writes_exactly_the_known_files(project: Any) -> None:
    before = set(project.snapshot())
    summary = release(project.root)
    assert set(project.snapshot()) - before == RELEASED
    # The points in these are made of the configuration, and may have been right before.
    expectations = {path for path in summary.files if path.endswith(".expect.json")}
    assert expectations and set(summary.files) - expectations == RELEASED
    assert set(summary.changed) - expectations == RELEASED
    assert summary.removed == ()


def test_second_release_changes_nothing(released: Any) -> None:
    before = released.snapshot()
    summary = release(released.root)
    assert summary.changed == summary.removed == ()
    assert released.snapshot() == before


def test_other_process_with_other_hash_seed_makes_the_same_bytes(project: Any, shared: Any) -> None:
    """Sets and dictionaries must not decide on the order of anything."""
    code = "import sys, pathlib; from autograder.release import release as r; r(pathlib.Path('.'))"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.root,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
    assert project.snapshot() == shared.snapshot()


def test_fresh_release_has_no_problems(shared: Any) -> None:
    assert check_release(shared.root).problems == ()


def test_check_changes_nothing(released: Any) -> None:
    released.replace("student/requirements.txt", "keras", "torch")
    before = released.snapshot()
    assert check_release(released.root).problems
    assert released.snapshot() == before


def test_leaves_no_temporary_files_behind(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otter Assign by itself leaves a folder with the hidden tests."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    release(project.root)
    assert list(temporary.iterdir()) == []
    assert not list(project.root.rglob("*.part"))


def test_removes_what_an_earlier_release_wrote_and_nothing_else(released: Any) -> None:
    released.write("student/tests/old.py", released.read("student/tests/budget.py"))
    released.write("student/tests/mine.py", "x = 1\n")
    (released.root / "solutions/small_conv.md").unlink()
    released.write("solutions/by_hand.ipynb", released.read("student/m5.ipynb"))
    released.write("solutions/copy.ipynb", released.read("solutions/reference.ipynb"))
    problems = check_release(released.root).problems
    assert any(text.startswith("student/tests/old.py is left over") for text in problems)
    summary = release(released.root)
    assert summary.removed == ("solutions/small_conv.ipynb", "student/tests/old.py")
    assert (released.root / "student/tests/mine.py").exists()
    assert (released.root / "solutions/by_hand.ipynb").exists()
    assert (released.root / "solutions/copy.ipynb").exists(), "somebody's, under another name"
    assert check_release(released.root).problems == ()


@pytest.mark.parametrize("fails_at", [1, 5])
def test_a_release_that_stops_halfway_says_so_and_is_finished_by_the_next(
    released: Any, monkeypatch: pytest.MonkeyPatch, fails_at: Any
) -> None:
    """No file is half written, and no check takes the mixture for a release."""
    released.configure(accuracy={"threshold": 0.5}, points={"budget": 21})
    before = released.snapshot()
    calls = 0
    real = Path.replace

    def replace(self: Any, target: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise OSError(28, "No space left on device")
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(ReleaseError, match=f"No space left on device. {fails_at - 1} of"):
            release(released.root)
    halfway = released.snapshot()
    assert halfway.keys() == before.keys()
    assert sum(halfway[path] != before[path] for path in before) == fails_at - 1
    assert any("run `m5 release`" in text for text in check_release(released.root).problems)
    release(released.root)
    assert check_release(released.root).problems == ()


@pytest.mark.parametrize(
    ("cell", "edit", "message"),
    [
        (
            "objective",
            lambda text: text + "<!-- = accuracy.treshold -->95 %",
            "'objective'.*no value 'accuracy.treshold'",
        ),
        (
            "objective",
            lambda text: text + "<!-- = budget.max_parameters -->many",
            "'objective': no number follows",
        ),
        ("model", lambda text: text + "\na, b = 1, 2  # = budget.max_parameters", "one number"),
        ("end-budget", lambda text: "# END TESTS", "cell number .* 'end-budget'"),
        ("end-budget-tests", lambda text: "nothing", "non-code cell.* 'end-budget-tests'"),
        ("model", lambda text: text.replace("# END SOLUTION", "", 1), "PROMPT' is out of place"),
        ("model", lambda text: text[: text.rindex("# END SOLUTION")], "part is not closed"),
        ("model", lambda text: text.replace("Sequential(", "Sequential((", 1), "'model', line"),
        ("test-runs-hidden", lambda text: text + "\nif", "'test-runs-hidden'"),
        (
            "test-runs-hidden",
            lambda text: text.replace('"""Every', "#"),
            "one function, with a docstring",
        ),
        (
            "test-runs-hidden",
            lambda text: text.replace("every_cell_ran", "reflection_1_is_answered"),
            "two tests named",
        ),
        (
            "begin-runs",
            lambda text: text.replace("name: runs", "name: starts"),
            "checks: runs, starts",
        ),
        (
            "begin-runs",
            lambda text: text.replace("10  # = points.runs", "9"),
            "worth 9 points.* says 10",
        ),
        (
            "test-accuracy-hidden",
            lambda text: text.replace("measured > threshold", "measured > 0.5"),
            "when_graded.*write '# = accuracy.threshold'",
        ),
        (
            "test-budget-hidden",
            lambda text: text.replace("110000  # = budget.max_parameters", "1000"),
            "when_graded.*write '# = budget.max_parameters'",
        ),
        ("reflection-2-prompt", lambda text: text.replace("m5:", "m6:"), "reflection_2"),
        (
            "test-budget-public",
            lambda text: text.replace("counts", 'counts "all"'),
            "double quotes",
        ),
    ],
)
def test_broken_source_is_refused_and_the_former_release_stays(
    released: Any, cell: Any, edit: Any, message: Any
) -> None:
    released.edit_cell(cell, edit)
    before = released.snapshot()
    with pytest.raises(ReleaseError, match=message):
        release(released.root)
    assert released.snapshot() == before
    [problem] = check_release(released.root).problems
    assert problem.endswith(".")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "format 4.5"),
        ('{"cells": [{}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "format 4.5"),
    ],
)
def test_source_that_is_no_notebook_is_refused(released: Any, text: Any, message: Any) -> None:
    released.write("assignment/m5.ipynb", text)
    with pytest.raises(ReleaseError, match=message):
        release(released.root)


def test_missing_source_is_refused(project: Any) -> None:
    (project.root / "assignment/m5.ipynb").unlink()
    with pytest.raises(ReleaseError, match="cannot be read"):
        release(project.root)


def test_broken_config_is_refused_before_anything_else(released: Any) -> None:
    released.configure(accuracy={"threshold": 95})
    with pytest.raises(ConfigError):
        release(released.root)
    assert check_release(released.root).problems


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# Title\n", "## model"),
        ("## model\nno code\n", "## model"),
        ("## model\n```python\nmodel = (\n```\n", "## model, line 1"),
        ("## model\n```python\nx = 1\n```\n## remarks\nNone.\n", "'## remarks' is none of"),
        ("## model\n```python\nx = 1\n```\n## model\nNone.\n", "two sections"),
    ],
)
def test_broken_solution_is_refused(project: Any, text: Any, message: Any) -> None:
    project.write("solutions/broken.md", text)
    with pytest.raises(ReleaseError, match=message):
        release(project.root)


def test_a_slip_in_a_cell_is_named_where_it_is_to_be_mended(project: Any) -> None:
    """Not in the notebook that would have been made of it."""
    project.edit_cell("load-data", lambda text: f"({text}")
    with pytest.raises(ReleaseError, match=r"^assignment/m5\.ipynb, .*cell 'load-data', line 1"):
        release(project.root)


def test_a_class_without_internet_gets_the_digits_with_their_terms(project: Any) -> None:
    """The file is the one that the notebook knows by its SHA-256; another one is refused."""
    shutil.copytree(ROOT / "assignment/data", project.root / "assignment/data")
    npz, terms = (project.root / path for path in hand_out_data(project.root))
    assert hashlib.sha256(npz.read_bytes()).hexdigest() in project.sources("assignment/m5.ipynb")
    assert "Creative Commons" in terms.read_text("utf-8")
    (project.root / "assignment/data/mnist.npz").write_bytes(b"another")
    with pytest.raises(DataError, match="not the MNIST data"):
        hand_out_data(project.root)
