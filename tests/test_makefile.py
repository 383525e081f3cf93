"""Does `make setup` find a Python that works, and name those that would?"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CHOSEN = """#!/bin/sh
case "$1" in
    -c) {answer} ;;
    *) echo "{name} $*" >> "{log}"; exit 7 ;;
esac
"""


@pytest.fixture
def setup(root: Path, tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Runs `make setup` where only the given Pythons are; each says whether it works."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(root / name, tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/dev.txt").touch()

    def run(*arguments: str, **pythons: bool) -> tuple[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        log = tmp_path / "log"
        log.write_text("")
        for name, works in pythons.items():
            path = folder / name.replace("_", ".")
            answer = "exit 0" if works else "exit 1"
            path.write_text(CHOSEN.format(answer=answer, name=path.name, log=log))
            path.chmod(0o755)
        (folder / "sh").unlink(missing_ok=True)
        (folder / "sh").symlink_to("/bin/sh")
        done = subprocess.run(
            [make, *arguments, "setup"],
            cwd=tmp_path,
            env={"PATH": str(folder)},
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0
        return done.stdout + done.stderr, log.read_text()

    return run


def test_the_first_that_works_is_taken(setup: Callable[..., tuple[str, str]]) -> None:
    _, log = setup(python3=False, python3_12=True, python3_11=True)
    assert log.startswith("python3.12 -m venv")
    _, log = setup(python3=True, python3_12=True)
    assert log.startswith("python3 -m venv")


def test_where_none_works_those_that_would_are_named(setup: Callable[..., tuple[str, str]]) -> None:
    said, log = setup(python3=False)
    assert "3.10, 3.11, 3.12 or 3.13" in said
    assert log == ""
    said, log = setup("PYTHON=python3", python3=False, python3_12=True)
    assert "3.10, 3.11, 3.12 or 3.13" in said
    assert log == ""


@pytest.mark.parametrize(
    ("version", "works"), [((3, 9), 0), ((3, 10), 1), ((3, 13), 1), ((3, 14), 0), ((2, 7), 0)]
)
def test_which_work(root: Path, version: tuple[int, int], works: int) -> None:
    (line,) = (
        line for line in (root / "Makefile").read_text().splitlines() if line.startswith("WORKS")
    )
    code = line.partition(":= ")[2].replace(
        "import sys", f"import sys; sys.version_info = {version}"
    )
    done = subprocess.run([sys.executable, "-c", code])
    assert (done.returncode == 0) == bool(works)
