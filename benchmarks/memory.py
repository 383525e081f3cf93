"""How little memory grading can do with, and who holds it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks import notebooks
from benchmarks.bench import MEGABYTE, QUICK_TRAINING, TIMEOUT_SECONDS, Bench, program
from benchmarks.contestants import rows as grades
from benchmarks.measuring import BenchmarkError, Usage, measure
from benchmarks.results import Part, Row, row
from benchmarks.speed import REFERENCE, STARTER

LIMITS = (768, 1024, 1536)
"""In megabytes; the first is what Gradescope's smallest container has."""
QUICK_LIMITS = (512, 3072)
TRAINING = "epochs=1"


def limited(bench: Bench) -> Part:
    """Reference and starter under real limits."""
    found: list[Row] = []
    for name, path in (("reference", REFERENCE), ("starter", STARTER)):
        training = QUICK_TRAINING if bench.quick else TRAINING
        made = notebooks.with_training(bench.root / path, training)
        notebook = notebooks.write(bench.place("memory") / "m5.ipynb", made)
        for limit in QUICK_LIMITS if bench.quick else LIMITS:
            folder = bench.place("limited")
            usage = measure(
                [program("m5"), "grade", notebook, "-o", folder / "out", "--root", bench.root],
                folder=folder,
                timeout_seconds=TIMEOUT_SECONDS,
                limit_bytes=limit * MEGABYTE,
                may_fail=True,
            )
            text = _what_became(folder, usage)
            charged = (usage.charged_bytes or 0) / MEGABYTE
            bench.say(f"{name} under {limit} MB: {text}")
            found.append(
                Row(
                    what=f"{name}, {limit:,} MB",
                    text=f"{text}; at most {charged:,.0f} MB charged, "
                    f"{usage.resident_bytes / MEGABYTE:,.0f} MB of it no page cache",
                )
            )
    return Part(
        name="limited",
        title="Memory under a limit",
        compared=(
            "`m5 grade` on one notebook (one epoch: memory does not depend on how many) in a "
            "control group with that limit, page cache included. What is "
            "page cache gives way when memory gets short; the rest cannot."
        ),
        rows=found,
    )


def _what_became(folder: Path, usage: Usage) -> str:
    if not (folder / "out/grades.csv").exists() or not grades(folder / "out"):
        return f"no grade (exit status {usage.status})"
    (only,) = grades(folder / "out")
    whole = only["verdict"] in {"PASSED", "FAILED"} and float(only["points_runs"]) > 0
    return f"{'graded' if whole else 'not graded whole'}: {only['verdict']}"


def holders(bench: Bench) -> Part:
    """Which process holds it, and since which step of the notebook."""
    training = QUICK_TRAINING if bench.quick else TRAINING
    made = notebooks.with_training(bench.root / REFERENCE, training)
    notebook = notebooks.write(bench.place("memory") / "m5.ipynb", made)
    folder = bench.place("holders")
    usage = measure(
        [program("m5"), "grade", notebook, "-o", folder / "out", "--root", bench.root],
        folder=folder,
        timeout_seconds=TIMEOUT_SECONDS,
        by_role=True,
    )
    if not _what_became(folder, usage).startswith("graded"):
        raise BenchmarkError(f"Without a limit it was not graded.\n{usage.said}")
    names = {
        "command": "the command (`m5`)",
        "checks": "the process that measures and checks",
        "box": "the kernel in the box",
    }
    found = [
        row(names[role], [held / MEGABYTE], "MB")
        for role, held in sorted(usage.largest_bytes.items(), key=lambda item: item[1])
    ]
    alone = measure(
        [sys.executable, "-m", "benchmarks.footprint", bench.data],
        folder=bench.place("footprint"),
        timeout_seconds=TIMEOUT_SECONDS,
        environment={"PYTHONPATH": str(bench.root), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    steps = json.loads(alone.said.splitlines()[-1])
    found += [
        row(f"notebook, after: {step}", [held / MEGABYTE], "MB") for step, held in steps.items()
    ]
    return Part(
        name="holders",
        title="Who holds the memory",
        compared=(
            "The most that each process of `m5 grade` held (resident, files that are mapped "
            "included), the reference with one epoch, no limit; and what the same steps hold in a "
            "process that does nothing else (`benchmarks/footprint.py`), without the pages of "
            "files, which give way. Beside the other two processes, 768 MB are too few for a line "
            'of the notebook\'s own: `x_train.astype("float32") / 255` holds all images as bytes '
            "and twice as numbers of four bytes."
        ),
        rows=found,
    )
