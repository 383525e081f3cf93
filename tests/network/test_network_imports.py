"""What the trusted side may load."""

from __future__ import annotations

import subprocess
import sys

TRUSTED = """
import sys
import autograder.network.measurement
foreign = {"tensorflow", "keras", "torch", "jax", "pickle5", "h5py"} & set(sys.modules)
assert not foreign, foreign
"""

UNTRUSTED = """
import sys
import autograder.sandbox.inside.export
ours = [name for name in sys.modules if name.startswith("autograder.")]
rooms = {"autograder.sandbox", "autograder.sandbox.inside"}
assert set(ours) == rooms | {"autograder.sandbox.inside.export"}, ours
assert not {"tensorflow", "keras", "numpy"} & set(sys.modules)
"""


def run(code):
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_verifier_loads_no_tensorflow():
    run(TRUSTED)


def test_exporter_loads_nothing_of_ours():
    run(UNTRUSTED)
