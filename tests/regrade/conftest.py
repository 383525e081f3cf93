"""A class of recorded submissions, graded once; each test has a copy of its grades."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.core.assignment import STAMP, stamp
from autograder.core.config import load_config
from tests.recorded import house

NAMES = [
    "claim_standard_scaler", "failing_cell", "malformed", "no_model", "over_budget", "passes",
    "public_half_learned", "twin_of_passes",
]  # fmt: skip
COMMON = ("--timeout", str(house.SECONDS))
Policy = dict[str, dict[str, Any]]


class Course:
    """The recorded course by other rules, released for them."""

    def __init__(self, root: Path) -> None:
        self.root = house.copy_course(root)

    def change(self, policy: Policy, *, edit: Callable[[str], str] = lambda text: text) -> Course:
        """Change numbers of the configuration, and the tests with them; or a test by itself."""
        path = self.root / "otter_config.json"
        values = json.loads(path.read_text())
        old = json.loads(path.read_text())
        for section, changes in policy.items():
            values[section] |= changes
        path.write_text(json.dumps(values))
        config = load_config(path)
        for test in sorted((self.root / "dist/tests").glob("*.py")):
            lines = test.read_text(encoding="utf-8").splitlines(keepends=True)
            text = "".join(line for line in lines if not line.startswith(STAMP))
            points = config.points.of(test.stem)
            text = text.replace(f"points = {old['points'][test.stem]}", f"points = {points}")
            for sign, section, key in (
                (">", "accuracy", "threshold"),
                ("<=", "budget", "max_parameters"),
            ):
                before, after = old[section][key], values[section][key]
                text = text.replace(f"{sign} {before}", f"{sign} {after}")
            test.write_text(stamp(edit(text), config), encoding="utf-8")
        return self


class Grades:
    """A folder of grades that a test may change."""

    def __init__(self, out: Path, course: Course) -> None:
        self.out, self.course = out, course

    def regrade(self, *options: str, root: Path | None = None) -> tuple[int, str]:
        """Run `m5 regrade`; its exit status, and what it says."""
        words = ["regrade", str(self.out), "--root", str(root or self.course.root)]
        done = CliRunner().invoke(main, [*words, *COMMON, *options])
        return done.exit_code, done.output

    def rows(self) -> dict[str, dict[str, str]]:
        """regrade.csv by submission."""
        with (self.out / "regrade.csv").open(encoding="utf-8-sig", newline="") as file:
            return {row["submission"]: row for row in csv.DictReader(file)}

    def folder(self, name: str) -> Path:
        return self.out / "submissions" / name

    def report(self, name: str) -> Any:
        """report.json of one submission."""
        return json.loads((self.folder(name) / "report.json").read_text(encoding="utf-8"))

    def files(self) -> dict[str, bytes]:
        """All that is written, pages aside; by path."""
        paths = (path for path in self.out.rglob("*") if path.is_file())
        return {
            path.relative_to(self.out).as_posix(): path.read_bytes()
            for path in sorted(paths)
            if path.suffix != ".html"
        }


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("graded") / "out"
    house.grade(out, names=NAMES)
    return out


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path / "course")


@pytest.fixture
def grades(graded: Path, tmp_path: Path, course: Course) -> Iterator[Grades]:
    # With times, so that pages stay as new as their reports.
    yield Grades(shutil.copytree(graded, tmp_path / "out", copy_function=shutil.copy2), course)
