"""Says of a refused configuration which key is wrong, and what it may hold."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import inspect

KEY = re.compile(r" - at `\$\.?([^`]*)`$")


def explain(error: msgspec.DecodeError, config: type[msgspec.Struct]) -> str:
    """Name the key that `error` is about, and the range of its value where it has one.

    Examples
    --------
    >>> from autograder.core.config import Config
    >>> error = msgspec.ValidationError("Expected `float` < 1.0 - at `$.accuracy.threshold`")
    >>> explain(error, Config)
    'accuracy.threshold: Expected `float` < 1.0; allowed: a number, more than 0, less than 1.'
    """
    text = str(error)
    found = KEY.search(text)
    if found is None and "unknown field" not in text:
        return f"{text}."
    key, said = found[1] if found else "", KEY.sub("", text)
    allowed = allowed_at(config, key)
    place = f"{key}: " if key else ""
    return f"{place}{said}; allowed: {allowed}." if allowed else f"{place}{said}."


def allowed_at(config: type[msgspec.Struct], key: str) -> str:
    """Say in words what may stand under `key`, such as ``accuracy.threshold``; or nothing."""
    return _allowed(_type_at(config, key))


def _type_at(config: type[msgspec.Struct], key: str) -> inspect.Type | None:
    """The type of the value under `key`, such as ``starter.hidden_units[...]``."""
    node: Any = inspect.type_info(config)
    for step in re.findall(r"[A-Za-z_]\w*|\[", key):
        if step == "[" and isinstance(node, inspect.ListType):
            node = node.item_type
        elif isinstance(node, inspect.StructType):
            node = next((field.type for field in node.fields if field.name == step), None)
        else:
            return None
        while isinstance(node, inspect.Metadata):
            node = node.type
    return node if isinstance(node, inspect.Type) else None


def _allowed(node: inspect.Type | None) -> str:
    """Say in words what values of this type there may be."""
    if isinstance(node, (inspect.IntType, inspect.FloatType)):
        kind = "a whole number" if isinstance(node, inspect.IntType) else "a number"
        bounds = (
            ("at least", node.ge),
            ("more than", node.gt),
            ("at most", node.le),
            ("less than", node.lt),
        )
        limits = [f"{words} {bound:.15g}" for words, bound in bounds if bound is not None]
        return ", ".join([kind, *limits])
    if isinstance(node, inspect.StrType):
        if node.pattern:
            return f"text that fits {node.pattern}"
        return f"text of {node.min_length or 0} to {node.max_length or 'any number of'} characters"
    if isinstance(node, inspect.BoolType):
        return "true or false"
    if isinstance(node, inspect.ListType) and node.max_length is not None:
        return f"a list of {node.min_length or 0} to {node.max_length} values"
    if isinstance(node, inspect.StructType):
        return "the keys " + ", ".join(field.encode_name for field in node.fields)
    return ""
