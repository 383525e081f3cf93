"""What documents say of configuration, tables and commands, made of these, so that it is true.

A document says where: between ``<!-- points: written by m5 release -->`` and the mark that ends
it. Beside them there is the schema by which editors check ``otter_config.json`` as it is written.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from autograder.core import config as config_module
from autograder.core.config import CHECK_NAMES, CONFIG_NAME, Config
from autograder.core.errors import ReleaseError, statuses_as_table
from autograder.release.template import percent, read_text, thousands
from autograder.reports import overrides, tables

SCHEMA_PATH = "docs/otter_config.schema.json"
BEGIN = ": written by m5 release -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One value of the configuration."""

    name: str
    """Such as ``accuracy.threshold``."""
    value: object
    allowed: str
    """In words; empty where the type says all."""
    meaning: str


def document_files(root: Path, config: Config) -> dict[str, bytes]:
    """The documents with fresh tables between their marks, and the schema of the configuration.

    Raises
    ------
    ReleaseError
        If there is a mark without the other.
    """
    files = {SCHEMA_PATH: _schema()}
    for path in DOCUMENTS:
        if (root / path).exists() and BEGIN in (text := read_text(root / path, path)):
            for name, table in TABLES.items():
                text = _with_table(text, name, table(config), path)
            files[path] = text.encode()
    return files


def _with_table(text: str, name: str, table: str, path: str) -> str:
    begin, end = f"<!-- {name}{BEGIN}", f"<!-- end of {name} -->"
    if begin not in text and end not in text:
        return text
    place = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    fresh, found = place.subn(lambda _: table, text)
    if found != 1:
        raise ReleaseError(f"{path}: '{begin}' and '{end}' must be there once, in order.")
    return fresh


def _points(config: Config) -> str:
    passes = {
        "runs": "every code cell ran without an error, within the limits",
        "accuracy": f"more than {percent(config.accuracy.threshold)} of the test images are read "
        "correctly",
        "budget": f"the network has at most {thousands(config.budget.max_parameters)} "
        "parameters, trainable or not",
    }
    answer = "an answer is there, in any language"
    rows = [
        (name.replace("_", " "), str(config.points.of(name)), passes.get(name, answer))
        for name in CHECK_NAMES
    ]
    rows.append(("together", str(config.points.total), ""))
    return _table(("check", "points", "passes when"), rows)


def _keys(config: Config) -> str:
    """A heading and a table for each section of the configuration."""
    parts = []
    for section in msgspec.structs.fields(Config):
        if section.encode_name.startswith("$"):
            continue
        name, record = section.name, getattr(config, section.name)
        rows = [
            (f"`{key.name}`", f"`{json.dumps(key.value)}`", key.allowed, key.meaning)
            for key in keys_of(record, name)
        ]
        said = inspect.getdoc(type(record)) or ""
        table = _table(("key", "here", "allowed", "what it does"), rows)
        parts.append(f"\n### {name}\n\n{_one_line(said)}\n\n{table}")
    return "".join(parts) + "\n"


def _columns(meanings: Mapping[str, str]) -> str:
    return _table(("column", "holds"), [(f"`{name}`", text) for name, text in meanings.items()])


DOCUMENTS = ("README.md", "docs/configuration.md", "docs/instructors.md", "docs/tas.md")
TABLES: dict[str, Callable[[Config], str]] = {
    "points": _points,
    "exit statuses": lambda _: statuses_as_table(),
    "keys": _keys,
    "columns": lambda _: _columns(tables.MEANINGS),
    "columns of marks": lambda _: _columns(overrides.MEANINGS),
}
"""What makes each table, by the name in its marks; any of the documents may hold any of them."""


def keys_of(record: msgspec.Struct, prefix: str) -> Iterator[Key]:
    """Every value in a section, with what the code says about it.

    Raises
    ------
    ReleaseError
        If the code says nothing: a key that nobody explains cannot be changed with confidence.
    """
    meanings = _meanings()[type(record).__name__]
    for field in msgspec.structs.fields(record):
        value, name = getattr(record, field.name), f"{prefix}.{field.name}"
        if isinstance(value, msgspec.Struct):
            yield from keys_of(value, name)
        elif field.name in meanings:
            allowed = _allowed(types.type_info(field.type))
            yield Key(name=name, value=value, allowed=allowed, meaning=meanings[field.name])
        else:
            raise ReleaseError(
                f"{CONFIG_NAME}: {name} needs a sentence in {type(record).__name__} that says what "
                "it does."
            )


@cache
def _meanings() -> dict[str, dict[str, str]]:
    """The text under each field, by record and field."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(config_module)).body:
        if isinstance(node, ast.ClassDef):
            said = found.setdefault(node.name, {})
            for field, text in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and isinstance(text, ast.Expr)
                    and isinstance(text.value, ast.Constant)
                ):
                    said[field.target.id] = _one_line(str(text.value.value))
    return found


def _schema() -> bytes:
    """The JSON Schema of the configuration, with the meaning of each key in it."""
    schema: dict[str, Any] = msgspec.json.schema(Config)
    for name, record in schema["$defs"].items():
        record["description"] = _one_line(record.get("description", ""))
        for field, kind in record["properties"].items():
            if meaning := _meanings()[name].get(field.replace("$", "")):
                kind["description"] = meaning.replace("`", "")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _table(head: tuple[str, ...], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    # A backslash before a bar keeps it in its cell.
    escaped = [[cell.replace("|", r"\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in escaped).replace(" |  |\n", " | |\n")


def _allowed(node: types.Type) -> str:
    """Say in words what values of this type there may be; or nothing."""
    if isinstance(node, types.Metadata):
        return _allowed(node.type)
    if isinstance(node, (types.IntType, types.FloatType)):
        kind = "a whole number" if isinstance(node, types.IntType) else "a number"
        bounds = (
            ("at least", node.ge),
            ("more than", node.gt),
            ("at most", node.le),
            ("less than", node.lt),
        )
        limits = [f"{words} {bound:.15g}" for words, bound in bounds if bound is not None]
        return ", ".join([kind, *limits])
    if isinstance(node, types.StrType):
        if node.pattern:
            return f"text that fits {node.pattern}"
        return f"text of {node.min_length or 0} to {node.max_length or 'any number of'} characters"
    if isinstance(node, types.BoolType):
        return "true or false"
    if isinstance(node, types.ListType) and node.max_length is not None:
        return f"a list of {node.min_length or 0} to {node.max_length} values"
    return ""
