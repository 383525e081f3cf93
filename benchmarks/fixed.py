"""What grading costs when nothing is trained: to start, for one submission, for each of many."""

from __future__ import annotations

import statistics
import sys

from benchmarks import notebooks
from benchmarks.bench import MEGABYTE, TIMEOUT_SECONDS, Bench, program
from benchmarks.contestants import Ours
from benchmarks.measuring import measure
from benchmarks.results import Goal, Part, row
from benchmarks.scale import make_class

HELP_SECONDS = 0.3
OVER_IMPORT_SECONDS = 2.0
EACH_SECONDS = 1.5
STARTS = 5
SIZES, QUICK_SIZES = (10, 100), (1, 3)


def starting(bench: Bench) -> Part:
    """`m5 --help`, and a notebook that does nothing against TensorFlow's import alone."""

    def time(command: list[str]) -> float:
        return measure(
            command, folder=bench.place("start"), timeout_seconds=TIMEOUT_SECONDS
        ).wall_seconds

    notebook = notebooks.write(bench.place("trivial") / "m5.ipynb", notebooks.trivial())
    ours = Ours(bench=bench, path=notebook, must_train=False)
    time([program("m5"), "--help"])  # the first one reads from disk
    helps: list[float] = []
    pythons: list[float] = []
    for _ in range(STARTS):
        helps.append(time([program("m5"), "--help"]))
        pythons.append(time([sys.executable, "-c", "pass"]))
    imports: list[float] = []
    grades: list[float] = []
    for _ in range(bench.rounds):
        imports.append(time([sys.executable, "-c", "import tensorflow"]))
        grades.append(ours.run().usage.wall_seconds)
        bench.say(f"import {imports[-1]:.1f} s, m5 grade of nothing {grades[-1]:.1f} s")
    over = [graded - imported for graded, imported in zip(grades, imports, strict=True)]
    return Part(
        name="starting",
        title="To start",
        compared=(
            "A notebook of one cell that trains nothing, graded by `m5 grade`, against "
            '`python -c "import tensorflow"`, in turn.'
        ),
        rows=[
            row("python -c pass", pythons, "s"),
            row(
                "m5 --help",
                helps,
                "s",
                Goal(
                    at_most=HELP_SECONDS,
                    if_missed=f"Python alone takes {statistics.median(pythons):.2f} s to start.",
                ),
            ),
            row("import tensorflow", imports, "s"),
            row("m5 grade of nothing", grades, "s"),
            row(
                "the same less the import",
                over,
                "s",
                Goal(
                    at_most=OVER_IMPORT_SECONDS,
                    if_missed=(
                        "Before the kernel begins its own import, the command imports what it "
                        "needs and tries the box; after it the pages are written."
                    ),
                ),
            ),
        ],
    )


def each_submission(bench: Bench) -> Part:
    """What one more submission costs beyond its training."""
    sizes = QUICK_SIZES if bench.quick else SIZES
    seconds: list[float] = []
    processor: list[float] = []
    memory: list[float] = []
    for size in sizes:
        folder = bench.place("trivial-class")
        make_class(folder, size, answers=size)
        usage = Ours(bench=bench, path=folder, submissions=size, must_train=False).run().usage
        seconds.append(usage.wall_seconds)
        processor.append(usage.cpu_seconds)
        memory.append(usage.resident_bytes / MEGABYTE)
        bench.say(f"{size} trivial submissions: {usage.wall_seconds:.1f} s")
    more = sizes[1] - sizes[0]
    goal = Goal(
        at_most=EACH_SECONDS,
        if_missed=f"{(processor[1] - processor[0]) / more:.2f} s of processor time go into each.",
    )
    rows = [
        row(f"{size} submissions", [spent], "s") for size, spent in zip(sizes, seconds, strict=True)
    ]
    return Part(
        name="each_submission",
        title="Each submission of many",
        compared=(
            f"`m5 grade` on an export with {sizes[0]} and with {sizes[1]} notebooks that train "
            "nothing (`benchmarks/scale.py` makes them), each with another answer, so that none is "
            "taken for a copy. The difference, by submission, is what one more costs; as many run "
            "side by side as `m5 grade` chooses."
        ),
        rows=[
            *rows,
            row("one more submission", [(seconds[1] - seconds[0]) / more], "s", goal),
            row("one more, processor time", [(processor[1] - processor[0]) / more], "s"),
            row(f"memory, {sizes[1]} submissions", [memory[1]], "MB"),
        ],
    )
