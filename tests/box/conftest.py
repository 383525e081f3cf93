"""Boxes of every kind that this machine can make, and a way to run a few lines in them."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from autograder.core.assignment import Assignment
from autograder.core.config import Limits
from autograder.core.errors import BoxError
from autograder.sandbox import BoxKind, Ending
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.guarantees import probe
from autograder.sandbox.box.zygote import Zygote

PROGRAM_SECONDS = 120.0
"""More than any of them takes on a busy machine: who waits so long has hung."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of a few lines in a box."""

    answer: Any
    """What the program left in ``answer``; None if it did not get that far."""
    breach: Ending | None
    stderr: str
    root: Path


class Lab:
    """Runs programs in boxes of one kind."""

    def __init__(
        self, kind: BoxKind, limits: Limits, toolbox: Toolbox, zygote: Zygote | None = None
    ) -> None:
        self.kind = kind
        self.zygote = zygote
        self.limits = limits
        self.toolbox = toolbox

    def run(self, source: str, **changes: Any) -> Run:
        """Run a program that leaves something JSON-like in the variable ``answer``."""
        with self.box(**changes) as box:
            self.start(box, source)
            return self.wait(box)

    @contextmanager
    def box(self, **changes: Any) -> Iterator[Box]:
        """An open box with some limits changed."""
        limits = msgspec.structs.replace(self.limits, **changes)
        with Box(kind=self.kind, limits=limits, toolbox=self.toolbox, zygote=self.zygote) as box:
            yield box

    def start(self, box: Box, source: str) -> None:
        """Start a program in the box."""
        name = f"program-{uuid.uuid4().hex[:8]}.py"
        out = box.scratch.export / "answer.json"
        ending = f"\nimport json\nwith open({str(out)!r}, 'w') as f: json.dump(answer, f)\n"
        path = self.toolbox.root / name
        path.write_text(source + ending)
        path.chmod(0o444)
        box.run(name)

    def wait(self, box: Box) -> Run:
        """Wait for its end, by itself or by the watchdog."""
        deadline = time.monotonic() + PROGRAM_SECONDS
        while box.is_alive and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not box.is_alive, "the program did not end in time"
        box.stop()
        out = box.scratch.export / "answer.json"
        answer = json.loads(out.read_text()) if out.exists() and out.stat().st_size else None
        return Run(
            answer=answer, breach=box.breach, stderr="\n".join(box.stderr), root=box.scratch.root
        )


@pytest.fixture(scope="session")
def working_kinds(assignment: Assignment, toolbox: Toolbox) -> dict[BoxKind, str]:
    """For each kind of box the reason why there is none here, or nothing."""
    reasons = {}
    for kind in BoxKind:
        try:
            limits = assignment.config.limits
            probe(limits=limits, toolbox=toolbox, secret_files=[], kinds=[kind])
            reasons[kind] = ""
        except BoxError as error:
            reasons[kind] = str(error)
    # Plain ones need nothing of a machine: where there are none, what enters a box is broken.
    assert "" in reasons.values(), reasons
    return reasons


@pytest.fixture(scope="session")
def zygotes(toolbox: Toolbox) -> Iterator[dict[BoxKind, Zygote]]:
    """Made when first asked for; they import little, since it is not what is tried here."""
    with contextlib.ExitStack() as stack:

        class Made(dict[BoxKind, Zygote]):
            def __missing__(self, kind: BoxKind) -> Zygote:
                zygote = Zygote(kind=kind, toolbox=toolbox, modules=["numpy"])
                self[kind] = stack.enter_context(zygote)
                return zygote

        yield Made()


def _labs() -> Iterator[Any]:
    """Every kind of box started, and the strongest also forked; the others forked take long.

    Where another kind is the strongest, test_box_stages tries that one forked.
    """
    for warm in (False, True):
        for kind in BoxKind:
            marks = [pytest.mark.long] * (warm and kind is not BoxKind.NAMESPACES)
            name = f"{kind.value}-{'forked' if warm else 'started'}"
            yield pytest.param((kind, warm), id=name, marks=marks)


@pytest.fixture(params=_labs())
def lab(
    request: pytest.FixtureRequest,
    working_kinds: dict[BoxKind, str],
    assignment: Assignment,
    toolbox: Toolbox,
    zygotes: dict[BoxKind, Zygote],
) -> Lab:
    """A lab for each kind of box, started or forked; skipped, with the reason, if there is none."""
    kind, warm = request.param
    if reason := working_kinds[kind]:
        pytest.skip(reason)
    return Lab(kind, assignment.config.limits, toolbox, zygotes[kind] if warm else None)
