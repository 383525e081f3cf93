"""How large the house is, and whether it is kept: ``make census``.

Prints a table of sizes. Lines of code are counted without blank lines, comments and docstrings,
so that no sentence for a reader is ever cut for a number.
"""

from __future__ import annotations

import ast
import graphlib
import io
import sys
import tokenize
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import grimp

from autograder.core.config import CONFIG_NAME
from autograder.release.bundle import BUNDLE_PATH, ENTRIES, bundle_files

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "autograder"
PIPELINE = "autograder.grading.pipeline"
NOT_CODE = (
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
)
SHARED_LINES = 6
SHORTEST_LINE = 4
"""Characters below which a line, such as a lone bracket, says nothing of its own."""

Imports = Mapping[str, frozenset[str]]


def code_lines(path: Path) -> list[tuple[int, str]]:
    """Number and text of each line that holds code."""
    source = path.read_text(encoding="utf-8")
    numbers: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NOT_CODE:
            numbers |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            numbers -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = source.splitlines()
    return [(number, lines[number - 1].strip()) for number in sorted(numbers)]


def imports_of_modules() -> dict[str, frozenset[str]]:
    """What each module of the package imports; a package's ``__init__`` counts as a module."""
    graph = grimp.build_graph("autograder", cache_dir=None)
    return {
        name: frozenset(graph.find_modules_directly_imported_by(name)) for name in graph.modules
    }


def floors(imports: Imports) -> int:
    """Length of the longest way down; a package's face only hands names on, and counts for none."""

    @cache
    def floor(name: str) -> int:
        above = max((floor(other) for other in imports[name]), default=0)
        return above + (not is_face(file_of(name)))

    return max(map(floor, imports))


def is_face(path: Path) -> bool:
    """Whether a module is a package's own, and hands on names of others without any of its own."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    own = [n for n in body if not isinstance(n, (ast.Expr, ast.ImportFrom, ast.Assign))]
    hands_on = any(isinstance(n, ast.ImportFrom) for n in body)
    return path.name == "__init__.py" and hands_on and not own


def of_rooms(imports: Imports) -> dict[str, frozenset[str]]:
    """The same between rooms."""

    def room(name: str) -> str:
        return ".".join(name.split(".")[:2])

    rooms: dict[str, set[str]] = {room(name): set() for name in imports if "." in name}
    for name, others in imports.items():
        for other in others:
            if "." in name and "." in other and room(name) != room(other):
                rooms[room(name)].add(room(other))
    return {name: frozenset(others) for name, others in rooms.items()}


def reached(imports: Imports, *starts: str) -> set[str]:
    """All modules that are imported from there, and the packages that they lie in."""
    found: set[str] = set()
    waiting = [start for start in starts if start in imports]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            parents = {name.rsplit(".", k)[0] for k in range(1, name.count(".") + 1)}
            waiting += [*imports[name], *(parents & set(imports))]
    return found


def file_of(name: str) -> Path:
    """Where a module stands."""
    path = ROOT / name.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def idle_lines_of_archive(imports: Imports) -> int:
    """Lines of code in the archive for Gradescope that nothing there ever runs."""
    run = {
        file_of(name)
        for name in reached(imports, PIPELINE, *(f"autograder.{entry}" for entry in ENTRIES))
    }
    packed = [name.split("/", 1)[1] for name in bundle_files(ROOT) if "/autograder/" in name]
    inside = PACKAGE / "sandbox" / "inside"
    return sum(
        len(code_lines(ROOT / name))
        for name in packed
        if name.endswith(".py") and ROOT / name not in run and inside not in (ROOT / name).parents
    )


def shared_pairs(paths: list[Path]) -> int:
    """Pairs of files in which six lines in a row are the same."""
    places: dict[tuple[str, ...], set[Path]] = {}
    for path in paths:
        imports = {
            number
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        lines = [
            text
            for number, text in code_lines(path)
            if len(text) >= SHORTEST_LINE and number not in imports
        ]
        for start in range(len(lines) - SHARED_LINES + 1):
            places.setdefault(tuple(lines[start : start + SHARED_LINES]), set()).add(path)
    return len({tuple(sorted(found)) for found in places.values() if len(found) > 1})


def functions(paths: list[Path]) -> Iterator[tuple[int, str]]:
    """Length in lines, and name, of each function."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                yield length, f"{path.relative_to(ROOT).as_posix()}:{node.name}"


def is_test_code(path: Path) -> bool:
    """Whether a file in tests/ is written for it: neither a notebook, nor from a release."""
    return path.name != "notebook.py" and "course" not in path.parts


def census(imports: Imports) -> list[tuple[str, str]]:
    """What is counted, and how much it is."""
    ours = sorted(PACKAGE.rglob("*.py"))
    tests = [path for path in (ROOT / "tests").rglob("*.py") if is_test_code(path)]
    top = [p for p in PACKAGE.iterdir() if p.name != "__pycache__"]
    longest = sorted(functions(ours), reverse=True)[:3]
    rooms = of_rooms(imports)
    return [
        ("entries at the top of autograder/", str(len(top))),
        ("floors of rooms", str(floors(rooms))),
        ("floors of modules", str(floors(imports))),
        ("modules", str(len(ours))),
        ("lines of code", f"{sum(len(code_lines(path)) for path in ours):,}"),
        ("modules reached by the pipeline", str(len(reached(imports, PIPELINE)))),
        (f"lines in {BUNDLE_PATH.name} never run", f"{idle_lines_of_archive(imports):,}"),
        ("pairs of files that share six lines", str(shared_pairs(ours))),
        ("longest functions", ", ".join(f"{name} {length}" for length, name in longest)),
        ("lines of tests, notebooks aside", f"{sum(len(code_lines(path)) for path in tests):,}"),
    ]


def main() -> None:
    """Print the table, or the circle of imports without which there are no floors."""
    assert (ROOT / CONFIG_NAME).exists()
    imports = imports_of_modules()
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        sys.exit(f"These modules import each other in a circle: {' <- '.join(error.args[1])}.")
    for name, value in census(imports):
        print(f"{name:40} {value}")


if __name__ == "__main__":
    main()
