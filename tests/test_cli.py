"""Does the command end as it should, whatever it is told? tests/journeys grades a class with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.core.errors import (
    BoxError,
    ConfigError,
    ExitStatus,
    ReleaseError,
    ResultsError,
    UsageError,
)
from tests.notebooks import notebook, read_json, write


def m5(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=600)


def test_grades_are_not_replaced_unasked(tmp_path: Path, root: Path) -> None:
    grades = write(tmp_path / "out/grades.csv", "an evening's work")
    arguments = ["grade", str(write(tmp_path / "x.ipynb", "no JSON")), "-o", str(grades.parent)]
    arguments += ["--root", str(root)]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == ExitStatus.WRONG_USAGE and "--overwrite" in refused.output
    assert grades.read_text() == "an evening's work"
    done = CliRunner().invoke(main, [*arguments, "--overwrite"])
    assert done.exit_code == ExitStatus.NOT_ALL_GRADED
    assert "MALFORMED_SUBMISSION" in grades.read_text("utf-8-sig")


def test_a_wrong_configuration_names_its_key(tmp_path: Path, root: Path) -> None:
    config = read_json(root / "otter_config.json")
    config["accuracy"]["threshold"] = 95
    path = tmp_path / "otter_config.json"
    path.write_text(msgspec.json.encode(config).decode())
    done = m5("grade", "x.ipynb", "-o", tmp_path / "out", "--root", root, "--config", path)
    assert done.returncode == ExitStatus.WRONG_USAGE
    assert "accuracy.threshold" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_isolation_can_be_required(tmp_path: Path, root: Path) -> None:
    path = write(tmp_path / "x.ipynb", notebook("x = 1"))
    arguments = ("grade", path, "-o", tmp_path / "out", "--root", root, "--require-isolation")
    done = m5(*arguments, "--box", "plain")
    # A plain box cannot promise that no process is left behind.
    assert done.returncode == ExitStatus.OUR_FAULT
    assert "leave a process behind" in done.stderr
    assert not list((tmp_path / "out" / "submissions").glob("*"))


def test_help_needs_no_heavy_import() -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom autograder.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "heavy = ('tensorflow', 'keras', 'numpy', 'otter', 'nbformat')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_grading_needs_no_tensorflow_outside_the_box() -> None:
    code = (
        "import sys, autograder.batch, autograder.grading.checks, autograder.batch.terminal\n"
        "autograder.grading.checks.load_otter()\n"
        "print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_help_and_the_page_for_tas_list_every_exit_status(root: Path) -> None:
    helped = CliRunner().invoke(main, ["grade", "--help"]).output
    page = (root / "docs/tas.md").read_text(encoding="utf-8")
    for status in ExitStatus:
        assert f"{status.value}  {status.meaning}" in helped
        assert f"| {status.value} | {status.meaning} |" in page


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (UsageError("No such \x1b[31mfile."), ExitStatus.WRONG_USAGE, "m5: No such file."),
        (ConfigError("Wrong."), ExitStatus.WRONG_USAGE, "m5: Wrong."),
        (ReleaseError("Wrong."), ExitStatus.WRONG_USAGE, "m5: Wrong."),
        (BoxError("Broken."), ExitStatus.OUR_FAULT, "m5: Broken."),
        (ResultsError("Full."), ExitStatus.OUR_FAULT, "m5: Full."),
        (ZeroDivisionError("x"), ExitStatus.OUR_FAULT, "m5: a fault of the grader"),
        (KeyboardInterrupt(), ExitStatus.INTERRUPTED, "m5: stopped"),
    ],
)
def test_every_end_has_its_status_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, status: ExitStatus, says: str
) -> None:
    def fail(start: Path) -> Path:
        raise error

    monkeypatch.setattr("autograder.core.assignment.find_root", fail)
    done = CliRunner().invoke(main, ["grade", "x.ipynb", "-o", "out"])
    assert done.exit_code == status
    assert f"\n{says}" in done.output
    assert "\x1b" not in done.output
