"""User ids for boxes, where the grader is root: one that nobody else is, for each box."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess

import psutil

from autograder.core.errors import BoxError

USER_IDS = range(50_000, 60_000)
"""Above what systems give to people and services, below what they give to containers."""
SHARED_MEMORY = "/dev/shm"
"""Where `multiprocessing` keeps its locks."""


def is_root() -> bool:
    """Whether the grader is root."""
    return os.geteuid() == 0


def free_user_id() -> int:
    """A user id that no process has, and that no other box has until it is given back."""
    # process_iter itself leaves out what ends while it looks: asking each process afterwards fails
    # as soon as one has ended in between, and on a busy machine one always does.
    used = {uid for process in psutil.process_iter(["uids"]) for uid in process.info["uids"] or ()}
    for uid in random.sample(USER_IDS, k=len(USER_IDS)):
        if uid not in used and _claim(uid):
            return uid
    raise BoxError("No free user id is left for the box.")


_claims: dict[int, socket.socket] = {}


def _claim(uid: int) -> bool:
    """Hold a name that only one process can hold, until it is given back or this process ends."""
    if uid in _claims:
        return False
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0m5-uid-{uid}")
    except OSError:
        claim.close()
        return False
    _claims[uid] = claim
    return True


def give_back(uid: int) -> None:
    """Let other boxes have the id; nothing of this box may run or lie about any more."""
    if (claim := _claims.pop(uid, None)) is not None:
        claim.close()


def sweep(uid: int) -> None:
    """Remove what a box user left where everybody may write, should no layer have kept it out."""
    for folder in ("/tmp", "/var/tmp", SHARED_MEMORY):
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == uid:
                        subprocess.run(["rm", "-rf", "--", entry.path], capture_output=True)
