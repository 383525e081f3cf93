"""What a box on this machine really holds back: tried, not assumed."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import msgspec

from autograder.core.config import Limits
from autograder.core.errors import BoxError
from autograder.core.verdict import Ending
from autograder.sandbox.box.box import Box
from autograder.sandbox.box.command import BoxKind
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.limits import ControlGroup
from autograder.sandbox.box.lures import daemon_pipe, listeners, what_daemon_left
from autograder.sandbox.box.zygote import Zygote

SELFTEST_SECONDS = 40.0
TRIED_BYTES = 256 << 20
"""Limit of memory for trying whether one strikes."""
MAX_ANSWER_BYTES = 1 << 16


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


ATTEMPTS = {
    "read_files": Guarantee.FILES_HIDDEN,
    "write_outside": Guarantee.FILES_UNTOUCHED,
    "reach_network": Guarantee.NETWORK_CLOSED,
    "see_grader": Guarantee.GRADER_HIDDEN,
    "signal_grader": Guarantee.GRADER_UNTOUCHED,
    "gain_privileges": Guarantee.NO_PRIVILEGES,
}
"""Name of the attempt in inside/selftest.py, and what it would break."""


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


def probe(
    *,
    limits: Limits,
    toolbox: Toolbox,
    secret_files: Sequence[Path],
    kinds: Sequence[BoxKind] = tuple(BoxKind),
    try_memory: bool = False,
    require: bool = False,
) -> Isolation:
    """Find the strongest kind of box that works here, and try to break out of it.

    Parameters
    ----------
    secret_files
        Files that a submission must not be able to read: the data, the tests, other submissions.
    kinds
        Kinds to try, the strongest first.
    try_memory
        Whether to try the limit of memory too, which takes some seconds.
    require
        Whether every guarantee must hold.

    Raises
    ------
    BoxError
        If no kind of box can be made, or a guarantee that is required does not hold.
    """
    passed_over: list[str] = []
    for kind in kinds:
        try:
            layers, findings = _try_kind(kind, limits, toolbox, secret_files)
        except BoxError as error:
            passed_over.append(f"{kind.value}: {error}")
            continue
        if try_memory:
            findings = (*findings[:-1], _try_memory(kind, limits, toolbox))
        isolation = Isolation(
            kind=kind, layers=layers, findings=findings, passed_over=tuple(passed_over)
        )
        if require and not isolation.is_complete:
            raise BoxError(
                "This machine does not give every guarantee, and --require-isolation was asked "
                "for. Missing: " + "; ".join(isolation.missing)
            )
        return isolation
    raise BoxError("No kind of box can be made here. " + " ".join(passed_over))


def probe_forked(
    isolation: Isolation,
    zygote: Zygote,
    *,
    limits: Limits,
    toolbox: Toolbox,
    secret_files: Sequence[Path],
) -> Isolation:
    """Find out whether forked boxes hold what started ones hold, by trying to break out of one.

    Raises
    ------
    BoxError
        If a box cannot be forked, or if a guarantee that held does not hold any more.
    """
    layers, findings = _try_kind(isolation.kind, limits, toolbox, secret_files, zygote)
    lost = [
        f"{after.guarantee.value}: {after.reason}"
        for before, after in zip(isolation.findings, findings, strict=True)
        if before.held and not after.held
    ]
    if lost:
        raise BoxError("A box that was forked would not hold this. " + "; ".join(lost))
    return replace(isolation, layers=(*layers, "forked from a process with TensorFlow"))


def _try_kind(
    kind: BoxKind,
    limits: Limits,
    toolbox: Toolbox,
    secret_files: Sequence[Path],
    zygote: Zygote | None = None,
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    with (
        listeners() as plan,
        contextlib.ExitStack() as stack,
        Box(kind=kind, limits=limits, toolbox=toolbox, zygote=zygote) as box,
    ):
        answer_file = box.scratch.export / "answer.json"
        pipe = stack.enter_context(daemon_pipe(box.scratch.export / "pipe"))
        plan |= {
            "secrets": [str(path) for path in secret_files],
            "folders": [_identity(path) for path in _outside_folders(toolbox)],
            "grader": os.getpid(),
            "started": Path("/proc/self/stat").read_text().split()[21],
            "answer": str(answer_file),
            "pipe": str(box.scratch.export / "pipe"),
        }
        box.run("selftest.py", json.dumps(plan))
        if zygote is not None and not box.is_forked:
            raise BoxError("A box could not be forked.")
        deadline = time.monotonic() + SELFTEST_SECONDS
        while box.is_alive and time.monotonic() < deadline:
            time.sleep(0.01)
        ended_whole = box.kill()
        answers = _read_answer(answer_file, box.stderr)
        left = what_daemon_left(pipe)
        layers = tuple(f"{name} {value}" for name, value in box.layers.items())
    has_cgroup = _has_cgroup(limits)
    layers += ("control group",) if has_cgroup else ()
    findings = [
        Finding(
            guarantee=guarantee,
            held=answers[attempt] is None,
            reason=answers[attempt] or "tried, and refused",
        )
        for attempt, guarantee in ATTEMPTS.items()
    ]
    if kind is BoxKind.PLAIN:
        how = "a daemon ended with the box; but nothing marks its processes for certain"
    else:
        how = "tried: a daemon ended with the box"
    findings += [
        Finding(
            guarantee=Guarantee.ENDS_WHOLE,
            held=ended_whole and not left and kind is not BoxKind.PLAIN,
            reason=left or how,
        ),
        Finding(
            guarantee=Guarantee.MEMORY_BOUNDED,
            held=True,
            reason=f"not tried here ({_how_bounded(has_cgroup)}); `m5 doctor` tries it",
        ),
    ]
    return layers, tuple(findings)


def _try_memory(kind: BoxKind, limits: Limits, toolbox: Toolbox) -> Finding:
    """Take four times a small limit, and see whether that limit strikes."""
    small = msgspec.structs.replace(limits, memory_bytes=TRIED_BYTES)
    with Box(kind=kind, limits=small, toolbox=toolbox) as box:
        answer = box.scratch.export / "answer.json"
        box.run("selftest.py", json.dumps({"eat": 4 * TRIED_BYTES, "answer": str(answer)}))
        deadline = time.monotonic() + SELFTEST_SECONDS
        while box.is_alive and time.monotonic() < deadline:
            time.sleep(0.01)
        box.stop()
        held = box.breach is Ending.OUT_OF_MEMORY and not answer.exists()
    how = _how_bounded(_has_cgroup(limits))
    return Finding(
        guarantee=Guarantee.MEMORY_BOUNDED,
        held=held,
        reason=f"tried, and ended at the limit ({how})" if held else f"no limit struck ({how})",
    )


def _how_bounded(has_cgroup: bool) -> str:
    return "control group" if has_cgroup else "watched ten times a second"


def _read_answer(path: Path, stderr: Sequence[str]) -> dict[str, str | None]:
    """Read what the self-test wrote; it was ours, but it ran where nothing is believed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            answers = json.loads(file.read(MAX_ANSWER_BYTES))
        return {name: answers[name] for name in ATTEMPTS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = stderr[-1] if stderr else type(error).__name__
        raise BoxError(f"the self-test gave no answer ({said}).") from error


def _outside_folders(toolbox: Toolbox) -> list[Path]:
    """Folders that exist on most machines, some of them open to everybody."""
    names = ["/", "/tmp", "/var/tmp", "/usr", "/etc", "/opt", "/srv", str(Path.home())]
    return [path for path in map(Path, [*names, str(toolbox.root)]) if path.is_dir()]


def _identity(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path), status.st_dev, status.st_ino


def _has_cgroup(limits: Limits) -> bool:
    group = ControlGroup.create(memory_bytes=limits.memory_bytes, processes=limits.processes)
    if group is not None:
        group.remove()
    return group is not None
