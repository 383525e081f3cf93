"""What the trusted side may load, and what the untrusted side may."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

INSIDE = sorted((ROOT / "autograder/sandbox/inside").glob("*.py"))

TRUSTED = """
import sys
import autograder.network.measurement
foreign = {"tensorflow", "keras", "torch", "jax", "pickle5", "h5py"} & set(sys.modules)
assert not foreign, foreign
"""


def test_the_trusted_side_loads_no_tensorflow() -> None:
    subprocess.run([sys.executable, "-c", TRUSTED], check=True, timeout=300)


@pytest.mark.parametrize("path", INSIDE, ids=lambda path: path.name)
def test_what_runs_in_the_box_is_marked_and_takes_nothing_of_ours(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert (ast.get_docstring(tree) or "").startswith("UNTRUSTED GROUND")
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not {name for name in imported if name.split(".")[0] in ("autograder", "", "studies")}
