"""Is a forked kernel the same as a started one, and as closed, whatever befalls its zygote?"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from autograder.core.assignment import Assignment
from autograder.core.errors import BoxError
from autograder.core.processes import kill_all
from autograder.grading.pipeline import Grader
from autograder.network.export import NetworkExport, read_export
from autograder.sandbox import BoxKind, Execution, Isolation
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe_forked
from autograder.sandbox.box.zygote import Zygote
from autograder.sandbox.executor import Executor
from tests.notebooks import SMALL_DATA, SMALL_NETWORK, notebook

pytestmark = pytest.mark.heavy
SURROUNDINGS = """
import json, os, signal, sys, tempfile, warnings, keras, matplotlib
import keras.src.backend.config
hide = lambda text: text.replace(os.path.dirname(os.path.expanduser("~")), "SCRATCH")
print(json.dumps({
    "environ": {name: hide(value) for name, value in os.environ.items()},
    "path": [hide(path) for path in sys.path],
    "argv": [hide(path) for path in sys.argv],
    "cwd": hide(os.getcwd()),
    "flags": str(sys.flags),
    "set": list({"alpha", "beta", "gamma", "delta", "epsilon", "zeta"}),
    "filters": sorted(str(entry) for entry in warnings.filters),
    "signals": {n: str(signal.getsignal(n)).split(" at ")[0] for n in range(1, 32)},
    "modules": [name for name in ("enter", "nest", "keras", "tensorflow") if name in sys.modules],
    "backend": matplotlib.get_backend(),
    "umask": os.umask(0o077),
    "folders": [hide(text) for text in (tempfile.gettempdir(),
        keras.src.backend.config.keras_home(), matplotlib.get_configdir(),
        matplotlib.get_cachedir())],
    "paths": {f"{module}.{n}": hide(v) for module, m in list(sys.modules.items())
        if module != "__main__" for n, v in list(vars(m).items())
        if type(v) is str and "/m5-" in v},
    "descriptors": sorted({os.readlink(f"/proc/self/fd/{n}").split(":")[0].split("-")[0]
        for n in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{n}")}),
    "user": [os.geteuid() == 0, os.getgroups(), os.sysconf("SC_OPEN_MAX")],
    "limits": [__import__("resource").getrlimit(n) for n in range(16)],
    "capabilities": [line for line in open("/proc/self/status") if line[:5] in ("CapPr", "CapEf",
        "CapAm", "NoNew", "Secco")],
}, default=str))
"""
LAST_OF_A_SET = {"tensorflow._s", "tensorflow._plugin_dir"}
"""Left over from a loop over a set of folders. Their names have a random part, and with them their
order: no two boxes need have the same one last, however they began."""
IN_THAT_SET = {
    sysconfig.get_path(name, scheme, vars={"userbase": "SCRATCH/home/.local"})
    for scheme in sysconfig.get_scheme_names()
    for name in ("purelib", "platlib")
}
FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"


class Kernels:
    """Runs cells in a started box, or in a forked one."""

    def __init__(self, assignment: Assignment, toolbox: Toolbox, isolation: Isolation) -> None:
        self.assignment, self.toolbox, self.isolation = assignment, toolbox, isolation

    def run(self, *cells: str, zygote: Zygote | None) -> tuple[Execution, NetworkExport]:
        limits = self.assignment.config.limits
        with Box(
            kind=self.isolation.kind,
            limits=limits,
            toolbox=self.toolbox,
            threads=1,
            zygote=zygote,
        ) as box:
            execution = Executor(box=box, toolbox=self.toolbox, limits=limits, seed=1).execute(
                notebook(*cells, answers=())
            )
            assert box.is_forked == (zygote is not None)
            export = read_export(box.scratch.export, max_bytes=limits.export_bytes)
        return execution, export


TRAINED = SMALL_NETWORK + "\nprint(repr(model.evaluate(x_test, y_test, verbose=0)))"
Runs = list[tuple[Execution, NetworkExport]]


@pytest.fixture(scope="module")
def runs(assignment: Assignment, toolbox: Toolbox, isolation: Isolation, zygote: Zygote) -> Runs:
    """The same notebook in a started box, and in two that were forked."""
    kernels = Kernels(assignment, toolbox, isolation)
    cells = (SURROUNDINGS, FIGURE, SMALL_DATA, TRAINED)
    return [kernels.run(*cells, zygote=start) for start in (None, zygote, zygote)]


def test_training_gives_the_same_numbers(runs: Runs) -> None:
    (started, network), *forked = runs
    for execution, again in forked:
        assert execution.notebook.cells[3].outputs == started.notebook.cells[3].outputs
        assert again.history == network.history
        for here, there in zip(again.arrays, network.arrays, strict=True):
            np.testing.assert_array_equal(here.values, there.values)


def test_surroundings_are_the_same(runs: Runs, toolbox: Toolbox) -> None:
    found: list[dict[str, Any]] = []
    for execution, _ in runs:
        assert execution.all_cells_ran, [(c.error_name, c.error_text) for c in execution.cells]
        found.append(json.loads(execution.notebook.cells[0].outputs[0].text))
        assert "image/png" in execution.notebook.cells[1].outputs[-1].data
    paths = found[0].pop("paths")
    for name, value in found[0].items():
        assert found[1][name] == value, name
    for name, path in found[1]["paths"].items():
        if name in LAST_OF_A_SET:
            assert path.removesuffix("/tensorflow-plugins") in IN_THAT_SET, name
        else:
            # Which modules are loaded on demand may differ.
            assert path == paths.get(name, path), name
        assert "/m5-" not in path.replace(str(toolbox.root), ""), name
    assert found[2] == found[1], "the first left something for the second"


def test_without_its_zygote_a_box_is_started(
    assignment: Assignment, toolbox: Toolbox, isolation: Isolation
) -> None:
    limits = assignment.config.limits
    with Zygote(kind=isolation.kind, toolbox=toolbox, modules=["json"]) as zygote:
        ids = {child.pid for child in psutil.Process().children(recursive=True)}
        with Box(kind=isolation.kind, limits=limits, toolbox=toolbox, zygote=zygote) as box:
            assert zygote.is_alive
            kill_all(lambda: ids & set(zygote.pids))
            box.run("selftest.py", "{}")
            assert not box.is_forked


def test_boxes_that_hold_less_are_not_used(
    assignment: Assignment, toolbox: Toolbox, isolation: Isolation, tmp_path: Path
) -> None:
    if "seccomp 1" not in isolation.layers:
        pytest.skip("this machine's boxes are not closed in the first place")
    root = tmp_path / "tools"
    shutil.copytree(toolbox.root, root, ignore=shutil.ignore_patterns("*.npz"))
    for folder in (root, *root.parents[:3]):
        folder.chmod(0o755)
    program = root / "enter.py"
    locking = "            if wanted:"
    text = program.read_text()
    assert text.count(locking) == 1
    program.chmod(0o644)
    program.write_text(text.replace(locking, "            if not wanted:"))
    open_toolbox = Toolbox(root=root)
    with (
        Zygote(kind=isolation.kind, toolbox=open_toolbox, modules=["json"]) as zygote,
        pytest.raises(BoxError, match=r"would not hold this\. cannot gain privileges"),
    ):
        probe_forked(
            isolation,
            zygote,
            limits=assignment.config.limits,
            toolbox=open_toolbox,
            secret_files=assignment.secret_files,
        )


OWNER = """
import sys, time
from pathlib import Path
from autograder.core.assignment import load_assignment
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox import BoxKind
from autograder.sandbox.box.zygote import Zygote
kind, toolbox = BoxKind(sys.argv[1]), Toolbox(root=Path(sys.argv[2]))
limits = load_assignment(Path(sys.argv[3])).config.limits
with Zygote(kind=kind, toolbox=toolbox, modules=["json"]) as zygote:
    with Box(kind=kind, limits=limits, toolbox=toolbox, zygote=zygote) as box:
        box.run("sleeps.py")
        assert box.is_forked
        print(zygote.nest, *sorted(box.members() | set(zygote.pids)), flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize("kind", list(BoxKind))
def test_all_end_with_a_grader_that_is_killed(
    kind: BoxKind, toolbox: Toolbox, root: Path, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    shutil.copytree(toolbox.root, tools, ignore=shutil.ignore_patterns("*.npz"))
    (tools / "sleeps.py").write_text("import time\ntime.sleep(600)\n")
    for folder in (tools, *tools.parents[:3]):
        folder.chmod(0o755)
    command = [sys.executable, "-c", OWNER, kind.value, str(tools), str(root)]
    with subprocess.Popen(
        command,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as owner:
        assert owner.stdout is not None and owner.stderr is not None
        nest, *pids = owner.stdout.readline().split() or [""]
        if not pids:
            said = owner.stderr.read()
            assert "BoxError" in said, said
            pytest.skip(f"there is no {kind.value} box here")
        processes = [psutil.Process(int(pid)) for pid in pids]
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while living := [p for p in processes if _runs(p)]:
        assert time.monotonic() < deadline, living
        time.sleep(0.05)
    # Nobody was left to take it away.
    shutil.rmtree(nest)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_a_class_is_graded_in_forked_boxes(
    assignment: Assignment, toolbox: Toolbox, isolation: Isolation, zygote: Zygote
) -> None:
    known = probe_forked(
        isolation,
        zygote,
        limits=assignment.config.limits,
        toolbox=toolbox,
        secret_files=assignment.secret_files,
    )
    grader = Grader(assignment=assignment, toolbox=toolbox, isolation=known, zygote=zygote)
    assert "forked from a process with TensorFlow" in grader.isolation.layers
    assert known.findings == isolation.findings
