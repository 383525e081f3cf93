"""From the zip to results.json, in a container of the test's own, as on Gradescope."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.core.config import CHECK_NAMES, load_config
from tests.gradescope.conftest import GOOD_NETWORK, ROOT, Autograder, InContainer
from tests.notebooks import notebook, write

POINTS = load_config(ROOT / "otter_config.json").points
SMALLEST = ("--closed", "--memory", "1500000000")
"""The smallest container that will do."""

FAILING_CELLS = (
    "import keras, os\nopen('/tmp/nowhere/x.csv')",
    "raise ValueError(os.getcwd() + ' ' + keras.__file__)",
    "open('/autograder/source/files_m5/dist/tests/accuracy.py').read()",
    "open('/autograder/submission_metadata.json').read()",
    "import no_such_package",
    "import sys; sys.exit(str(sys.path))",
)
"""Each trips over something, and says what it saw."""

METADATA = {
    "id": 4711,
    "users": [{"name": "Ada", "email": "ada@example.org"}, {"name": "Bo"}],
    "previous_submissions": [{"score": 3.0, "results": {"extra_data": "earlier secret"}}],
}


def submit(autograder: Autograder, content: Any, name: str = "m5.ipynb") -> None:
    write(autograder.submission / name, content)
    write(autograder.root / "submission_metadata.json", json.dumps(METADATA))


def secrets() -> list[str]:
    """Lines of the hidden tests, long enough to be nobody else's."""
    lines = []
    for path in (ROOT / "dist/tests").glob("*.py"):
        hidden = path.read_text().partition("when_graded")[2]
        lines += [line.strip() for line in hidden.splitlines() if len(line.strip()) > 30]
    assert len(lines) > 5
    return lines


def assert_nothing_leaks(autograder: Autograder, stdout: str) -> None:
    text = json.dumps(autograder.results, ensure_ascii=False)
    for secret in [*secrets(), "/autograder", "/tmp/", "/root", "/opt/", "earlier secret"]:
        assert secret not in text, secret
    if "private half " in stdout:
        private = stdout.partition("private half ")[2][:6]
        assert float(private) > 0 and private not in text
    assert "ada@example.org" not in text


def assert_good_but(failed: set[str], autograder: Autograder, stdout: str) -> None:
    """All points but those of what failed; all that Gradescope shows beside them; no leak."""
    results = autograder.results
    assert results["extra_data"]["submission"] == "submission_4711"
    statuses = [test["status"] for test in results["tests"][: len(CHECK_NAMES)]]
    assert statuses == ["failed" if name in failed else "passed" for name in CHECK_NAMES]
    assert results["score"] == POINTS.total - sum(POINTS.of(name) for name in failed)
    assert [entry["name"] for entry in results["leaderboard"]] == ["Parameters", "Accuracy"]
    assert results["leaderboard"][0] == {"name": "Parameters", "value": 50_890, "order": "asc"}
    assert "private half" in stdout and "ada@example.org" in stdout
    assert_nothing_leaks(autograder, stdout)


