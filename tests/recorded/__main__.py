"""`python -m tests.recorded record|expect`: see the package."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.notebooks import write
from tests.recorded import cases, compare, house, store

COURSE = ("otter_config.json", "dist/tests", "student/m5.ipynb")


def record(names: list[str]) -> None:
    """Run notebooks in boxes and keep what these hand out, the course included."""
    shutil.rmtree(store.COURSE, ignore_errors=True)
    for name in COURSE:
        source, target = house.ROOT / name, store.COURSE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    every = cases.cases()
    for name, made in every.items():
        if not names or name in names:
            write(store.SUBMISSIONS / f"{name}.ipynb", made)
    for folder, stem in ((store.SUBMISSIONS, True), (store.RUNS, False)):
        for path in folder.iterdir() if folder.is_dir() else ():
            if (path.stem if stem else path.name) not in every:
                path.unlink() if stem else shutil.rmtree(path)
    with tempfile.TemporaryDirectory() as out:
        print(house.grade(Path(out) / "out", names=names or None, record=True))


def expect() -> None:
    """Grade what was recorded, and write down what comes of it."""
    with tempfile.TemporaryDirectory() as folder:
        said = house.grade(Path(folder) / "out")
        found = compare.read(Path(folder) / "out", said)
    if late := [name for name, text in found.items() if "could not be shown here" in text]:
        sys.exit(f"Drawn plainly, since this machine has too much to do: {', '.join(late)}.")
    shutil.rmtree(store.EXPECTED, ignore_errors=True)
    for name, text in found.items():
        path = store.EXPECTED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    verb, *rest = sys.argv[1:] or [""]
    if verb == "record":
        record(rest)
    elif verb != "expect" or rest:
        sys.exit(__doc__)
    expect()
