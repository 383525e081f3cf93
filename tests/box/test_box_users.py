"""User ids for boxes: found on a machine where processes come and go."""

from __future__ import annotations

import functools
import subprocess
from typing import Any

import psutil
import pytest

from autograder.box import users


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
        assert users.free_user_id() in users.USER_IDS
    finally:
        short_lived.kill()
    assert short_lived.wait() != 0


@pytest.mark.parametrize("free", [users.USER_IDS[0], users.USER_IDS[-1]])
def test_ids_of_processes_are_not_given(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    taken = [uid for uid in users.USER_IDS if uid != free]
    ids = iter([(uid, uid, uid) for uid in taken])

    def processes(attributes: list[str]) -> list[Any]:
        assert attributes == ["uids"]
        return [type("Process", (), {"info": {"uids": uids}}) for uids in ids]

    monkeypatch.setattr(psutil, "process_iter", processes)
    assert users.free_user_id() == free
