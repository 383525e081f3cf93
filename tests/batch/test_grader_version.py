"""Does `--resume` know another grader from the same one with other comments?"""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path
from typing import Any

import pytest

from autograder.batch import versions
from autograder.batch.versions import meaning_of

MODULE = (
    '"""Doc."""\nimport os\n\n\nclass A:\n    """Doc."""\n\n'
    '    def f(self, x=1):\n        """Doc."""\n        return x > 0.5\n'
)
SAME = {
    "comment": MODULE.replace("import os", "# why\nimport os  # what"),
    "lines": MODULE.replace("\n\n\n", "\n\n\n\n\n"),
    "docstring": MODULE.replace('"""Doc."""', '"""Other words."""'),
    "brackets": MODULE.replace("x > 0.5", "(x > (0.5))"),
    "spelling of a number": MODULE.replace("0.5", "5e-1"),
}
OTHER = {
    "operator": MODULE.replace(">", ">="),
    "number": MODULE.replace("0.5", "0.6"),
    "type of a number": MODULE.replace("x=1", "x=1.0"),
    "name": MODULE.replace("x", "y"),
    "text that is no docstring": MODULE.replace("return x", '"""Doc."""; "x"; return x'),
    "text given back": MODULE.replace("x > 0.5", '"x"'),
}


@pytest.mark.parametrize("name", SAME)
def test_what_says_the_same_is_the_same(name: str) -> None:
    assert SAME[name] != MODULE
    assert meaning_of(SAME[name].encode()) == meaning_of(MODULE.encode())


@pytest.mark.parametrize("name", OTHER)
def test_what_does_otherwise_is_another(name: str) -> None:
    assert meaning_of(OTHER[name].encode()) != meaning_of(MODULE.encode())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, which may be changed."""
    copy = tmp_path / "autograder"
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(versions.PACKAGE, copy, ignore=skipped)
    monkeypatch.setattr(versions, "PACKAGE", copy)
    monkeypatch.setattr(versions, "_cache_file", lambda: tmp_path / "cache" / "v.json")
    return copy


def append(package: Path, name: str, text: str) -> None:
    (path,) = package.rglob(name)
    path.write_text(path.read_text("utf-8") + text, encoding="utf-8")


def test_a_comment_grades_no_class_again(package: Path) -> None:
    before = versions.grader_version()
    assert before == versions.grader_version()
    append(package, "measurement.py", "\n# Nothing but words.\n")
    append(package, "terminal.py", "\nSHOWN = 1\n")
    assert versions.grader_version() == before


@pytest.mark.parametrize("name", ["measurement.py", "retrace.py", "clerk.py"])
def test_code_that_decides_is_another_grader(package: Path, name: str) -> None:
    before = versions.grader_version()
    append(package, name, "\nMORE = 1\n")
    assert versions.grader_version() != before


@pytest.mark.parametrize("name", ["keras", "numpy", "tensorflow-cpu"])
def test_another_library_is_another_grader(
    package: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = versions.grader_version()
    version = importlib.metadata.version

    def other(asked: str) -> Any:
        return "0.0.1" if asked == name else version(asked)

    monkeypatch.setattr(importlib.metadata, "version", other)
    assert versions.grader_version() != before


def test_it_is_remembered_and_not_believed_when_broken(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = versions.grader_version()
    cache = versions._cache_file()
    with monkeypatch.context() as patch:
        patch.setattr(versions, "meaning_of", lambda source: pytest.fail("parsed again"))
        assert versions.grader_version() == version
    for text in ("", "[]", "{", '{"other": "x"}'):
        cache.write_text(text)
        assert versions.grader_version() == version


def test_what_only_shows_is_named_as_it_is_called() -> None:
    package = versions.PACKAGE
    assert [name for name in versions.SHOWING if not (package / name).exists()] == []
