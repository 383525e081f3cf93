"""The kinds of box, and what is known of the one that a run uses: names and words alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class BoxKind(str, Enum):
    """How a box is closed off, the strongest kind first."""

    NAMESPACES = "namespaces"
    """Its own mounts, processes, network and users, by bubblewrap."""
    USER = "user"
    """Another user id; needs a grader that is root. Gradescope's container."""
    PLAIN = "plain"
    """The grader's own user, closed by Landlock and seccomp where the kernel has them."""


class Guarantee(str, Enum):
    """One thing that no submission can do."""

    FILES_HIDDEN = "cannot read the grader's data, tests, solutions, other submissions or results"
    FILES_UNTOUCHED = "cannot write outside its own scratch folder"
    NETWORK_CLOSED = "cannot reach any network address, this machine's own included"
    GRADER_HIDDEN = "cannot see the grader's environment or memory"
    GRADER_UNTOUCHED = "cannot signal or trace the grader"
    NO_PRIVILEGES = "cannot gain privileges or make namespaces of its own"
    ENDS_WHOLE = "cannot leave a process behind"
    MEMORY_BOUNDED = "cannot use more memory than allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether one guarantee holds here, and how that is known."""

    guarantee: Guarantee
    held: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """The kind of box that a run uses, and what was found out about it."""

    kind: BoxKind
    layers: tuple[str, ...]
    findings: tuple[Finding, ...]
    passed_over: tuple[str, ...]
    """Stronger kinds that this machine does not offer, each with the reason."""

    @property
    def is_complete(self) -> bool:
        """Whether every guarantee holds."""
        return all(finding.held for finding in self.findings)

    @property
    def missing(self) -> tuple[str, ...]:
        """The guarantees that do not hold, in words."""
        return tuple(
            f"{finding.guarantee.value}: {finding.reason}"
            for finding in self.findings
            if not finding.held
        )
