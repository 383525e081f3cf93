"""The line in each of the grader's test files that tells for which configuration it was made.

A threshold changed in otter_config.json, and not released, would judge networks by one number and
tell students another. So `m5 release` writes a digest into the file, and whoever loads the
assignment compares it, before anything is graded.
"""

from __future__ import annotations

import hashlib
import json

import msgspec

from autograder.core.config import Config

PREFIX = "# For the configuration and the tests below: "
RULES = ("assignment", "accuracy", "budget", "points", "reflections")
"""Sections of the configuration that stand in what students read, or decide what they earn."""


def stamp(text: str, config: Config) -> str:
    """`text`, a test file, with the digest as its second line."""
    first, _, rest = text.partition("\n")
    return f"{first}\n{PREFIX}{_digest(first, rest, config)}\n{rest}"


def is_stamped(text: str, config: Config) -> bool:
    """Whether `text` was made by `stamp` for this configuration, and not changed since."""
    first, _, rest = text.partition("\n")
    second, _, rest = rest.partition("\n")
    return second == f"{PREFIX}{_digest(first, rest, config)}"


def _digest(first: str, rest: str, config: Config) -> str:
    values = msgspec.to_builtins(config)
    rules = json.dumps({name: values[name] for name in RULES}, sort_keys=True)
    return hashlib.sha256("\n".join([rules, first, rest]).encode()).hexdigest()[:32]
