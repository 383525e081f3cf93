"""One notebook three ways, a class two ways, the arithmetic alone, and the starter on one core."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Sequence

from benchmarks import notebooks
from benchmarks.bench import MEGABYTE, QUICK_TRAINING, TIMEOUT_SECONDS, Bench
from benchmarks.contestants import Contestant, Done, Jupyter, Otter, Ours, otter_archive
from benchmarks.measuring import BenchmarkError, measure
from benchmarks.results import Goal, Part, Row, row

REFERENCE = "solutions/reference.ipynb"
REFERENCE_EPOCHS, REFERENCE_BATCH = 10, 32
STARTER = "student/m5.ipynb"
CLASS_SIZE, QUICK_CLASS_SIZE = 24, 3
CLASS_TRAINING = "epochs=2"
JOBS = 2
GRADESCOPE_SECONDS = 600
"""After which Gradescope ends a container, unless somebody changed it."""


def compete(bench: Bench, contestants: Sequence[Contestant]) -> dict[str, list[Done]]:
    """Run all of them in turn, round after round, so that a slow minute hits each of them."""
    done: dict[str, list[Done]] = {contestant.name: [] for contestant in contestants}
    for number in range(1, bench.rounds + 1):
        for contestant in contestants:
            one = contestant.run()
            done[contestant.name].append(one)
            bench.say(
                f"round {number}: {contestant.name}: {one.usage.wall_seconds:.1f} s, "
                f"{one.usage.cpu_seconds:.1f} s of processor time"
            )
    return done


def ratios(ours: Sequence[Done], theirs: Sequence[Done]) -> list[float]:
    """Wall time of ours in units of theirs, round by round."""
    return [
        own.usage.wall_seconds / other.usage.wall_seconds
        for own, other in zip(ours, theirs, strict=True)
    ]


def one_notebook(bench: Bench) -> Part:
    """`m5 grade`, `jupyter execute`, `otter run`."""
    training = QUICK_TRAINING if bench.quick else None
    made = notebooks.with_training(bench.root / REFERENCE, training)
    folder = bench.place("notebook")
    graded = notebooks.write(folder / "m5.ipynb", made)
    plain = notebooks.write(folder / "plain/m5.ipynb", notebooks.with_data(made, bench.data))
    ours = Ours(bench=bench, path=graded)
    jupyter = Jupyter(bench=bench, path=plain)
    otter = Otter(bench=bench, path=plain, archive=otter_archive(bench))
    done = compete(bench, [ours, jupyter, otter])
    rows: list[Row] = []
    for name, runs in done.items():
        rows += [
            row(f"{name}, time", [run.usage.wall_seconds for run in runs], "s"),
            row(f"{name}, processor time", [run.usage.cpu_seconds for run in runs], "s"),
            row(f"{name}, memory", [run.usage.resident_bytes / MEGABYTE for run in runs], "MB"),
        ]
    runs = done[ours.name]
    fits = [run.longest_cell_seconds for run in runs]
    cells = [run.cell_seconds for run in runs]
    beside = [run.usage.wall_seconds - run.cell_seconds for run in runs]
    rows += [
        row("m5 grade, the cell that trains", fits, "s"),
        row("m5 grade, all cells", cells, "s"),
        row("m5 grade, beside the cells", beside, "s"),
    ]
    why = (
        f"In a middling run the training takes {statistics.median(fits):.1f} s, the other "
        f"cells {statistics.median(cells) - statistics.median(fits):.1f} s, and everything "
        f"else {statistics.median(beside):.1f} s."
    )
    versus_jupyter = Goal(at_most=0.40, if_missed=why)
    versus_otter = Goal(at_most=0.35, if_missed=why)
    of_jupyter = ratios(done[ours.name], done[jupyter.name])
    of_otter = ratios(done[ours.name], done[otter.name])
    rows += [
        row("m5 grade in units of jupyter execute", of_jupyter, "x", versus_jupyter),
        row("m5 grade in units of otter run", of_otter, "x", versus_otter),
    ]
    printed = {run.lines for name in (ours.name, jupyter.name) for run in done[name]}
    same = "yes" if len(printed) == 1 and printed != {()} else "NO"
    rows.append(Row(what="m5 grade and jupyter execute printed the same accuracies", text=same))
    epochs = "one short epoch (--quick)" if bench.quick else f"all {REFERENCE_EPOCHS} epochs"
    return Part(
        name="one_notebook",
        title="One notebook",
        compared=(
            f"`{REFERENCE}`, {epochs}, as whole processes in turn. `m5 grade` does all that it "
            "does for a TA: it tries its box, runs the notebook in it, measures the network, "
            "writes feedback and tables. `jupyter execute` only runs the notebook. `otter run` is "
            "Otter without this project's plugin, on an archive made by `otter generate` with one "
            "test, in the notebook's kernel, that asks `model.evaluate` for the accuracy. Jupyter "
            "and Otter have no data to hand out, so that their copy of the notebook reads the same "
            "digits from a file, with nothing else changed; and they run in a home folder in which "
            "Matplotlib has been before. Those two use as many threads as they like; `m5 grade` "
            "uses one (`verification.threads`). A run counts only if the network was trained and "
            "graded."
        ),
        rows=rows,
    )


def a_class(bench: Bench) -> Part:
    """`m5 grade FOLDER` against a loop of `otter run`."""
    size = QUICK_CLASS_SIZE if bench.quick else CLASS_SIZE
    training = QUICK_TRAINING if bench.quick else CLASS_TRAINING
    folder, plain = bench.place("class"), bench.place("class-plain")
    for number in range(1, size + 1):
        made = notebooks.with_training(bench.root / REFERENCE, training, seed_shift=number)
        notebooks.write(folder / f"student_{number:02}.ipynb", made)
        notebooks.write(plain / f"student_{number:02}.ipynb", notebooks.with_data(made, bench.data))
    archive = otter_archive(bench)
    sample = sorted(plain.glob("*.ipynb"))[: 2 if bench.quick else 4]

    def otter(number: int) -> float:
        seconds = Otter(bench=bench, path=sample[number], archive=archive).run().usage.wall_seconds
        bench.say(f"otter run: {seconds:.1f} s")
        return seconds

    half = len(sample) // 2
    before = [otter(number) for number in range(half)]
    graded = Ours(bench=bench, path=folder, submissions=size, jobs=JOBS).run()
    ours = graded.usage
    bench.say(f"m5 grade, {size} submissions: {ours.wall_seconds:.1f} s")
    otters = before + [otter(number) for number in range(half, len(sample))]
    each = ours.wall_seconds / size
    goal = Goal(
        at_least=6.0,
        if_missed=(
            f"The cells alone take {graded.cell_seconds / size:.1f} s of a submission, {JOBS} "
            f"side by side, and {ours.cpu_seconds / size:.1f} s of processor time go into each."
        ),
    )
    return Part(
        name="a_class",
        title=f"A class of {size}",
        compared=(
            f"{size} notebooks as above, each with a seed of its own and with `{training}`, to "
            f"stay in time: `m5 grade FOLDER --jobs {JOBS}` once, against `otter run` on one "
            f"notebook after another. The loop of Otter is measured on {len(sample)} of them, "
            "half before and half after ours, and its time for each submission is what is compared."
        ),
        rows=[
            row("m5 grade, all", [ours.wall_seconds], "s"),
            row("m5 grade, processor time", [ours.cpu_seconds], "s"),
            row("m5 grade, memory", [ours.resident_bytes / MEGABYTE], "MB"),
            row("m5 grade, each submission", [each], "s"),
            row("otter run, each submission", otters, "s"),
            row(
                "throughput in units of otter run", [theirs / each for theirs in otters], "x", goal
            ),
        ],
    )


def floor(bench: Bench) -> Part:
    """The reference's training in NumPy."""
    epochs = 1 if bench.quick else REFERENCE_EPOCHS
    batch = 512 if bench.quick else REFERENCE_BATCH
    seconds: list[float] = []
    accuracies: list[float] = []
    command = [sys.executable, "-m", "benchmarks.floor", str(bench.data), str(epochs), str(batch)]
    for _ in range(bench.rounds):
        usage = measure(
            command,
            folder=bench.place("floor"),
            timeout_seconds=TIMEOUT_SECONDS,
            environment={"PYTHONPATH": str(bench.root)},
        )
        accuracies.append(float(usage.said.split()[-1]))
        if not accuracies[-1] > bench.wanted_accuracy:
            raise BenchmarkError(f"The floor reached an accuracy of only {accuracies[-1]}.")
        seconds.append(usage.wall_seconds)
        bench.say(f"floor: {usage.wall_seconds:.1f} s, accuracy {accuracies[-1]}")
    return Part(
        name="floor",
        title="The floor",
        compared=(
            f"The reference's network and training (784 - 64 - 10, Adam, batches of {batch}, "
            f"{epochs} epoch(s), float32) written by hand in NumPy, as a whole process: about what "
            "the arithmetic itself costs one after another, with no Keras and no TensorFlow. "
            "The order of the images and the first weights are its own, so that its accuracy "
            "is near the notebook's, not equal to it."
        ),
        rows=[
            row("NumPy by hand", seconds, "s"),
            row("accuracy reached", [100 * accuracy for accuracy in accuracies], "%"),
        ],
    )


