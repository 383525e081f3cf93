"""What every box may read: the programs of `inside/` and the part of the data that students get."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.core.mnist import Mnist
from autograder.sandbox.box.fonts import known_fonts

INSIDE = Path(__file__).resolve().parent.parent / "inside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """A read-only folder, shared by all boxes of one run."""

    root: Path

    @property
    def data(self) -> Path:
        """The handed-out mnist.npz: all training images, and the public test images twice."""
        return self.root / "mnist.npz"

    def program(self, name: str) -> Path:
        """The program of that name from `inside/`."""
        return self.root / name

    @classmethod
    @contextmanager
    def make(cls, mnist: Mnist) -> Iterator[Toolbox]:
        """Lay the toolbox out in a temporary folder, and take it away afterwards.

        The programs are copied, since a course may well keep the grader itself where another user
        cannot read it.
        """
        root = Path(tempfile.mkdtemp(prefix="m5-tools-")).resolve()
        try:
            toolbox = cls(root=root)
            for program in INSIDE.glob("*.py"):
                shutil.copyfile(program, root / program.name)
            for name, content in known_fonts().items():
                (root / name).write_text(content, encoding="utf-8")
            x_test, y_test = mnist.public_test
            # Not compressed: read once per submission, and packing would take seconds.
            np.savez(
                toolbox.data,
                x_train=mnist.x_train,
                y_train=mnist.y_train,
                x_test=np.concatenate([x_test, x_test]),
                y_test=np.concatenate([y_test, y_test]),
            )
            for file in root.iterdir():
                file.chmod(0o444)
            root.chmod(0o755)
            yield toolbox
        finally:
            shutil.rmtree(root, ignore_errors=True)
