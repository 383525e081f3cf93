"""Which grader it is: two that decide alike have one version.

What counts of our own code is its syntax tree without docstrings: a comment changes no grade. The
tree is written down by our own walk, which leaves out positions and empty fields, since `ast.dump`
differs from one Python to the next and this does not.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

from autograder.core.assignment import Assignment
from autograder.core.files import replace_file
from autograder.core.report import Report

PACKAGE = Path(__file__).resolve().parents[1]
SHOWING = (
    *("batch", "gradescope", "otter", "reports", "release"),
    *("cli", "__main__.py"),
)
"""Parts of the package that hand out work, show or release, and decide nothing. What is not named
here counts: to grade once too often is the smaller harm."""
READING = "grading/reflections/"
"""What judges the answers to the questions."""
JUDGING = (
    *("grading/checks.py", "grading/describe.py", "grading/diagnosis.py", "grading/hints.py"),
    *("grading/judge.py", "grading/wording.py", READING),
)
"""Deciding parts that need no run: they come after the evidence."""
DECIDING = ("keras", "numpy", "tensorflow", "tensorflow-cpu", "tensorflow-macos")
"""Packages that compute what is graded, under the names that TensorFlow goes by."""
CACHE_NAME = "grader-version.json"
DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def configuration_hash(assignment: Assignment) -> str:
    """SHA-256 of everything but the submission that a grade depends on, the grader included."""
    tests = {path.name: path.read_text("utf-8") for path in sorted(assignment.tests.glob("*.py"))}
    layout = [field.name for field in msgspec.structs.fields(Report)]
    config = msgspec.to_builtins(assignment.config)
    return _digest([grader_version(), layout, config, tests, assignment.lesson.text])


def grader_version() -> str:
    """SHA-256 of the code that decides grades, and the versions of what it computes with."""
    return _digest({"code": _meanings(), "packages": _versions()})


@cache
def gathering_version() -> str:
    """The same of what runs and measures a submission, without what judges it then."""
    code = {name: said for name, said in _meanings().items() if not name.startswith(JUDGING)}
    return _digest({"code": code, "packages": _versions()})


@cache
def reading_version() -> str:
    """The same of what judges reflections."""
    return _digest({name: said for name, said in _meanings().items() if name.startswith(READING)})


def _meanings() -> dict[str, str]:
    return _code_meanings(_sources(PACKAGE), _cache_file())


def _sources(package: Path) -> dict[str, bytes]:
    """The deciding modules, by their path in the package."""
    paths = (path.relative_to(package) for path in package.rglob("*.py"))
    deciding = sorted(path.as_posix() for path in paths if path.parts[0] not in SHOWING)
    return {name: (package / name).read_bytes() for name in deciding}


def _code_meanings(sources: Mapping[str, bytes], cache: Path) -> dict[str, str]:
    """What each module means; remembered for these very bytes: to parse them takes a second."""
    key = hashlib.sha256()
    for name, source in sources.items():
        key.update(f"{name}\0{len(source)}\0".encode() + source)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(cache.read_bytes())[key.hexdigest()]
        return {name: str(known[name]) for name in sources}
    meanings = {name: meaning_of(source) for name, source in sources.items()}
    with contextlib.suppress(OSError):
        cache.parent.mkdir(exist_ok=True)
        replace_file(cache, json.dumps({key.hexdigest(): meanings}).encode("ascii"))
    return meanings


def _cache_file() -> Path:
    """Beside what Python itself derives from the sources, and no more trusted than that."""
    return Path(importlib.util.cache_from_source(__file__)).with_name(CACHE_NAME)


def meaning_of(source: bytes) -> str:
    """SHA-256 of a module's syntax tree without docstrings."""
    digest = hashlib.sha256()
    for piece in _pieces(ast.parse(source)):
        digest.update(piece.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _pieces(node: object) -> Iterator[str]:
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for name, value in ast.iter_fields(node):
            if name == "body" and isinstance(node, DEFINITIONS) and ast.get_docstring(node):
                value = value[1:]
            if value not in (None, []):
                yield f" {name}="
                yield from _pieces(value)
        yield ")"
    elif isinstance(node, list):
        yield "["
        for item in node:
            yield from _pieces(item)
        yield "]"
    else:
        yield f"{type(node).__name__}:{node!r};"


def _versions() -> dict[str, str]:
    versions = {}
    for name in DECIDING:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()
