"""dist/autograder.zip: what is in it, that nothing else changes its bytes, and its scripts."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.batch.versions import grader_version
from autograder.core.config import CHECK_NAMES
from autograder.core.errors import ReleaseError
from autograder.release import bundle as release_bundle
from autograder.release.bundle import NOT_INSTALLED, PLUGIN, bundle_files, pack, write_bundle
from tests.gradescope.conftest import ROOT, Autograder
from tests.notebooks import notebook, write

PRINT_HASH = (
    "import hashlib, sys; from pathlib import Path; from autograder.release.bundle import *; "
    "print(hashlib.sha256(pack(bundle_files(Path(sys.argv[1])))).hexdigest())"
)


def names_in(bundle: Path) -> list[str]:
    with zipfile.ZipFile(bundle) as archive:
        return archive.namelist()


def test_what_gradescope_and_otter_want_is_at_the_root(bundle: Path) -> None:
    names = names_in(bundle)
    assert {"setup.sh", "run_autograder", "requirements.txt", "otter_config.json"} <= set(names)
    assert {"environment.yml", "run_otter.py"} <= set(names)
    assert {f"tests/{name}.py" for name in CHECK_NAMES} <= set(names)
    with zipfile.ZipFile(bundle) as archive:
        for name in names:
            mode = archive.getinfo(name).external_attr >> 16 & 0o777
            assert mode == (0o755 if name in ("setup.sh", "run_autograder") else 0o644)


def test_no_answer_and_nothing_of_the_makers_is_in_it(tmp_path: Path) -> None:
    grader_version()  # leaves something beside the sources, as grading does
    bundle = tmp_path / "autograder.zip"
    bundle.write_bytes(pack(bundle_files(ROOT)))
    for name in names_in(bundle):
        assert not name.startswith(("files_m5/solutions", "files_m5/assignment/m5", "files/"))
        assert "__pycache__" not in name and "/release/" not in name
    with zipfile.ZipFile(bundle) as archive:
        for name in CHECK_NAMES:
            hidden = (ROOT / f"dist/tests/{name}.py").read_bytes()
            assert archive.read(f"files_m5/dist/tests/{name}.py") == hidden
            assert b"when_graded" not in archive.read(f"tests/{name}.py")


def test_what_stays_at_home_is_not_packed_because_somebody_imported_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for entry in ("batch.worker", "reports.pages.feedback"):
        monkeypatch.setattr(release_bundle, "ENTRIES", (entry,))
        with pytest.raises(ReleaseError, match="not to be uploaded"):
            bundle_files(ROOT)


def test_the_same_tree_gives_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    for name in ("assignment/data", "dist/tests", "student", "requirements"):
        shutil.copytree(ROOT / name, copy / name, copy_function=shutil.copyfile)
    shutil.copyfile(ROOT / "otter_config.json", copy / "otter_config.json")
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    done = subprocess.run(
        [sys.executable, "-c", PRINT_HASH, str(copy)],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        umask=0o077,
        env={**os.environ, "TZ": "Asia/Tokyo", "LANG": "C", "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip() == hashlib.sha256(bundle.read_bytes()).hexdigest()


def test_nothing_is_compressed(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        assert archive.namelist() == sorted(archive.namelist())


def test_order_of_making_does_not_matter() -> None:
    assert pack({"b": b"1", "a": b"2"}) == pack({"a": b"2", "b": b"1"})


def test_a_release_that_is_not_there(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "otter_config.json", tmp_path / "otter_config.json")
    (tmp_path / "requirements").mkdir()
    shutil.copyfile(ROOT / "requirements/runtime.txt", tmp_path / "requirements/runtime.txt")
    with pytest.raises(ReleaseError, match="run `m5 release`"):
        write_bundle(tmp_path)
    assert not (tmp_path / "dist/autograder.zip").exists()


def test_packages_are_pinned_and_none_is_for_pdfs_or_manuals(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        lines = archive.read("requirements.txt").decode().splitlines()
    ours = [line for line in lines if line and not line.startswith("#")]
    theirs = (ROOT / "requirements/runtime.txt").read_text().splitlines()
    assert set(ours) < set(theirs)
    assert all("==" in line for line in ours) and "otter-grader==7.0.0" in ours
    assert not [line for line in ours if line.startswith(NOT_INSTALLED)]
    assert "://" not in "".join(lines)


def test_grading_imports_nothing_that_is_left_out() -> None:
    blocked = ["playwright", "greenlet", "sphinx", "alabaster", "babel", "docutils", "imagesize"]
    code = (
        f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
        "import autograder.gradescope.grading, otter.test_files, dill\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


def test_stock_otter_is_told_to_use_the_plugin_and_nothing_risky(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        settings = json.loads(archive.read("otter_config.json"))
    assert settings["plugins"] == [PLUGIN]
    assert settings["grade_from_log"] is False and settings["show_hidden"] is False


@pytest.mark.parametrize("name", ["setup.sh", "run_autograder"])
def test_the_scripts_are_bash(autograder: Autograder, name: str) -> None:
    script = autograder.root / "source" / name
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert script.read_bytes().startswith(b"#!/usr/bin/env bash\n") and b"@" not in (
        script.read_bytes().replace(b'"$@"', b"").replace(b"@example", b"")
    )


def test_without_python_there_is_a_result(autograder: Autograder) -> None:
    done = subprocess.run(
        ["bash", str(autograder.root / "run_autograder"), str(autograder.root)],
        env={"PATH": os.environ["PATH"], "M5_VENV": "/nowhere"},
        capture_output=True,
    )
    assert done.returncode != 0
    assert "did not finish" in autograder.results["output"]


@pytest.mark.parametrize("deed", [": > {results}; kill -9 $$", "kill -9 $PPID"])
def test_what_becomes_of_python_and_bash_does_not_matter(autograder: Autograder, deed: str) -> None:
    environment = autograder.root / "venv/bin"
    environment.mkdir(parents=True)
    python = environment / "python"
    python.write_text(f"#!/bin/sh\n{deed.format(results=autograder.results_path)}\n")
    python.chmod(0o755)
    subprocess.run(
        ["bash", str(autograder.root / "run_autograder"), str(autograder.root)],
        env={"PATH": os.environ["PATH"], "M5_VENV": str(autograder.root / "venv")},
        capture_output=True,
    )
    assert "did not finish" in autograder.results["output"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("autograder/gradescope/supervisor.py", "this is no Python"),
        ("autograder/gradescope/grading.py", "this is no Python"),
        ("otter_config.json", "{"),
        ("assignment/data/mnist.npz", ""),
        ("student/m5.ipynb", "{}"),
    ],
)
def test_a_broken_grader_gives_no_grade(autograder: Autograder, file: str, content: str) -> None:
    """In whatever way the process that grades ends, tests/gradescope/test_supervisor.py tries."""
    (autograder.root / "source/files_m5" / file).write_text(content)
    write(autograder.submission / "m5.ipynb", notebook("1"))
    done = subprocess.run(
        ["bash", str(autograder.root / "run_autograder"), str(autograder.root)],
        env={"PATH": os.environ["PATH"], "M5_VENV": sys.prefix},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and "score" not in autograder.results
    assert "tell the course staff" in autograder.results["output"]
    assert done.stdout + done.stderr


STUBS = {
    "apt-get": "exit 0",
    "python3": 'case "$*" in --version) echo "Python 3.9.2";; *) exit 0;; esac',
    "id": "echo 0",
}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": "echo 1000"}, "must run as root"),
        ({"apt-get": '[ "$1" != update ]'}, "could not fetch its lists"),
        ({"apt-get": '[ "$1" != install ]'}, "could not install Python"),
        ({"python3": STUBS["python3"].replace("exit 0", "exit 1")}, "this image has Python 3.9.2"),
        ({"python3": '[ "$1" != -m ]'}, "no virtual environment"),
    ],
)
def test_setup_fails_with_a_sentence(
    autograder: Autograder, tmp_path: Path, changes: dict[str, str], sentence: str
) -> None:
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    for name, code in (STUBS | changes).items():
        (stubs / name).write_text(f"#!/bin/sh\n{code}\n")
        (stubs / name).chmod(0o755)
    done = subprocess.run(
        ["bash", str(autograder.root / "source/setup.sh")],
        env={"PATH": f"{stubs}:/usr/bin:/bin", "M5_VENV": str(tmp_path / "venv")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"setup.sh: {sentence}" in done.stderr or sentence in done.stderr
    assert "The image was not built." in done.stderr


@pytest.mark.long
def test_setup_stops_where_a_package_is_missing(autograder: Autograder, tmp_path: Path) -> None:
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    (stubs / "apt-get").write_text("#!/bin/sh\n")
    (stubs / "id").write_text("#!/bin/sh\necho 0\n")
    (stubs / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for stub in stubs.iterdir():
        stub.chmod(0o755)
    (autograder.root / "source/requirements.txt").write_text("no-such-package-m5==1.0\n")
    done = subprocess.run(
        ["bash", str(autograder.root / "source/setup.sh")],
        env={"PATH": f"{stubs}:/usr/bin:/bin", "M5_VENV": str(tmp_path / "venv")}
        | {"PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "pinned packages could not be installed" in done.stderr
