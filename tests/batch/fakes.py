"""Batches with graders that obey their notebooks: see `obedient`."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autograder.batch.grading import grade_handins, stop_asked
from autograder.batch.messages import Setup
from autograder.batch.pool import LocalPool, Pool
from autograder.core.assignment import Assignment, Lesson, load_assignment
from autograder.core.errors import AutograderError
from autograder.core.report import Report
from autograder.intake import Handin
from autograder.intake.collecting import collect
from autograder.reports.folder import ResultsFolder
from autograder.sandbox import BoxKind, Isolation
from tests.notebooks import notebook, write

ROOT = Path(__file__).resolve().parent.parent.parent
ISOLATION = Isolation(kind=BoxKind.PLAIN, layers=(), findings=(), passed_over=())


def command(text: str, *, tags: Sequence[str] = (), author: str = "") -> Any:
    """A notebook whose grader does what `text` says."""
    made = notebook(text, answers=())
    made.metadata["kernelspec"]["display_name"] = "Python 3"
    made.metadata["colab"] = {"name": author}
    made.cells[0].metadata["tags"] = list(tags)
    return made


def fake_setup(assignment: Assignment, **changes: Any) -> Setup:
    """A setup for obedient graders, which need neither data nor box."""
    fields: dict[str, Any] = {
        "config": assignment.config,
        **dict.fromkeys(("data", "tests"), ""),
        "lesson": Lesson(),
        "kinds": [],
        "leftovers": [],
        "toolbox": "/nonexistent",
        "isolation": ISOLATION,
        "require_isolation": False,
        "warm": False,
        "grader": "tests.batch.obedient:make_grader",
    }
    return Setup(**(fields | changes))


def grade_obediently(
    paths: Sequence[Path],
    out: Path,
    *,
    assignment: Assignment,
    progress: Any,
    scratch: Path,
    size: int = 2,
    job_seconds: float = 240.0,
    pools: list[LocalPool] | None = None,
    **options: Any,
) -> list[dict[str, str]]:
    """`grade_batch` with obedient graders."""

    @contextlib.contextmanager
    def open_pool(todo: Sequence[Handin]) -> Iterator[Pool]:
        setup = fake_setup(assignment, leftovers=[str(scratch)])
        with LocalPool(setup, size=size, job_seconds=job_seconds) as pool:
            if pools is not None:
                pools.append(pool)
            yield pool

    scratch.mkdir(exist_ok=True)
    unpacked = Path(tempfile.mkdtemp(dir=scratch))
    found = collect(paths, scratch=unpacked, assignment_id=assignment.config.assignment.id)
    with stop_asked() as stop:
        return grade_handins(
            found,
            assignment=assignment,
            results=ResultsFolder(out, **{"overwrite": False, **options}),
            progress=progress,
            open_pool=open_pool,
            stop=stop,
        )


def write_class(folder: Path, commands: dict[str, str]) -> Path:
    """A folder of notebooks: name to command."""
    for name, text in commands.items():
        write(folder / f"{name}.ipynb", command(text))
    return folder


class Said:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def say(*arguments: Any, **named: Any) -> None:
            shown = [a.submission if isinstance(a, Report) else a for a in arguments]
            self.lines.append(" ".join(map(str, [name, *shown, *named.values()])))

        return say


def main() -> None:
    """Grade as `m5 grade` does, in a process that a test may kill: IN OUT SCRATCH [OPTION...]."""
    from autograder.batch.terminal import TerminalProgress

    folder, out, scratch, *options = sys.argv[1:]
    try:
        chosen: dict[str, Any] = dict.fromkeys(options, True)
        with TerminalProgress() as progress:
            rows = grade_obediently(
                [Path(folder)],
                Path(out),
                assignment=load_assignment(ROOT),
                progress=progress,
                scratch=Path(scratch),
                **chosen,
            )
        print(json.dumps([row["submission"] for row in rows]))
    except AutograderError as error:
        sys.exit(f"m5: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
