"""What a box on this machine really holds back: tried, not assumed."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from autograder.core.config import Limits
from autograder.core.errors import BoxError
from autograder.sandbox import BoxKind, Ending, Finding, Guarantee, Isolation
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.limits import ControlGroup
from autograder.sandbox.box.zygote import Zygote

SELFTEST_SECONDS = 40.0
TRIED_BYTES = 256 << 20
"""Limit of memory for trying whether one strikes."""
MAX_ANSWER_BYTES = 1 << 16
DYING_SECONDS = 2.0
"""For a killed process to let go of its files: one that lost its parent cannot be waited for."""


ATTEMPTS = {
    "read_files": Guarantee.FILES_HIDDEN,
    "write_outside": Guarantee.FILES_UNTOUCHED,
    "reach_network": Guarantee.NETWORK_CLOSED,
    "see_grader": Guarantee.GRADER_HIDDEN,
    "signal_grader": Guarantee.GRADER_UNTOUCHED,
    "gain_privileges": Guarantee.NO_PRIVILEGES,
}
"""Name of the attempt in inside/selftest.py, and what it would break."""


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
        _listeners() as plan,
        contextlib.ExitStack() as stack,
        Box(kind=kind, limits=limits, toolbox=toolbox, zygote=zygote) as box,
    ):
        answer_file = box.scratch.export / "answer.json"
        pipe = stack.enter_context(_daemon_pipe(box.scratch.export / "pipe"))
        plan |= {
            "secrets": [str(path) for path in secret_files],
            "folders": [_identity(path) for path in _outside_folders(toolbox)],
            "grader": os.getpid(),
            "started": Path("/proc/self/stat").read_text().split()[21],
            "answer": str(answer_file),
            "pipe": str(box.scratch.export / "pipe"),
        }
        _run_selftest(box, plan)
        if zygote is not None and not box.is_forked:
            raise BoxError("A box could not be forked.")
        ended_whole = box.kill()
        answers = _read_answer(answer_file, box.stderr)
        left = _what_daemon_left(pipe)
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
        _run_selftest(box, {"eat": 4 * TRIED_BYTES, "answer": str(answer)})
        box.stop()
        held = box.breach is Ending.OUT_OF_MEMORY and not answer.exists()
    how = _how_bounded(_has_cgroup(limits))
    return Finding(
        guarantee=Guarantee.MEMORY_BOUNDED,
        held=held,
        reason=f"tried, and ended at the limit ({how})" if held else f"no limit struck ({how})",
    )


def _run_selftest(box: Box, plan: dict[str, object]) -> None:
    """Have the self-test do what its plan says, and wait for its end."""
    box.run("selftest.py", json.dumps(plan))
    deadline = time.monotonic() + SELFTEST_SECONDS
    while box.is_alive and time.monotonic() < deadline:
        time.sleep(0.01)


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


# ---------------------------------------------------------------------------- lures
# What the self-test is to reach, and to leave behind: without them nothing is tried.


@contextlib.contextmanager
def _listeners() -> Iterator[dict[str, object]]:
    """Things to be reached, if the network is open: by TCP, UDP and an abstract Unix socket."""
    token = secrets.token_hex(16)
    os.environ["M5_SELFTEST_TOKEN"] = token
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.socket())
        tcp.bind(("127.0.0.1", 0))
        tcp.listen(1)
        udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0m5-selftest-{token}")
        abstract.listen(1)
        try:
            yield {
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "abstract": f"m5-selftest-{token}",
                "token": token,
            }
        finally:
            del os.environ["M5_SELFTEST_TOKEN"]


@contextlib.contextmanager
def _daemon_pipe(path: Path) -> Iterator[int]:
    """A named pipe that the self-test's daemon holds; its end for reading."""
    os.mkfifo(path)
    path.chmod(0o666)
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield pipe
    finally:
        os.close(pipe)


def _what_daemon_left(pipe: int) -> str:
    """What is wrong with the daemon once the box has ended; empty where it ran and is gone."""
    try:
        if os.read(pipe, 16) != b"alive":
            return "the daemon that was to be left behind did not start, so nothing was tried"
        select.select([pipe], [], [], DYING_SECONDS)
        return "" if os.read(pipe, 16) == b"" else "the daemon went on writing"
    except BlockingIOError:
        return "a daemon went on running"
