"""The box: a closed place for code that nobody has read."""

from autograder.box.box import Box
from autograder.box.command import BoxKind
from autograder.box.guarantees import Finding, Guarantee, Isolation, probe, probe_forked
from autograder.box.toolbox import Toolbox
from autograder.box.watchdog import Breach
from autograder.box.zygote import Zygote

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
