"""A class of 1,000: does the memory of the process that hands out the work stay flat?

``python benchmarks/scale.py [--submissions 1000] [--answers 8]`` makes that many notebooks with so
many different answers, grades them as `m5 grade` does, and prints figures. They train nothing.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.batch.grading import grade_batch
from autograder.batch.loop import Progress
from autograder.core.assignment import find_root, load_assignment
from autograder.core.report import Report
from autograder.reports.folder import ResultsFolder


class Memory(Progress):
    """Notes how large this process is whenever a submission is done."""

    def __init__(self) -> None:
        self.megabytes: list[float] = []

    def finished(self, report: Report, remark: str = "") -> None:
        """Look."""
        self.megabytes.append(psutil.Process().memory_info().rss / 1e6)


def make_class(folder: Path, submissions: int, answers: int) -> None:
    """Notebooks in a Gradescope export, most of them with the same answer as many others."""
    lines = ["---"]
    for number in range(submissions):
        answer = number % answers
        made = new_notebook(
            cells=[
                new_code_cell(f"answer = {answer}\nprint('x' * 50_000)"),
                *(
                    new_markdown_cell(
                        f"My learning rate was too high in attempt {answer}, so units died.",
                        metadata={"tags": [f"reflection_{question}"]},
                    )
                    for question in (1, 2, 3)
                ),
            ],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        place = folder / f"submission_{number}"
        place.mkdir(parents=True)
        (place / "m5.ipynb").write_text(nbformat.writes(made), encoding="utf-8")
        lines.append(f"submission_{number}:\n  :submitters:\n  - :name: Student {number}")
        lines.append(f"    :sid: '{number}'\n    :email: s{number}@example.edu")
    (folder / "submission_metadata.yml").write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    """Make the class, grade it, print figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--answers", type=int, default=8)
    parser.add_argument("--output", type=Path, help="Keep the results in this folder.")
    options = parser.parse_args()
    assignment = load_assignment(find_root(Path.cwd()))
    with tempfile.TemporaryDirectory(prefix="m5-scale-") as temporary:
        folder, output = Path(temporary, "class"), options.output or Path(temporary, "out")
        make_class(folder, options.submissions, options.answers)
        memory, started = Memory(), time.monotonic()
        rows = grade_batch(
            [folder],
            assignment=assignment,
            results=ResultsFolder(output, overwrite=False),
            progress=memory,
        ).rows
        seconds = time.monotonic() - started
        resumed = time.monotonic()
        grade_batch(
            [folder],
            assignment=assignment,
            results=ResultsFolder(output, overwrite=False, resume=True),
            progress=Progress(),
        )
        resumed = time.monotonic() - resumed
        with (output / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
            assert len(list(csv.DictReader(file))) == len(rows) == options.submissions
    tenth = max(1, len(memory.megabytes) // 10)
    print(f"submissions                  {len(rows)}, {options.answers} answers")
    print(f"graded in                    {seconds:.0f} s")
    print(f"all found again in           {resumed:.1f} s, by --resume")
    print(f"memory after the first 10 %  {memory.megabytes[tenth - 1]:.0f} MB")
    print(f"memory at the end            {memory.megabytes[-1]:.0f} MB")
    print(f"memory at most               {max(memory.megabytes):.0f} MB")


if __name__ == "__main__":
    main()
