"""Processes that we started for our own use, which are no orphans of a box."""

from __future__ import annotations

HELPERS: set[int] = set()
"""Process ids of living helpers, such as the clerk: whoever looks for what a box or a grading
process has left behind passes these over."""
