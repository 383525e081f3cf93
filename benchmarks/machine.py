"""Where a run of the benchmarks took place."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from autograder.batch.pool import cores
from benchmarks.groups import Meter
from benchmarks.results import Machine

PACKAGES = ("tensorflow", "keras", "numpy", "otter-grader", "nbclient", "ipykernel")


def describe() -> Machine:
    """This machine, now: call it before anything is measured."""
    with Meter.opened(None) as meter:
        measured_by = (
            f"a control group (version {meter.group.version}) around each program"
            if meter
            else "adding up what its processes hold; shared pages count more than once"
        )
    return Machine(
        processor=_processor(),
        cores=cores(),
        memory_bytes=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: _version(name) for name in PACKAGES},
        load_before=os.getloadavg()[0],
        measured_by=measured_by,
    )


def _version(package: str) -> str:
    # Where TensorFlow has a package for processors alone, that one is installed.
    for name in (f"{package}-cpu", package) if package == "tensorflow" else (package,):
        try:
            return version(name)
        except ModuleNotFoundError:
            continue
    return "?"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
