"""`python -m studies.mutants [WORD ...]`: tries all faults, or those with one of these words.

What has been tried is remembered in out/mutants.jsonl, as long as fault, file and tests stay the
same: a run that was stopped goes on where it was. First all tests are run without any fault, since
one that fails then notices nothing. Ends with status 1 unless nine of ten were noticed, and with 2
where a fault does not apply, or tests fail without any.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from compileall import compile_dir
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LEAST_SHARE = 0.9
SECONDS = 300
"""After which tests hang, and have noticed."""
BASELINE_SECONDS = 3600
LEFT_OUT = (
    ".git",
    ".venv",
    "out",
    "build",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".*_cache",
)
PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "-n", "0", "--tb=line", "--no-header")
BY_SIGNAL = 128
"""A shell adds this to the number of the signal that ended a program."""
FAILED, NOTHING_WRONG = 1, 0
"""Exit statuses of pytest: of all others none says that a test noticed anything."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault."""

    fault: str
    file: str
    before: str
    after: str
    tests: list[str]

    def applied(self, root: Path) -> str | None:
        """The text of its file with the fault in it; None where it does not apply."""
        path = root / self.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        return text.replace(self.before, self.after) if text.count(self.before) == 1 else None

    def key(self, root: Path) -> str:
        """Changes with what the outcome depends on most: the fault, its file and its tests."""
        digest = hashlib.sha256(json.dumps(asdict(self)).encode())
        for name in (self.file, *self.tests):
            path = root / name.partition("::")[0]
            for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
                digest.update(each.read_bytes() if each.is_file() else b"")
        return digest.hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the tests said of a fault."""

    key: str
    fault: str
    how: str
    """killed, survived, or what went wrong."""
    by: str
    seconds: float


def read_mutants(words: Sequence[str]) -> list[Mutant]:
    """All faults, or those whose room, file or description holds one of the words."""
    found = []
    for path in sorted(HERE.glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
            mutant = Mutant(**entry)
            text = f"{path.stem} {mutant.file} {mutant.fault}"
            if not words or any(word in text for word in words):
                found.append(mutant)
    return found


def copy_tree(folder: Path) -> Path:
    """A tree of its own to put faults into, compiled once, but for what has a fault."""
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    compile_dir(tree / "autograder", quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return tree


def run_tests(tree: Path, tests: Sequence[str], seconds: float = SECONDS) -> tuple[int | None, str]:
    """pytest's exit status, None where it hung or was killed, and a line that tells why."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    # A test may try to kill the parent of its process, and a fault may let it.
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-m", "pytest", *PYTEST, *tests]
    process = subprocess.Popen(
        command, cwd=tree, env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, "hung"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.returncode < 0 or process.returncode > BY_SIGNAL:
        return None, "was killed"
    lines = [line for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return process.returncode, (lines or said.splitlines() or [""])[0 if lines else -1]


def try_one(mutant: Mutant, tree: Path) -> Outcome:
    """Put the fault into a tree, run its tests, and take it out again."""
    started, key = time.monotonic(), mutant.key(tree)
    path, text = tree / mutant.file, mutant.applied(tree)
    how, said = "does not apply", ""
    if text is not None:
        whole = path.read_bytes()
        try:
            path.write_text(text, encoding="utf-8")
            status, said = run_tests(tree, mutant.tests)
        finally:
            path.write_bytes(whole)
        how = {FAILED: "killed", None: "killed", NOTHING_WRONG: "survived"}.get(status, "broken")
    seconds = round(time.monotonic() - started, 1)
    return Outcome(key=key, fault=mutant.fault, how=how, by=said, seconds=seconds)


def try_all(mutants: Sequence[Mutant], jobs: int) -> Iterator[Outcome]:
    """Each in one of some trees, as many at a time."""
    with tempfile.TemporaryDirectory(prefix="m5-mutants-") as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(min(jobs, len(mutants))):
            (Path(folder) / str(number)).mkdir()
            trees.put(copy_tree(Path(folder) / str(number)))

        def work(mutant: Mutant) -> Outcome:
            tree = trees.get()
            try:
                return try_one(mutant, tree)
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(work, mutants)


def baseline(mutants: Sequence[Mutant]) -> str:
    """Empty if all tests pass without a fault; else the first that does not."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    with tempfile.TemporaryDirectory(prefix="m5-mutants-") as folder:
        status, said = run_tests(copy_tree(Path(folder)), tests, seconds=BASELINE_SECONDS)
    return "" if status == NOTHING_WRONG else said


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m studies.mutants", description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--known", type=Path, default=ROOT / "out/mutants.jsonl")
    parser.add_argument("--no-baseline", action="store_true", help="believe that all tests pass")
    options = parser.parse_args()
    mutants = read_mutants(options.words)
    if not options.no_baseline and (said := baseline(mutants)):
        print(f"Without any fault: {said}")
        return 2
    options.known.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        options.known.read_text(encoding="utf-8").splitlines() if options.known.is_file() else []
    )
    known = {each.key: each for each in (Outcome(**json.loads(line)) for line in lines)}
    found = {mutant.fault: known.get(mutant.key(ROOT)) for mutant in mutants}
    with options.known.open("a", encoding="utf-8") as file:
        for outcome in try_all([m for m in mutants if not found[m.fault]], options.jobs):
            print(f"{outcome.how:14} {outcome.seconds:5.0f} s  {outcome.fault}", flush=True)
            found[outcome.fault] = outcome
            if outcome.how in ("killed", "survived"):
                file.write(json.dumps(asdict(outcome)) + "\n")
                file.flush()
    return report([outcome for outcome in found.values() if outcome])


def report(outcomes: Sequence[Outcome]) -> int:
    """Print the table; the status to end with."""
    print()
    for outcome in sorted(outcomes, key=lambda each: (each.how, each.fault)):
        print(
            f"{outcome.how:14} {outcome.seconds:5.0f} s  {outcome.fault}\n{'':24}{outcome.by[:100]}"
        )
    killed = sum(outcome.how == "killed" for outcome in outcomes)
    wrong = sum(outcome.how not in ("killed", "survived") for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(
        f"\n{killed} of {len(outcomes)} noticed, {wrong} not tried; {seconds / 60:.0f} min in all"
    )
    if wrong:
        return 2
    return 0 if killed >= LEAST_SHARE * len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
