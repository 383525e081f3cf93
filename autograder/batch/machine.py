"""How many submissions this machine can grade at the same time."""

from __future__ import annotations

import os

import psutil

from autograder.core.config import Limits
from autograder.core.memory import container_bytes

JOB_BYTES = 1_600_000_000
"""What one submission takes: TensorFlow with all of MNIST in a network of the course's size was
seen to hold 1.2 GB, the process that grades it 0.25 GB, and the clerk of that 0.06 GB."""


def default_jobs(limits: Limits) -> int:
    """As many as cores and free memory allow, at least one."""
    need = min(JOB_BYTES, limits.memory_bytes)
    return max(1, min(cores(), _free_bytes() // need))


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_bytes() -> int:
    return min(int(psutil.virtual_memory().available), container_bytes())
