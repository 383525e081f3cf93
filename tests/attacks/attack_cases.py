"""The cases of the attack suite: what is in their folders, and how it becomes a notebook."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import nbformat
from msgspec import Meta

from autograder.core.config import Record
from autograder.core.report import Verdict

HERE = Path(__file__).resolve().parent
RELEASED = HERE.parent.parent / "student/m5.ipynb"

ANSWERS = (
    "All ten units of the second hidden layer died in the first epoch, because the learning rate "
    "of 0.03 threw their weights so far off that ReLU gave zero for every image afterwards.",
    "With one hidden layer of 64 units and a learning rate of 0.001 the accuracy rose with every "
    "epoch, and the network has far fewer parameters than the one that I was given.",
    "Changing one setting at a time showed me which of them mattered; more units help less and "
    "less, while a learning rate that is too large ruins everything at once.",
)
"""For cells that say ``# %% [reflections]``: answers that any reader would accept."""

CELL = re.compile(r"^# %%(?: \[(?P<kind>\w+)\])?(?: (?P<metadata>\{.*\}))?$", re.MULTILINE)

Allowed = int | Annotated[list[int], Meta(min_length=1)]


class Points(Record, frozen=True):
    """What each check may be worth: a number, or a list of numbers."""

    runs: Allowed
    accuracy: Allowed
    budget: Allowed
    reflections: Allowed = 0
    """All three together."""


class Expectation(Record, frozen=True):
    """The whole of ``expect.json``; see README.md."""

    why: Annotated[str, Meta(min_length=20, max_length=400)]
    verdicts: Annotated[list[Verdict], Meta(min_length=1)]
    points: Points
    says: tuple[str, ...] = ()
    """In the texts of results.json."""
    never: tuple[str, ...] = ()
    """In results.json, report.json and executed.ipynb."""
    honest: bool = False
    honest_after: bool = False
    """Whether an honest notebook is graded directly afterwards, and must not notice."""
    threshold: Annotated[float, Meta(gt=0, lt=1)] | None = None
    """Accuracy to exceed, where the suite's own will not do."""
    limits: dict[str, int | float] = msgspec.field(default_factory=dict)
    """In place of the suite's own; names as in ``otter_config.json``."""
    long: bool = False


@dataclass(frozen=True, kw_only=True)
class Case:
    """One folder."""

    name: str
    folder: Path
    expectation: Expectation
    others: tuple[Path, ...] = ()
    """Folders whose cells follow in the same notebook."""

    @property
    def source(self) -> str:
        """All that is written in its folders."""
        folders = (self.folder, *self.others)
        paths = (path for folder in folders for path in sorted(folder.glob("*.py")))
        return "\n".join(path.read_text(encoding="utf-8") for path in paths)

    def build(self, into: Path) -> Path:
        """Make the submission in the folder `into`; returns the file or folder to be graded."""
        builder = self.folder / "builder.py"
        if builder.is_file():
            spec = importlib.util.spec_from_file_location(f"builder_{self.name}", builder)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            built: Path = module.build(into)
            return built
        notebook = read_notebook(self.source)
        path = into / f"{self.name}.ipynb"
        path.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")
        return path


def find_cases() -> list[Case]:
    """All cases, by name.

    Raises
    ------
    msgspec.ValidationError
        If an ``expect.json`` lacks something, or holds something unknown.
    """
    cases = []
    for path in sorted(HERE.glob("*/expect.json")):
        expectation = msgspec.json.decode(path.read_bytes(), type=Expectation)
        cases.append(Case(name=path.parent.name, folder=path.parent, expectation=expectation))
    return cases


def join(name: str, cases: list[Case]) -> Case:
    """Cases of which the same is expected, one after another in one notebook."""
    first, *others = cases
    for case in others:
        assert case.expectation.verdicts == first.expectation.verdicts, case.name
        assert case.expectation.points == first.expectation.points, case.name
        assert case.expectation.limits == first.expectation.limits == {}, case.name
    says = tuple(text for case in cases for text in case.expectation.says)
    never = tuple(text for case in cases for text in case.expectation.never)
    expectation = msgspec.structs.replace(first.expectation, says=says, never=never)
    folders = tuple(case.folder for case in others)
    return Case(name=name, folder=first.folder, expectation=expectation, others=folders)


def read_notebook(text: str) -> dict[str, Any]:
    """Turn the text form of a notebook into JSON data.

    Cells begin with a line ``# %%``; ``# %% [markdown]`` is a text cell, whose lines begin with
    ``# ``; JSON metadata may follow. ``# %% [reflections]`` stands for the question and answer
    cells of the released notebook, answered.
    """
    assert text.startswith("# %%"), "a notebook begins with a cell"
    starts = list(CELL.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    cells: list[Any] = []
    for start, end in zip(starts, ends, strict=True):
        source = text[start.end() : end].strip("\n")
        metadata = json.loads(start["metadata"] or "{}")
        if start["kind"] == "reflections":
            cells += reflection_cells()
        elif start["kind"] == "markdown":
            lines = [line.removeprefix("#").removeprefix(" ") for line in source.splitlines()]
            cells.append(nbformat.v4.new_markdown_cell("\n".join(lines), metadata=metadata))
        else:
            assert start["kind"] is None, f"no such kind of cell: {start['kind']}"
            cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata = json.loads(RELEASED.read_text(encoding="utf-8"))["metadata"]
    return dict(nbformat.v4.new_notebook(cells=cells, metadata=metadata))


def reflection_cells(answers: tuple[str, ...] = ANSWERS) -> list[Any]:
    """The cells for the reflections as they are released, with `answers` in them."""
    released = nbformat.read(RELEASED, as_version=4)
    cells = []
    for cell in released.cells:
        if re.fullmatch(r"reflection-\d(-prompt)?", cell.id):
            if not cell.id.endswith("prompt"):
                cell.source = answers[int(cell.id[-1]) - 1]
            cells.append(cell)
    assert len(cells) == 6, "the released notebook has changed: three prompts, three answers"
    return cells
