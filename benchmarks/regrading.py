"""Is a class of 1,000 judged again in less time than grading the reference takes?

``python -m benchmarks.regrading [GRADES] [--submissions 1000] [--rounds 1]`` copies the submissions
of GRADES, a folder that this version's `m5 grade` has written (what another one found needs a new
run, and its pages are drawn afresh), until they are so many; without GRADES, `solutions` is graded
first, which takes some minutes. It raises the threshold in a clone of the repository,
releases that, and then runs in turn `m5 grade` of the reference by the old rules and `m5 regrade`
of the class by the new ones, tables and pages. It prints seconds, on the clock and of processors.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autograder.batch import filing
from benchmarks.bench import TIMEOUT_SECONDS, program
from benchmarks.measuring import Usage, measure
from benchmarks.speed import REFERENCE

ROOT = Path(__file__).resolve().parent.parent
RAISED_BY = 0.01
"""By so much the threshold is raised: those far above it need no second run."""
TABLES, PAGES = "regrade.csv", "report.html"
"""What is written last of each."""


def course_with_another_threshold(folder: Path) -> Path:
    """A clone of this repository, released with the threshold raised."""
    root = folder / "course"
    subprocess.run(["git", "clone", "--quiet", ROOT, root], check=True)
    path = root / "otter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["accuracy"]["threshold"] += RAISED_BY
    path.write_text(json.dumps(config), encoding="utf-8")
    release = [program("m5"), "release", "--root", str(root)]
    subprocess.run(release, check=True, stdout=subprocess.DEVNULL)
    return root


def multiply(grades: Path, out: Path, size: int) -> None:
    """A class of so many, graded as those in `grades` were."""
    shutil.copytree(grades, out, ignore=shutil.ignore_patterns("submissions", "*.html"))
    table = out / "grades.csv"
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    made = []
    for number in range(size):
        row = rows[number % len(rows)]
        name = f"s{number:05}_{row['submission']}"
        source, place = (root / "submissions" for root in (grades, out))
        folder = shutil.copytree(source / row["submission"], place / name)
        filed, _ = filing.read_filed(source / row["submission"])
        handin = replace(filed.handin, submission=name)
        (folder / "evidence.json").write_bytes(filing.seal(filed.of(handin)))
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        report["submission"] = name
        (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
        (folder / "feedback.html").touch()
        made.append({**row, "submission": name})
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(made)


def run(folder: Path, *command: str | Path) -> Usage:
    """Run `m5`; exit status 1 says that some need a new run."""
    folder.mkdir()
    return measure(
        [program("m5"), *command], folder=folder, timeout_seconds=TIMEOUT_SECONDS, may_fail=True
    )


def told(what: str, usage: Usage, more: str = "") -> str:
    """A line of figures."""
    clock, spent = usage.wall_seconds, usage.cpu_seconds
    return (
        f"{what:28} {clock:6.1f} s on the clock{more}, {spent:6.1f} s of processors; "
        f"exit status {usage.status}, load {os.getloadavg()[0]:.1f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the class, run both in turn, print figures; 0 if regrading took less time."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.regrading", description=__doc__.splitlines()[0]
    )
    parser.add_argument("grades", type=Path, nargs="?")
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args(arguments)
    ratios = []
    with tempfile.TemporaryDirectory(prefix="m5-regrading-") as name:
        folder = Path(name)
        grades = options.grades
        if grades is None:
            grades = folder / "graded"
            first = run(folder / "first", "grade", ROOT / "solutions", "--root", ROOT, "-o", grades)
            print(told("m5 grade solutions", first), flush=True)
        course = course_with_another_threshold(folder)
        for number in range(options.rounds):
            out = folder / f"class{number}"
            multiply(grades, out, options.submissions)
            place = folder / f"reference{number}"
            alone = run(place, "grade", ROOT / REFERENCE, "--root", ROOT, "-o", place / "out")
            print(told("m5 grade of the reference", alone), flush=True)
            began = time.time()
            again = run(folder / f"regrade{number}", "regrade", out, "--root", course)
            tables, pages = ((out / each).stat().st_mtime - began for each in (TABLES, PAGES))
            what, when = f"m5 regrade of {options.submissions:,}", f"tables {tables:.1f} s, all"
            print(told(what, again, f" ({when} pages {pages:.1f} s)"), flush=True)
            ratios.append(again.wall_seconds / alone.wall_seconds)
            print(f"ratio: {ratios[-1]:.2f}", flush=True)
            shutil.rmtree(out)
    return 0 if max(ratios) < 1 else 1


if __name__ == "__main__":
    sys.exit(main())
