"""The box: a closed place for code that nobody has read."""

from autograder.sandbox.box.box import Box
from autograder.sandbox.box.command import BoxKind
from autograder.sandbox.box.guarantees import Finding, Guarantee, Isolation, probe, probe_forked
from autograder.sandbox.box.toolbox import Toolbox
from autograder.sandbox.box.watchdog import Breach
from autograder.sandbox.box.zygote import Zygote

__all__ = [
    "Box",
    "BoxKind",
    "Breach",
    "Finding",
    "Guarantee",
    "Isolation",
    "Toolbox",
    "Zygote",
    "probe",
    "probe_forked",
]
