"""User ids for boxes: found on a machine where processes come and go."""

from __future__ import annotations

import functools
import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder.core.errors import BoxError
from autograder.sandbox.box import Box, folders
from tests.box.conftest import Lab


def test_a_process_that_ends_while_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    short_lived = subprocess.Popen(["sleep", "60"])
    look = psutil.Process.uids

    @functools.wraps(look)
    def end_then_look(process: psutil.Process) -> Any:
        if process.pid == short_lived.pid:
            short_lived.kill()
            short_lived.wait()
        return look(process)

    monkeypatch.setattr(psutil.Process, "uids", end_then_look)
    try:
        uid = folders.free_user_id()
        assert uid in folders.USER_IDS
        folders.give_back(uid)
    finally:
        short_lived.kill()
    assert short_lived.wait() != 0


OURS = range(70_000, 70_100)
"""Ids that no box takes that other tests open meanwhile."""


@pytest.mark.parametrize("free", [OURS[0], OURS[-1]])
def test_ids_of_processes_are_not_given(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(folders, "USER_IDS", OURS)
    taken = [uid for uid in OURS if uid != free]
    ids = iter([(uid, uid, uid) for uid in taken])

    def processes(attributes: list[str]) -> list[Any]:
        assert attributes == ["uids"]
        return [type("Process", (), {"info": {"uids": uids}}) for uids in ids]

    monkeypatch.setattr(psutil, "process_iter", processes)
    assert folders.free_user_id() == free
    folders.give_back(free)


def test_no_two_boxes_have_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "USER_IDS", OURS[:2])
    first, second = folders.free_user_id(), folders.free_user_id()
    try:
        assert first != second
        with pytest.raises(BoxError, match="No free user id"):
            folders.free_user_id()
    finally:
        folders.give_back(first)
    assert folders.free_user_id() == first
    for uid in (first, second):
        folders.give_back(uid)


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors as Linux lists them")
def test_boxes_leave_no_descriptor_open(lab: Lab) -> None:
    def descriptors() -> int:
        gc.collect()  # what earlier tests left open is closed at some time
        return len(list(Path("/proc/self/fd").iterdir()))

    with lab.box() as box:
        lab.start(box, "answer = 1\n")
        lab.wait(box)
    before = descriptors()
    for _ in range(20):
        with lab.box():
            pass
    for _ in range(2):
        lab.run("answer = 1\n")
    if lab.zygote is None:
        for _ in range(5):
            with pytest.raises(BoxError):
                lab_box_without_a_place(lab)
    assert descriptors() <= before


def lab_box_without_a_place(lab: Lab) -> None:
    # A short path: one that is too long for a socket is replaced by /tmp.
    nowhere = Path("/does-not-exist")
    Box(kind=lab.kind, limits=lab.limits, toolbox=lab.toolbox, parent=nowhere)
