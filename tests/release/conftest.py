"""Copies of the assignment's source to make releases of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.release import release
from tests.rules import RULES

ROOT = Path(__file__).resolve().parents[2]


class Project:
    """A copy of the source of the assignment, with rules of its own, to make releases of."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def make(cls, root: Path) -> Project:
        """The committed source, with the rules of these tests; not released yet."""
        made = cls(root)
        (root / "assignment").mkdir(parents=True)
        (root / "solutions").mkdir()
        shutil.copy(ROOT / "otter_config.json", root)
        made.configure(**RULES)
        for name in ("m5.ipynb", "students.md"):
            shutil.copy(ROOT / "assignment" / name, root / "assignment")
        for pattern in ("*.md", "*.expect.json"):
            for path in (ROOT / "solutions").glob(pattern):
                shutil.copy(path, root / "solutions")
        return made

    def read(self, path: str) -> str:
        return (self.root / path).read_text("utf-8")

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text, "utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace text that must be there."""
        text = self.read(path)
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def cells(self, path: str) -> dict[str, dict[str, Any]]:
        """A notebook's cells by id, with their sources as one string."""
        cells = json.loads(self.read(path))["cells"]
        return {cell["id"]: {**cell, "source": "".join(cell["source"])} for cell in cells}

    def sources(self, path: str) -> str:
        """All that a notebook's cells say."""
        return "\n".join(cell["source"] for cell in self.cells(path).values())

    def edit_cell(self, cell_id: str, edit: Callable[[str], str]) -> None:
        """Change one cell of the source notebook."""
        path = "assignment/m5.ipynb"
        notebook = json.loads(self.read(path))
        [cell] = [cell for cell in notebook["cells"] if cell["id"] == cell_id]
        before = "".join(cell["source"])
        after = edit(before)
        assert after != before
        cell["source"] = after.splitlines(keepends=True)
        self.write(path, json.dumps(notebook))

    def configure(self, **sections: dict[str, Any]) -> None:
        """Change values in the configuration, section by section."""
        config = json.loads(self.read("otter_config.json"))
        for section, values in sections.items():
            assert set(values) <= set(config[section])
            config[section].update(values)
        self.write("otter_config.json", json.dumps(config))

    def snapshot(self) -> dict[str, bytes]:
        """Every file that there is, by path."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A source that has not been released yet."""
    return Project.make(tmp_path / "project")


@pytest.fixture
def released(shared: Project, tmp_path: Path) -> Project:
    """A source with its release."""
    shutil.copytree(shared.root, tmp_path / "project")
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A source with its release, for tests that only read."""
    project = Project.make(tmp_path_factory.mktemp("shared") / "project")
    release(project.root)
    return project
