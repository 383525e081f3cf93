"""What grading costs: ``make bench``, or ``python -m benchmarks`` with the options below.

Runs every part, and writes docs/performance.md, .json and .svg. It wants two cores that nobody else
uses.
"""

from __future__ import annotations

import argparse
import datetime
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from autograder.core.assignment import load_assignment
from autograder.sandbox.box.folders import Toolbox
from benchmarks import fixed, memory, speed
from benchmarks.bench import Bench
from benchmarks.machine import describe
from benchmarks.measuring import BenchmarkError
from benchmarks.page import measured, render
from benchmarks.plot import draw
from benchmarks.results import Goal, Part, Results, Row

ROOT = Path(__file__).resolve().parent.parent
PARTS: dict[str, Callable[[Bench], Part]] = {
    "one_notebook": speed.one_notebook,
    "floor": speed.floor,
    "a_class": speed.a_class,
    "starting": fixed.starting,
    "each_submission": fixed.each_submission,
    "limited": memory.limited,
    "holders": memory.holders,
    "starter": speed.starter,
}
TOGETHER = ({"limited", "holders"}, {"starter"})
"""Side by side: of the first only memory counts, and the second has one core, by itself a quarter
of the whole time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts; 0 if all could be measured, whether or not they met their goals."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--quick", action="store_true", help="short trainings, one round: to see that all works"
    )
    parser.add_argument("--only", choices=PARTS, nargs="+", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, help="of each comparison  [default: 2, quick: 1]")
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "docs", help="folder to write to  [docs]"
    )
    options = parser.parse_args(arguments)
    if (options.quick or options.only) and options.output.resolve() == ROOT / "docs":
        parser.error("docs is for the whole table, with full trainings: name another folder by -o.")
    machine, failed = describe(), list[str]()
    folder = Path(tempfile.mkdtemp(prefix="m5-bench-"))
    assignment = load_assignment(ROOT)
    rounds = options.rounds or (1 if options.quick else 2)
    try:
        with Toolbox.make(assignment.mnist.handed_out()) as toolbox:
            bench = Bench(
                root=ROOT,
                folder=folder,
                data=toolbox.data,
                quick=options.quick,
                rounds=rounds,
                threshold=assignment.config.accuracy.threshold,
                say=lambda text: print(f"  {text}", flush=True),
            )
            names = list(options.only or PARTS)
            alone = [name for name in names if not any(name in chain for chain in TOGETHER)]
            chains = [[name for name in names if name in chain] for chain in TOGETHER]

            def run(chain: Sequence[str]) -> list[Part]:
                return [run_part(name, bench, failed) for name in chain]

            parts = run(alone)
            with ThreadPoolExecutor(len(chains)) as pool:
                parts += [part for done in pool.map(run, chains) for part in done]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    results = Results(
        date=datetime.date.today().isoformat(),
        command="make bench"
        if arguments is None and len(sys.argv) == 1
        else "python -m benchmarks",
        quick=options.quick,
        rounds=rounds,
        machine=machine,
        parts=parts,
    )
    write(results, options.output)
    for part in parts:
        for row in part.rows:
            goal = "" if row.goal_met is None else ["   NOT MET", "   met"][row.goal_met]
            print(f"{part.name:16} {row.what:50} {measured(row)}{goal}")
    print(f"wrote {options.output / 'performance.md'}")
    return 1 if failed else 0


def run_part(name: str, bench: Bench, failed: list[str]) -> Part:
    """Measure one part; if it cannot be, say so, note it, and let the others be measured."""
    print(f"{name} ...", flush=True)
    started = time.monotonic()
    try:
        part = PARTS[name](bench)
    except BenchmarkError as error:
        print(f"{name} could not be measured. {error}", file=sys.stderr, flush=True)
        failed.append(name)
        part = not_measured(name, error)
    return msgspec.structs.replace(part, seconds=round(time.monotonic() - started, 1))


def not_measured(name: str, error: BenchmarkError) -> Part:
    """What stands in place of a part that failed: the page says so, and the goals are not met."""
    reason = str(error).splitlines()[0]
    return Part(
        name=name,
        title=name,
        compared="This could not be measured.",
        rows=[Row(what=name, text=reason, goal=Goal(if_missed="not measured"), goal_met=False)],
    )


def write(results: Results, folder: Path) -> None:
    """The page, the numbers and the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = msgspec.json.format(msgspec.json.encode(results), indent=1)
    (folder / "performance.json").write_bytes(numbers + b"\n")
    draw(results, folder / "performance.svg")
    (folder / "performance.md").write_text(render(results), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
