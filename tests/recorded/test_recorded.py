"""Is all that the grader says about recorded runs what it said before?

Where a change is meant: `python -m tests.recorded expect`, then look at `git diff`.
"""

from __future__ import annotations

import difflib
import zlib
from pathlib import Path

import pytest

from tests.recorded import compare, house, store

LIMIT_BYTES = 5 << 20
SHOWN_LINES = 40
SHOWN_CHARACTERS = 300
CLASS = "the class"
NAMES = sorted(path.stem for path in store.SUBMISSIONS.iterdir())
pytestmark = pytest.mark.xdist_group("recorded")
Files = dict[str, str]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Files:
    out = tmp_path_factory.mktemp("recorded") / "out"
    return compare.read(out, house.grade(out))


def expected() -> Files:
    paths = [path for path in store.EXPECTED.rglob("*") if path.is_file()]
    return {
        path.relative_to(store.EXPECTED).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
    }


def of(name: str, files: Files) -> Files:
    """The files of one submission, or those about all of them."""
    folders = {path: Path(path).parts[1] if "/" in path else CLASS for path in files}
    return {path: text for path, text in files.items() if folders[path] == name}


@pytest.mark.parametrize("name", [*NAMES, CLASS])
def test_all_files_are_what_they_were(name: str, found: Files) -> None:
    now, then = of(name, found), of(name, expected())
    assert then, "nothing is expected of it: python -m tests.recorded expect"
    assert sorted(now) == sorted(then)
    lines: list[str] = []
    for path in sorted(now):
        one = then[path].splitlines()
        other = compare.placed_as(then[path], now[path]).splitlines()
        lines += difflib.unified_diff(one, other, f"expected/{path}", f"now/{path}", "", "", 0, "")
    assert not lines, "\n".join(line[:SHOWN_CHARACTERS] for line in lines[:SHOWN_LINES])


def test_nothing_is_expected_of_others() -> None:
    assert {Path(path).parts[1] for path in expected() if "/" in path} == set(NAMES)


def test_recordings_stay_small() -> None:
    contents = [path.read_bytes() for path in store.HERE.rglob("*") if path.is_file()]
    assert sum(len(zlib.compress(content)) for content in contents) <= LIMIT_BYTES
