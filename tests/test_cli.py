"""Does the command do what the README says, with files as people hand them in?"""

from __future__ import annotations

import base64
import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from autograder.cli import main
from autograder.core.assignment import Assignment
from autograder.core.errors import BoxError, ConfigError, ReleaseError, ResultsError, UsageError
from autograder.core.exit_status import ExitStatus
from autograder.core.mnist import Mnist
from autograder.core.report import Report
from autograder.core.verdict import Verdict
from autograder.reports.tables import COLUMNS
from tests.notebooks import SMALL_DATA, SMALL_NETWORK, notebook, read_json, write

HTML = "<!DOCTYPE html><html><body><div class='jp-Notebook'></div></body></html>"
DIVERGED = SMALL_NETWORK.replace("epochs=2", "epochs=1") + (
    "\nimport numpy as np\nmodel.set_weights([w * np.nan for w in model.get_weights()])\n"
)


def m5(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=600)


with_the_batch = pytest.mark.xdist_group("batch")
"""In one process, so that the batch is graded once."""


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == COLUMNS
        return {row["submission"]: row for row in reader}


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any]:
    """One call for everything that can be wrong with a file, and two that are right."""
    folder = tmp_path_factory.mktemp("batch") / "in"
    old = notebook(SMALL_DATA, SMALL_NETWORK)
    old.nbformat, old.nbformat_minor = 4, 2
    for cell in old.cells:
        del cell["id"]
    foreign = notebook("print(1)")
    foreign.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    foreign.metadata["language_info"] = {"name": "R"}
    files = {
        "good.ipynb": notebook(SMALL_DATA, SMALL_NETWORK),
        "old_without_ids.ipynb": old,
        "empty.ipynb": b"",
        "no_json.ipynb": "this is no JSON",
        "html.ipynb": HTML,
        "other_kernel.ipynb": foreign,
        "ancient.ipynb": '{"nbformat": 2, "nbformat_minor": 0, "worksheets": [], "metadata": {}}',
        "no_network.ipynb": notebook("x = 1"),
        "diverged.ipynb": notebook(SMALL_DATA, DIVERGED),
        "cell_fails.ipynb": notebook(SMALL_DATA, "model.fit()", SMALL_NETWORK),
        "nested/good.ipynb": notebook("raise ValueError('<script>alert(1)</script>')"),
    }
    for name, made in files.items():
        if not isinstance(made, (str, bytes)):
            made = nbformat.writes(made, version=nbformat.NO_CONVERT)
        write(folder / name, made)
    (folder.parent / "bare").mkdir()
    out = folder.parent / "out"
    done = m5("grade", folder, folder.parent / "bare", "-o", out)
    return folder, out, done


@with_the_batch
def test_every_file_gets_a_row(batch: tuple[Path, Path, Any]) -> None:
    folder, out, done = batch
    found = rows(out)
    assert len(found) == len(list(folder.rglob("*.ipynb"))), done.stderr
    assert done.returncode == ExitStatus.NOT_ALL_GRADED, done.stderr
    assert "bare” is empty" in done.stderr
    assert Verdict.GRADER_ERROR.value not in {row["verdict"] for row in found.values()}
    assert all(name in (out / "report.html").read_text(encoding="utf-8") for name in found)
    for name, row in found.items():
        place = out / "submissions" / name
        results = read_json(place / "results.json")
        assert float(row["score"]) == results["score"] == sum(t["score"] for t in results["tests"])
        report = msgspec.json.decode((place / "report.json").read_bytes(), type=Report)
        assert report.verdict.value == row["verdict"]
        assert (place / "grading.log").exists()
        assert report.headline in (place / "feedback.html").read_text(encoding="utf-8")
        gradable = report.verdict is not Verdict.MALFORMED_SUBMISSION
        assert (place / "executed.ipynb").exists() == gradable


@with_the_batch
@pytest.mark.parametrize(
    ("submission", "verdict", "says"),
    [
        ("empty", "MALFORMED_SUBMISSION", "empty"),
        ("no_json", "MALFORMED_SUBMISSION", "notebook"),
        ("html", "MALFORMED_SUBMISSION", "Download"),
        ("other_kernel", "MALFORMED_SUBMISSION", "Python"),
        ("ancient", "MALFORMED_SUBMISSION", "format"),
        ("no_network", "UNVERIFIABLE_MODEL", "model"),
        ("diverged", "UNVERIFIABLE_MODEL", "learning rate"),
        ("cell_fails", "CELL_ERROR", "code cell 2"),
    ],
)
def test_each_fault_is_told_to_the_student(
    batch: tuple[Path, Path, Any], submission: str, verdict: str, says: str
) -> None:
    _, out, _ = batch
    assert rows(out)[submission]["verdict"] == verdict
    told = (out / "submissions" / submission / "results.json").read_text(encoding="utf-8")
    assert says.lower() in told.lower(), told


def check_pictures(report: Any, mnist: Mnist) -> None:
    """They show public test images of the digit that was mixed up, and no private ones."""
    images, labels = mnist.public_test
    pairs = report["network"]["confusions"]
    assert [len(pair["pictures"]) for pair in pairs[:3]] == [3, 3, 3]
    for pair in pairs:
        for example, picture in zip(pair["examples"], pair["pictures"], strict=False):
            assert labels[example] == pair["digit"]
            shown = 255 - np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))))
            assert (shown == images[example]).all()
            assert not (mnist.private_test[0] == shown).all(axis=(1, 2)).any()


@with_the_batch
def test_good_notebooks_among_bad_ones_are_graded(
    batch: tuple[Path, Path, Any], mnist: Mnist, assignment: Assignment
) -> None:
    _, out, _ = batch
    points = assignment.config.points
    for name in ("in-good", "old_without_ids"):
        row = next(row for key, row in rows(out).items() if key.endswith(name.split("-")[-1]))
        assert row["points_runs"] == f"{points.runs}"
        assert row["parameters"] == "25450"
        assert 0.8 < float(row["accuracy"]) < 0.95
        report = read_json(out / "submissions" / row["submission"] / "report.json")
        check_pictures(report, mnist)
    failed = rows(out)["cell_fails"]
    assert (failed["points_runs"], failed["points_budget"]) == ("0", f"{points.budget}")


def test_grades_are_not_replaced_unasked(tmp_path: Path, root: Path) -> None:
    out = tmp_path / "out"
    arguments = ["grade", str(write(tmp_path / "x.ipynb", "no JSON")), "-o", str(out)]
    arguments += ["--root", str(root)]
    assert CliRunner().invoke(main, arguments).exit_code == ExitStatus.NOT_ALL_GRADED
    before = (out / "grades.csv").read_bytes()
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == ExitStatus.WRONG_USAGE and "--overwrite" in again.output
    assert (out / "grades.csv").read_bytes() == before
    again = CliRunner().invoke(main, [*arguments, "--overwrite"])
    assert again.exit_code == ExitStatus.NOT_ALL_GRADED


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
