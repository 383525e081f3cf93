"""What a measured accuracy depends on besides the notebook and its seed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from autograder.core.config import Config

TENSORFLOW = ("tensorflow-cpu", "tensorflow")
"""Names under which TensorFlow is installed."""


def conditions_of(config: Config) -> str:
    """The libraries with their versions and the number of threads, for people to read.

    Both change the last digits of an accuracy: libraries and threads add up the same numbers in
    another order. So measurements under other conditions do not count as measured.
    """
    versions = [_versions(*TENSORFLOW), _versions("keras"), _versions("numpy")]
    threads = config.verification.threads
    return ", ".join([*versions, "1 thread" if threads == 1 else f"{threads} threads"])


def _versions(*names: str) -> str:
    """The first of these that is installed."""
    for name in names:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return f"{names[-1]} not installed"