def starter(bench: Bench) -> Part:
    """All epochs of the notebook as students get it, on one core."""
    if shutil.which("taskset") is None:
        raise BenchmarkError("taskset is missing, so that nothing can be held to one core.")
    training = QUICK_TRAINING if bench.quick else None
    made = notebooks.with_training(bench.root / STARTER, training)
    notebook = notebooks.write(bench.place("starter") / "m5.ipynb", made)
    one_core = ("taskset", "-c", "0")
    # It is broken on purpose: that it ran is what counts.
    usage = Ours(bench=bench, path=notebook, must_train=False, prefix=one_core).run().usage
    bench.say(f"starter on one core: {usage.wall_seconds:.1f} s")
    goal = Goal(
        at_most=GRADESCOPE_SECONDS,
        if_missed="Set a longer timeout on Gradescope, or a larger container.",
    )
    return Part(
        name="starter",
        title="The starter on one core",
        compared=(
            f"`taskset -c 0 m5 grade` on `{STARTER}` as students get it"
            f"{', one short epoch (--quick)' if bench.quick else ''}: 795,120 parameters, the "
            f"largest network that many will hand in. Gradescope's default ends after "
            f"{GRADESCOPE_SECONDS} s (and gives half a core: twice the time and more). Memory was "
            "measured on the other core meanwhile."
        ),
        rows=[
            row("m5 grade", [usage.wall_seconds], "s", goal),
            row("m5 grade, memory", [usage.resident_bytes / MEGABYTE], "MB"),
        ],
    )
