"""Where a box may write and what it may read, and the user that its files belong to.

That is a user id that nobody else has, where the grader is root.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from autograder.core.errors import BoxError

MAX_PARENT_BYTES = 80
"""A Unix socket's path has at most 107 bytes; ours adds "/m5-12345678/c/k-5" to the parent."""
USER_IDS = range(50_000, 60_000)
"""Above what systems give to people and services, below what they give to containers."""
SHARED_MEMORY = "/dev/shm"
"""Where `multiprocessing` keeps its locks."""
INSIDE = Path(__file__).resolve().parent.parent / "inside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """One submission's folders, all of them below `root`.

    The root belongs to the grader, so that a submission cannot rename or replace the folders in
    it; the folders belong to the submission.
    """

    root: Path
    home: Path
    """HOME: Keras's, IPython's and Matplotlib's settings."""
    work: Path
    """The working folder."""
    tmp: Path
    """/tmp where the box has mounts of its own; TMPDIR everywhere."""
    shm: Path
    """/dev/shm where the box has mounts of its own."""
    channel: Path
    """The Jupyter sockets; a Unix socket's path may have 107 bytes, so names are short."""
    export: Path
    """Where the network is written."""

    @property
    def writable(self) -> tuple[Path, ...]:
        """The folders that belong to the submission."""
        return (self.home, self.work, self.tmp, self.shm, self.channel, self.export)

    @classmethod
    def create(cls, *, uid: int | None, parent: Path | None = None) -> Scratch:
        """Make the folders, owned by `uid` where the grader may give them away.

        Raises
        ------
        BoxError
            If the folders cannot be made.
        """
        try:
            parent = parent or Path(tempfile.gettempdir())
            if len(os.fsencode(parent)) > MAX_PARENT_BYTES:
                parent = Path("/tmp")
            root = Path(tempfile.mkdtemp(prefix="m5-", dir=parent)).resolve()
            scratch = cls(
                root=root,
                home=root / "home",
                work=root / "work",
                tmp=root / "tmp",
                shm=root / "shm",
                channel=root / "c",
                export=root / "export",
            )
            for folder in scratch.writable:
                # Root without its capabilities must get through /tmp before it becomes the user.
                folder.mkdir(mode=0o711 if folder == scratch.tmp else 0o700)
                if uid is not None:
                    os.chown(folder, uid, uid)
            root.chmod(0o711 if uid is not None else 0o700)
        except OSError as error:
            raise BoxError(f"No scratch folder could be made: {error}.") from error
        return scratch

    def remove(self) -> None:
        """Delete everything, whatever its modes, names and depth.

        The tools of the system do it: they neither recurse on a stack of ours nor follow links.

        Raises
        ------
        BoxError
            If something is left, since the next submission must not find it.
        """
        if not self.root.exists():
            return
        target = str(self.root)
        if subprocess.run(["rm", "-rf", "--", target], capture_output=True).returncode != 0:
            subprocess.run(["chmod", "-R", "u+rwx", "--", target], capture_output=True)
            subprocess.run(["rm", "-rf", "--", target], capture_output=True)
        if self.root.exists():
            raise BoxError(f"The scratch folder {target} could not be removed; remove it by hand.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """The programs of `inside/` and the part of the data that students get.

    A read-only folder, shared by all boxes of one run.
    """

    root: Path

    @property
    def data(self) -> Path:
        """The mnist.npz that students get: see ``Mnist.handed_out``."""
        return self.root / "mnist.npz"

    def program(self, name: str) -> Path:
        """The program of that name from `inside/`."""
        return self.root / name

    @classmethod
    @contextlib.contextmanager
    def make(cls, data: Mapping[str, NDArray[np.uint8]]) -> Iterator[Toolbox]:
        """Lay the toolbox out in a temporary folder, and take it away afterwards.

        The programs are copied, since a course may well keep the grader itself where another user
        cannot read it.

        Parameters
        ----------
        data
            Arrays that students get in place of MNIST, by name.
        """
        root = Path(tempfile.mkdtemp(prefix="m5-tools-")).resolve()
        try:
            toolbox = cls(root=root)
            for program in (*INSIDE.glob("*.py"), *INSIDE.glob("*.json")):
                shutil.copyfile(program, root / program.name)
            # Not compressed: read once per submission, and packing would take seconds.
            np.savez(toolbox.data, allow_pickle=False, **data)
            for file in root.iterdir():
                file.chmod(0o444)
            root.chmod(0o755)
            yield toolbox
        finally:
            shutil.rmtree(root, ignore_errors=True)


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
