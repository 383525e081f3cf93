"""The box: a closed place for code that nobody has read."""

from autograder.sandbox.box.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe, probe_forked
from autograder.sandbox.box.isolation import BoxKind, Finding, Guarantee, Isolation
from autograder.sandbox.box.zygote import Zygote

__all__ = [
    "Box",
    "BoxKind",
    "Finding",
    "Guarantee",
    "Isolation",
    "Toolbox",
    "Zygote",
    "probe",
    "probe_forked",
]
