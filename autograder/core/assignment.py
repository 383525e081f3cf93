"""All that the grader knows about the assignment, the released notebook among it, read once."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from autograder.core.config import CHECK_NAMES, CONFIG_NAME, Config, Record, load_config
from autograder.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from autograder.core.mnist import Mnist

DATA_PATH = Path("assignment/data/mnist.npz")
TESTS_PATH = Path("dist/tests")
LESSON_PATH = Path("student/m5.ipynb")
FORMULAS_PATH = Path("dist/tests/formulas.json")
GRADER_FOLDER = "files_m5"
"""The folder of all this in the archive for Otter; `autograder.release.bundle` says why."""

STAMP = "# For the configuration and the tests below: "
RULES = ("assignment", "accuracy", "budget", "points", "reflections")
"""Sections of the configuration that stand in what students read, or decide what they earn."""
ANSWER_TAG = "otter_answer_cell"
"""Of a cell that students fill in."""


class LessonCell(Record, frozen=True, kw_only=True):
    """One cell of the released notebook."""

    kind: str
    source: str
    is_answer: bool
    """Whether students fill it in."""


class Lesson(Record, frozen=True, kw_only=True):
    """The released notebook, to tell what is a student's own from what is the lesson's."""

    cells: list[LessonCell] = msgspec.field(default_factory=list)
    formulas: dict[str, str] = msgspec.field(default_factory=dict)
    """MathML by formula, dollar signs included; made by `m5 release`."""

    @property
    def text(self) -> str:
        """Everything that it says, to recognise copied answers by."""
        return "\n\n".join(cell.source for cell in self.cells)


class Asked(Record, frozen=True):
    """How a notebook asks its questions, where the course has other ones now.

    Nothing of it is an answer: whoever handed in before has the former questions in the notebook.
    """

    prompts: tuple[str, ...] = ()
    text: str = ""
    """All text cells of the released notebook of then."""


def read_lesson(root: Path) -> Lesson:
    """Read the released notebook, and its formulas in MathML.

    Raises
    ------
    DataError
        If one of them is missing or is not what `m5 release` writes.
    """
    path = root / LESSON_PATH
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        cells = [
            LessonCell(
                kind=cell["cell_type"],
                source="".join(cell["source"]),
                is_answer=ANSWER_TAG in cell["metadata"].get("tags", ()),
            )
            for cell in notebook["cells"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: cannot be read as a notebook; run `m5 release`.") from error
    path = root / FORMULAS_PATH
    try:
        formulas = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path}: cannot be read ({error}); run `m5 release`.") from error
    return Lesson(cells=cells, formulas=formulas)


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The configuration, the data, the tests and the lesson.

    Attributes
    ----------
    data
        The file that `mnist` is read from.
    tests
        Folder of Otter test files, hidden parts included.
    secret_files
        Files that no submission may be able to read.
    """

    config: Config
    data: Path
    tests: Path
    lesson: Lesson
    secret_files: tuple[Path, ...]

    @cached_property
    def mnist(self) -> Mnist:
        """All images; read, and their checksum compared, when they are first asked for.

        Raises
        ------
        DataError
            If the file is missing or is another.
        """
        return self._reading.result()

    @cached_property
    def _reading(self) -> Future[Mnist]:
        from autograder.core.mnist import load_mnist  # NumPy: reading the lesson does without

        reader = ThreadPoolExecutor(max_workers=1)
        try:
            return reader.submit(load_mnist, self.data)
        finally:
            reader.shutdown(wait=False)

    def begin_reading(self) -> None:
        """Have the images unpacked by a thread, while there is something else to do."""
        _ = self._reading

    def with_timeout(self, seconds: float | None) -> Assignment:
        """The same with another wall time for each notebook, and for each cell at most that.

        None leaves it as it is.
        """
        if seconds is None:
            return self
        limits = msgspec.structs.replace(self.config.limits, notebook_seconds=seconds)
        config = msgspec.structs.replace(self.config, limits=limits.within(seconds))
        return replace(self, config=config)


def find_root(start: Path) -> Path:
    """The folder that holds `otter_config.json`: `start`, a parent of it, or where we live.

    Raises
    ------
    ConfigError
        If there is none.
    """
    home = Path(__file__).resolve().parents[2]
    for folder in (start.resolve(), *start.resolve().parents, home):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise ConfigError(f"No {CONFIG_NAME} in {start} or above it; name one with --config.")


def load_assignment(root: Path, config_path: Path | None = None) -> Assignment:
    """Read everything from the folder `root`, but for the digits: see `Assignment.mnist`.

    Raises
    ------
    ConfigError, DataError
        If a file is missing or is not what it should be.
    """
    config_path = config_path or root / CONFIG_NAME
    config = load_config(config_path)
    tests = root / TESTS_PATH
    missing = [name for name in CHECK_NAMES if not (tests / f"{name}.py").is_file()]
    if missing:
        raise DataError(f"{tests}: no test file for {', '.join(missing)}; run `m5 release`.")
    _refuse_stale(tests, config, config_path)
    return Assignment(
        config=config,
        data=root / DATA_PATH,
        tests=tests,
        lesson=read_lesson(root),
        secret_files=(root / DATA_PATH, config_path, *sorted(tests.glob("*.py"))),
    )


def stamp(text: str, config: Config) -> str:
    """A test file of the grader's, with a second line that tells for which configuration it is.

    A threshold changed in otter_config.json, and not released, would judge networks by one number
    and tell students another. So `m5 release` writes a digest into the file, and whoever loads the
    assignment compares it, before anything is graded.
    """
    first, _, rest = text.partition("\n")
    return f"{first}\n{STAMP}{_digest(first, rest, config)}\n{rest}"


def _digest(first: str, rest: str, config: Config) -> str:
    values = msgspec.to_builtins(config)
    rules = json.dumps({name: values[name] for name in RULES}, sort_keys=True)
    return hashlib.sha256("\n".join([rules, first, rest]).encode()).hexdigest()[:32]


def _refuse_stale(tests: Path, config: Config, config_path: Path) -> None:
    """Compare configuration and tests once, before anything is graded."""
    for name in CHECK_NAMES:
        path = tests / f"{name}.py"
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read ({error}); run `m5 release`.") from error
        first, _, rest = text.partition("\n")
        second, _, rest = rest.partition("\n")
        if second != f"{STAMP}{_digest(first, rest, config)}":
            raise DataError(
                f"{path} was not made for {config_path}, or was changed since, so networks would "
                "be judged by other rules than students read: run `m5 release`."
            )
