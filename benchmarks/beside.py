"""What this version costs beside another one: ``python -m benchmarks.beside TREE``.

TREE is a checkout of the other version. Each version grades the course's reference, as it stands
in its own checkout and with one short epoch, in turn with the other, pair after pair, by the same
Python with the same packages. What is compared is taken pair by pair, so that a slow minute hits
both. With ``--submissions`` it is a class instead, each with a seed of its own.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import notebooks
from benchmarks.bench import QUICK_TRAINING, Bench
from benchmarks.contestants import Done, Ours
from benchmarks.speed import REFERENCE

ROOT = Path(__file__).resolve().parent.parent
FIGURES: dict[str, Callable[[Done], float]] = {
    "wall time": lambda done: done.usage.wall_seconds,
    "wall time beside the cells": lambda done: done.usage.wall_seconds - done.cell_seconds,
    "processor time": lambda done: done.usage.cpu_seconds,
}


def contestant(bench: Bench, name: str, submissions: int, jobs: int | None) -> Ours:
    """`m5 grade` of the checkout that `bench` is rooted in, and what it is to grade."""
    folder = bench.place(name)
    for number in range(submissions):
        made = notebooks.with_training(bench.root / REFERENCE, QUICK_TRAINING, seed_shift=number)
        notebooks.write(folder / f"student_{number:02}.ipynb", made)
    code = f"PYTHONPATH={bench.root}"
    return Ours(
        bench=bench,
        path=folder,
        submissions=submissions,
        jobs=jobs,
        prefix=("env", code),
        name=name,
    )


def table(here: Sequence[Done], there: Sequence[Done], submissions: int) -> list[str]:
    """Figures per submission: both medians, and the differences and ratios of the pairs."""
    lines = [
        f"{'per submission':28} {'other':>8} {'this':>8}   difference (lowest, highest)   ratio"
    ]
    for what, figure in FIGURES.items():
        if submissions > 1 and figure is FIGURES["wall time beside the cells"]:
            continue  # cells run side by side
        ours = [figure(done) / submissions for done in here]
        theirs = [figure(done) / submissions for done in there]
        more = [a - b for a, b in zip(ours, theirs, strict=True)]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        lines.append(
            f"{what:28} {statistics.median(theirs):6.2f} s {statistics.median(ours):6.2f} s   "
            f"{statistics.median(more):+.2f} s ({min(more):+.2f}, {max(more):+.2f})".ljust(82)
            + f"{ratio:.2f}"
        )
    return lines


def main() -> int:
    """Run the pairs and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.beside", description=__doc__.splitlines()[0]
    )
    parser.add_argument("tree", type=Path, help="a checkout of the other version")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--submissions", type=int, default=1)
    parser.add_argument("--jobs", type=int)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="m5-beside-"))
    bench = Bench(
        root=ROOT, folder=folder, data=folder, quick=True, rounds=options.pairs, threshold=0.0,
        say=print,
    )  # fmt: skip
    other = replace(bench, root=options.tree.resolve())
    size, jobs = options.submissions, options.jobs
    both = (contestant(bench, "this", size, jobs), contestant(other, "other", size, jobs))
    done: dict[str, list[Done]] = {each.name: [] for each in both}
    try:
        # The first of each reads from disk, and is not counted.
        for number in range(options.pairs + 1):
            for each in both[:: 1 if number % 2 else -1]:
                one = each.run()
                usage = one.usage
                print(
                    f"{number} {each.name:6} {usage.wall_seconds:6.2f} s, of it cells "
                    f"{one.cell_seconds:6.2f} s; processor {usage.cpu_seconds:6.2f} s",
                    flush=True,
                )
                if number:
                    done[each.name].append(one)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(*table(done["this"], done["other"], size), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
