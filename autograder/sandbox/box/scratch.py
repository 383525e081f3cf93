"""The only folder that a submission may write to."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import BoxError

MAX_PARENT_BYTES = 80
"""A Unix socket's path has at most 107 bytes; ours adds "/m5-12345678/c/k-5" to the parent."""


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
