"""`otter run` and the harness agree on every notebook of which the grade is known."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.release.bundle import bundle_files, pack
from tests.gradescope.conftest import ROOT, Autograder
from tests.gradescope.test_otter import otter_run

KNOWN = sorted((ROOT / "solutions").glob("*.expect.json"))
CONFIG = "files_m5/otter_config.json"


@pytest.fixture(scope="module")
def patient_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive with all the time there is: this is about scores, on a machine of any speed."""
    files = bundle_files(ROOT)
    settings = json.loads(files[CONFIG])
    settings["gradescope"]["container_seconds"] = 2400
    files[CONFIG] = json.dumps(settings).encode()
    path = tmp_path_factory.mktemp("patient") / "autograder.zip"
    path.write_bytes(pack(files))
    return path


@pytest.mark.long
@pytest.mark.parametrize("known", KNOWN, ids=lambda path: path.name.partition(".")[0])
def test_both_ways_give_the_known_scores(patient_bundle: Path, tmp_path: Path, known: Path) -> None:
    expected = json.loads(known.read_text())
    notebook = ROOT / expected["notebook"]
    place = Autograder(tmp_path / "autograder")
    place.submission.mkdir(parents=True)
    (place.submission / notebook.name).write_bytes(notebook.read_bytes())
    with zipfile.ZipFile(patient_bundle) as archive:
        archive.extractall(place.root / "source")
    command = [sys.executable, "-m", "autograder.gradescope.supervisor", "--root", str(place.root)]
    subprocess.run(
        command, cwd=place.root / "source/files_m5", check=True, capture_output=True, timeout=2500
    )
    ours = {
        name: test["score"]
        for name, test in zip(expected["points"], place.results["tests"], strict=False)
    }
    done = otter_run(patient_bundle, notebook, tmp_path, timeout=2500)
    assert done.returncode == 0, done.stdout + done.stderr
    otters = json.loads((tmp_path / "results.json").read_text())
    theirs = {test["name"]: test["score"] for test in otters["tests"] if "score" in test}
    assert ours == theirs == expected["points"]
    assert place.results["score"] == otters["score"] == expected["score"]
