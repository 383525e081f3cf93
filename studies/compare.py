"""`python -m studies.compare OLD NEW [-k WORD ...]`: do two commits grade alike?

Both commits are checked out into a temporary folder, and grade the same cases one after the other
with `m5 grade`, on this machine and in this environment: the notebooks that are handed out, the
solutions, the notebooks of `tests/recorded`, and the cases of `tests/attacks`, all as they are in
NEW. What they write is compared file by file, without seconds, dates and the grader's version.
Prints a table of the differences, and ends with status 1 if there are any.

What differs by chance, such as when a process was stopped, is shown by comparing a commit with
itself.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {"cell_seconds": 60, "interrupt_grace_seconds": 3, "memory_bytes": 2 << 30}
LIMITS |= {"processes": 200, "file_bytes": 64 << 20, "scratch_bytes": 256 << 20}
LIMITS |= {"kept_output_bytes": 1 << 20, "output_bytes": 16 << 20, "export_bytes": 64 << 20}
"""Small, as in the tests of the attacks: some of these take whatever they get."""
MAX_SHOWN = 100
BUILD = """
import sys
from pathlib import Path
from tests.attacks.attack_cases import find_cases
for case in find_cases():
    into = Path(sys.argv[1]) / case.name
    if any(word in "attacks/" + case.name for word in sys.argv[2:]) or not sys.argv[2:]:
        into.mkdir()
        case.build(into)
"""
MASKS = [
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r'("(?:\w*seconds|execution_time|\w*_bytes)":\s*)[\d.e+]+', r"\1 0"),
        (r'("configuration_hash":\s*)"\w*"', r'\1""'),
        (r'data-sort="[\d.]+"(>[\d,.]+\s(?:s|min)\b)', r'data-sort="0"\1'),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d[.\d]*)?", "THEN"),
        (r"(?<=[EWIF]0000 00:00:)[\d. ]+", "THEN "),
        (r"\b\d+(?:[.,]\d+)*\s?(?:s|ms|us|µs|μs|min|MB|GB)\b(?:/step|/epoch)?", "N s"),
        (r"/tmp/[\w./-]+|ipykernel_\d+|0x[0-9a-f]{6,}", "PLACE"),
        (r"\b(pid|process|thread)(\W{1,3})\d+", r"\1\2N"),
    )
]


def run(command: Sequence[str | Path], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a program, and show what it says only if it cannot be started."""
    return subprocess.run([*map(str, command)], text=True, **options)  # type: ignore[call-overload, no-any-return]


def check_out(commit: str, tree: Path) -> Path:
    """A worktree of the commit."""
    run(["git", "worktree", "add", "--quiet", "--detach", tree, commit], cwd=ROOT, check=True)
    return tree


def collect(tree: Path, cases: Path, words: Sequence[str]) -> Path:
    """The cases of a tree in one folder, those that have one of the words in their names."""
    cases.mkdir()
    for label, pattern in (
        ("student", "student/*.ipynb"),
        ("solutions", "solutions/*.ipynb"),
        ("recorded", "tests/recorded/submissions/*.ipynb"),
    ):
        for path in sorted(tree.glob(pattern)):
            if not words or any(word in f"{label}/{path.stem}" for word in words):
                shutil.copy(path, cases / f"{label}-{path.name}")
    attacks = cases / "attacks"
    attacks.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    run([sys.executable, "-c", BUILD, attacks, *words], cwd=tree, env=environment, check=True)
    return cases


def grade(tree: Path, cases: Path, out: Path, options: argparse.Namespace) -> None:
    """Have a tree's own grader grade the cases."""
    config = json.loads((tree / "otter_config.json").read_bytes())
    config["limits"] |= LIMITS
    path = out.with_suffix(".json")
    path.write_text(json.dumps(config))
    command: list[str | Path] = [sys.executable, "-m", "autograder", "grade", cases, "-o", out]
    command += ["--root", tree, "--config", path, "--timeout", str(options.timeout)]
    command += ["--jobs", str(options.jobs)] if options.jobs else []
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = run(command, cwd=out.parent, env=environment)
    if not (out / "grades.csv").is_file():
        sys.exit(f"{tree.name} graded nothing (status {done.returncode}).")


def plain(path: Path) -> list[str]:
    """The lines of a file without what two runs of one grader need not have in common."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".csv":
        rows = list(csv.reader(text.splitlines()))
        left_out = [number for number, name in enumerate(rows[0]) if name == "seconds"]
        for row in rows[1:]:
            for number in left_out:
                row[number] = ""
        text = "\n".join(", ".join(row) for row in rows)
    if path.name == "report.html":
        # Which cells were slowest, and in which order, is seconds and nothing else.
        text = re.sub(r'<section[^>]*"slow.*?</section>', "", text, flags=re.DOTALL)
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text.splitlines()


def differences(old: Path, new: Path) -> Iterator[tuple[str, str, str]]:
    """(file, what OLD says, what NEW says) for each file, at the first line that differs."""
    names = {p.relative_to(d).as_posix() for d in (old, new) for p in d.rglob("*") if p.is_file()}
    for name in sorted(names):
        if not (old / name).is_file() or not (new / name).is_file():
            one, other = ("there" if (d / name).is_file() else "missing" for d in (old, new))
            yield name, one, other
            continue
        before, after = plain(old / name), plain(new / name)
        if before != after:
            matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
            _, a, b, c, d = next(each for each in matcher.get_opcodes() if each[0] != "equal")
            one, other = around(" ".join(before[a:b]), " ".join(after[c:d]))
            yield name, one, other


def around(one: str, other: str) -> tuple[str, str]:
    """Two texts from a little before the first character that differs."""
    pairs = enumerate(zip(one, other, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
    begin = max(0, same - MAX_SHOWN // 3)
    return one[begin : begin + MAX_SHOWN], other[begin : begin + MAX_SHOWN]


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m studies.compare", description=__doc__)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("-k", nargs="+", default=[], dest="words", help="words in a case's name")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--timeout", type=float, default=100)
    parser.add_argument("--keep", type=Path, help="where to leave what both wrote")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="m5-compare-") as name:
        folder = Path(name)
        trees = []
        try:
            for label, commit in (("old", options.old), ("new", options.new)):
                trees.append(check_out(commit, folder / f"tree-{label}"))
            cases = collect(trees[1], folder / "cases", options.words)
            for label, tree in zip(("old", "new"), trees, strict=True):
                grade(tree, cases, folder / label, options)
        finally:
            for tree in trees:
                run(["git", "worktree", "remove", "--force", tree], cwd=ROOT)
        found = list(differences(folder / "old", folder / "new"))
        count = sum(1 for _ in (folder / "new/submissions").iterdir())
        if options.keep:
            for label in ("old", "new"):
                shutil.copytree(folder / label, options.keep / label, dirs_exist_ok=True)
    for file, one, other in found:
        print(f"{file}\n    {options.old}: {one}\n    {options.new}: {other}")
    print(f"\n{count} cases, {len(found)} files that differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
