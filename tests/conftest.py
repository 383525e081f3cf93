"""What many tests share: the course, its data, and a toolbox for boxes."""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from autograder.core.assignment import Assignment, load_assignment
from autograder.core.mnist import Mnist, load_mnist
from autograder.core.processes import PR_SET_CHILD_SUBREAPER
from autograder.grading.pipeline import Grader
from autograder.sandbox import Isolation
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe
from autograder.sandbox.box.zygote import Zygote
from tests.browser import browser, open_page

# One browser for all who look at pages: a second one in a process cannot be started.
__all__ = ["browser", "open_page"]

# The same examples each time, and none is wrong for being slow: the machine may be busy.
settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

EPILOGUE = """\
import time
from IPython import get_ipython
step = "retraced" if RETRACES else "done"
open(FOLDER + "/" + step, "w")
time.sleep(get_ipython().user_ns.get("seconds_until_" + step, 0))
"""
"""Writes down that it was run, and takes as long as the notebook says."""
ROOT = Path(__file__).resolve().parent.parent


BYTES_OF_A_WORKER = 4 << 30
"""TensorFlow in the process itself, in its zygote and in a box, with some room."""


def pytest_xdist_auto_num_workers() -> int | None:
    """Two for each core, as far as the memory goes: half of the time tests wait for an end."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    room = psutil.virtual_memory().total // BYTES_OF_A_WORKER
    return max(1, min(2 * (psutil.cpu_count() or 1), room))


BUILT_ONCE = {"zygote", "graded_class", "own_course", "built", "shared"}
"""Fixtures that take so long that no second process should make them anew."""


@pytest.hookimpl(tryfirst=True)  # xdist looks for groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave all that needs one of `BUILT_ONCE` to one process; begin with what takes longest."""
    for item in items:
        for name in BUILT_ONCE & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: item.get_closest_marker("heavy") is None)


def pytest_collection_finish() -> None:
    """Let no test's processor time be that of a look for garbage in all of TensorFlow."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Let no test process adopt orphans for longer than a test has plain boxes, or grades a class.

    Else the helpers of every `m5` that a later test runs, which outlive it by a moment, would come
    to the test process and stay there as zombies.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Measure on as many threads as a grader, which tells NumPy so.

    Tests run side by side: with all threads each, they would spend most of their time waiting for
    each other.
    """
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def mnist() -> Mnist:
    """The digits as shipped."""
    return load_mnist(ROOT / "assignment/data/mnist.npz")


@pytest.fixture(scope="session")
def assignment() -> Assignment:
    """The course as committed."""
    return load_assignment(ROOT)


@pytest.fixture(scope="session")
def toolbox(mnist: Mnist) -> Iterator[Toolbox]:
    """What all boxes may read."""
    with Toolbox.make(mnist.handed_out()) as toolbox:
        yield toolbox


@pytest.fixture(scope="session")
def bare(toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolbox]:
    """A toolbox without TensorFlow: a second a run instead of five."""
    root = tmp_path_factory.mktemp("tools") / "tools"
    shutil.copytree(toolbox.root, root, ignore=shutil.ignore_patterns("*.npz"))
    for name, text in (("prelude.py", ""), ("epilogue.py", EPILOGUE)):
        (root / name).chmod(0o644)
        (root / name).write_text(text)
    for folder in (root, *root.parents):
        if folder.owner() == root.owner() and str(folder).startswith(
            str(tmp_path_factory.getbasetemp())
        ):
            folder.chmod(0o755)
    yield Toolbox(root=root)


@pytest.fixture(scope="session")
def isolation(assignment: Assignment, toolbox: Toolbox) -> Isolation:
    """The strongest box that there is here."""
    secrets = assignment.secret_files
    return probe(limits=assignment.config.limits, toolbox=toolbox, secret_files=secrets)


@pytest.fixture(scope="session")
def zygote(assignment: Assignment, toolbox: Toolbox, isolation: Isolation) -> Iterator[Zygote]:
    """The process from which all boxes with TensorFlow are forked; started are those that say so.

    Forked and started ones are the same to the last bit (tests/test_warm_start.py), and every start
    imports TensorFlow again.
    """
    threads = assignment.config.verification.threads
    with Zygote(kind=isolation.kind, toolbox=toolbox, threads=threads) as zygote:
        yield zygote


@pytest.fixture(scope="session")
def grader(
    assignment: Assignment, toolbox: Toolbox, isolation: Isolation, zygote: Zygote
) -> Grader:
    """Grades as `m5 grade` does in a class, with the committed configuration."""
    return Grader(assignment=assignment, toolbox=toolbox, isolation=isolation, zygote=zygote)
