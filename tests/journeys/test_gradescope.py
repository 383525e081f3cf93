"""What the instructor uploads, unpacked as Gradescope does it, grades what students upload."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from autograder.release.bundle import bundle_files, pack
from tests.gradescope.conftest import Autograder
from tests.journeys.conftest import ROOT, Graded
from tests.journeys.people import whole_class
from tests.notebooks import read_json, write


def test_an_upload_to_gradescope_gets_the_grade_that_the_ta_gets(
    graded_class: Graded, tmp_path: Path
) -> None:
    """In a folder in place of the container, which tests/gradescope builds where root may."""
    autograder = Autograder(tmp_path / "autograder")
    with zipfile.ZipFile(BytesIO(pack(bundle_files(ROOT)))) as archive:
        archive.extractall(autograder.root / "source")
    script = autograder.root / "run_autograder"
    script.write_bytes((autograder.root / "source/run_autograder").read_bytes())
    write(autograder.submission / "my homework (final).ipynb", whole_class()["colab_chinese"])
    done = subprocess.run(
        ["bash", str(script), str(autograder.root)],
        env={"PATH": os.environ["PATH"], "M5_VENV": sys.prefix},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results, row = autograder.results, graded_class.rows["colab_chinese"]
    assert results["score"] == float(row["score"])
    assert {test["score"] for test in results["tests"]} == {
        float(row[column]) for column in row if column.startswith("points_")
    }
    given = read_json(graded_class.file("colab_chinese", "results.json"))
    assert results["tests"] == given["tests"]