@pytest.mark.long
def test_a_good_notebook_where_there_are_namespaces(
    autograder: Autograder, in_container: InContainer
) -> None:
    submit(autograder, notebook(GOOD_NETWORK))
    done = in_container(autograder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert autograder.results["extra_data"]["box"] == "namespaces"
    assert_good_but(set(), autograder, done.stdout)


def test_a_good_network_in_a_notebook_that_trips_over_everything(
    autograder: Autograder, in_container: InContainer
) -> None:
    submit(autograder, notebook(GOOD_NETWORK, *FAILING_CELLS))
    done = in_container(autograder, *SMALLEST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "memory for the notebook cut to 1.06 GB" in done.stdout
    assert_good_but({"runs"}, autograder, done.stdout)
    results = autograder.results
    assert results["extra_data"]["box"] == "user"
    assert results["extra_data"]["verdict"] == "CELL_ERROR"
    boxes = {test["name"]: test["output"] for test in results["tests"][len(CHECK_NAMES) :]}
    assert len(boxes) == len(FAILING_CELLS)
    assert "x.csv" in boxes["Code cell 2: import keras, os"]
    text = " ".join(boxes.values())
    assert "PermissionError" in text and "ModuleNotFoundError" in text and "SystemExit" in text


def test_a_bad_upload_is_told_what_to_do(autograder: Autograder, in_container: InContainer) -> None:
    """Two notebooks in a zip; tests/intake has all that else may be wrong with an upload."""
    with zipfile.ZipFile(autograder.submission / "m5.zip", "w") as archive:
        archive.writestr("a.ipynb", nbformat.writes(notebook("a = 1")))
        archive.writestr("b.ipynb", nbformat.writes(notebook("b = 1")))
    write(autograder.root / "submission_metadata.json", json.dumps(METADATA))
    done = in_container(autograder, "--closed")
    assert done.returncode == 0, done.stdout + done.stderr
    results = autograder.results
    assert results["score"] == 0
    assert results["extra_data"]["verdict"] == "MALFORMED_SUBMISSION"
    assert "“a.ipynb”, “b.ipynb”" in results["output"]
    assert len(results["tests"]) == len(CHECK_NAMES)
    assert_nothing_leaks(autograder, done.stdout)


def test_gradescopes_smallest_container_blames_no_student(
    autograder: Autograder, in_container: InContainer
) -> None:
    submit(autograder, notebook("1"))
    done = in_container(autograder, "--closed", "--memory", "768000000")
    assert done.returncode == 2
    assert "Choose 3 GB" in done.stdout and "score" not in autograder.results


AS_64_BIT = GOOD_NETWORK.replace('_train.astype("float32") / 255', "_train / 255.0")


@pytest.mark.long
def test_a_notebook_that_honestly_needs_more_is_not_graded_down(
    autograder: Autograder, in_container: InContainer
) -> None:
    assert AS_64_BIT != GOOD_NETWORK
    submit(autograder, notebook(AS_64_BIT))
    done = in_container(autograder, *SMALLEST)
    assert done.returncode == 2
    assert "needed more than 1.06 GB" in done.stdout and "Choose 3 GB" in done.stdout
    assert "score" not in autograder.results


@pytest.mark.long
def test_a_notebook_without_end_is_stopped_in_time(
    autograder: Autograder, in_container: InContainer
) -> None:
    path = autograder.root / "source/files_m5/otter_config.json"
    settings = json.loads(path.read_text())
    settings["gradescope"] |= {"container_seconds": 70, "reserve_seconds": 30}
    path.write_text(json.dumps(settings))
    submit(autograder, notebook("kept = 1\nwhile True: pass"))
    done = in_container(autograder, "--closed")
    assert done.returncode == 0, done.stdout + done.stderr
    results = autograder.results
    assert results["extra_data"]["verdict"] == "TIMED_OUT"
    assert results["execution_time"] < 40


AS_64_BIT_ONE_HOT = (
    ('x_train.astype(\\"float32\\") / 255', "x_train / 255.0"),
    ('x_test.astype(\\"float32\\") / 255', "x_test / 255.0"),
    ("    y_train,\\n", "    keras.utils.to_categorical(y_train),\\n"),
    ("(x_test, y_test),  #", "(x_test, keras.utils.to_categorical(y_test)),  #"),
    ("sparse_categorical_crossentropy", "categorical_crossentropy"),
)
"""What many students do, and what takes the most memory that is honestly needed."""
CONTAINERS = {
    "1 CPU, 1.5 GB": ("--cpus", "1", "--memory", "1500000000"),
    "2 CPU, 3 GB": ("--cpus", "2", "--memory", "3000000000"),
    "half a CPU, 3 GB": ("--cpus", "0.5", "--memory", "3000000000"),
}
"""As docs/instructors.md has them; the smallest of Gradescope's refuses."""


# On half a CPU the starter, with 291 s on a whole one, has no chance to end within its 465 s.
GRADED_IN = [
    *(("reference", 100, container) for container in CONTAINERS),
    ("starter", 10, "1 CPU, 1.5 GB"),
    ("starter", 10, "2 CPU, 3 GB"),
    ("64 bit", 100, "2 CPU, 3 GB"),
]


@pytest.mark.long
@pytest.mark.parametrize(("name", "score", "container"), GRADED_IN)
def test_reference_and_starter_in_each_container(
    autograder: Autograder,
    in_container: InContainer,
    capsys: pytest.CaptureFixture[str],
    name: str,
    score: int,
    container: str,
) -> None:
    """Prints the table of docs/instructors.md, a line each."""
    path = ROOT / ("student/m5.ipynb" if name == "starter" else "solutions/reference.ipynb")
    content = path.read_text(encoding="utf-8")
    if name == "64 bit":
        for old, new in AS_64_BIT_ONE_HOT:
            assert old in content
            content = content.replace(old, new)
    submit(autograder, content)
    done = in_container(autograder, "--closed", *CONTAINERS[container])
    assert done.returncode == 0, done.stdout + done.stderr
    results = autograder.results
    assert results["score"] == score, done.stdout
    peak = done.stdout.partition("memory at its peak: ")[2].partition(";")[0]
    whole = done.stdout.partition("graded in ")[2].partition(" in all")[0]
    notebook_seconds = results["execution_time"]
    with capsys.disabled():
        print(f"\n{name} | {container} | {score} | {notebook_seconds:.0f} s | {whole} | {peak}")


def test_the_container_is_left_as_it_was(autograder: Autograder, in_container: InContainer) -> None:
    before = set(Path("/").iterdir())
    command = ("sh", "-c", f"touch /left /autograder/kept; ls; test ! -e {ROOT}/README.md")
    done = in_container(autograder, command=command)
    assert done.returncode == 0 and "source" in done.stdout
    assert set(Path("/").iterdir()) == before and (autograder.root / "kept").exists()
