"""The shipped MNIST digits, and which of them a submission gets to see."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.core.errors import DataError

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]

SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"
"""Of the file as shipped; see assignment/data/README.md."""

PUBLIC, PRIVATE = slice(0, None, 2), slice(1, None, 2)
"""Which of the test images submissions may use, and which they never see."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mnist:
    """The digits as published; equal to itself alone, so that what is made of it can be kept.

    Attributes
    ----------
    x_train, x_test
        Images of shape (60000, 28, 28) and (10000, 28, 28), 0 (paper) to 255 (ink).
    y_train, y_test
        Digits of shape (60000,) and (10000,).
    """

    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels

    @property
    def public_test(self) -> tuple[Images, Labels]:
        """The 5,000 test images of even index, which submissions may use.

        Split by parity, since the two halves by position are not alike: the first 5,000 images
        are harder (a network of 32 units: 0.940 against 0.971).
        """
        return self.x_test[PUBLIC], self.y_test[PUBLIC]

    @property
    def private_test(self) -> tuple[Images, Labels]:
        """The 5,000 test images of odd index, which never enter a box."""
        return self.x_test[PRIVATE], self.y_test[PRIVATE]

    def handed_out(self) -> dict[str, NDArray[np.uint8]]:
        """What a submission gets in place of the whole: all training images, and as many test
        images as it expects, the public ones twice."""
        images, labels = self.public_test
        return {
            "x_train": self.x_train,
            "y_train": self.y_train,
            "x_test": np.concatenate([images, images]),
            "y_test": np.concatenate([labels, labels]),
        }


def load_mnist(path: Path) -> Mnist:
    """Read the shipped file, and make sure that it is the one.

    Raises
    ------
    DataError
        If the file is missing, or its SHA-256 is not `SHA256`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: the MNIST data cannot be read: {error.strerror}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise DataError(f"{path}: not the MNIST data that was shipped (SHA-256 {found}).")
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            # Unpacked in one piece, other threads go on meanwhile; NumPy itself takes many small
            # pieces, and waits its turn for each.
            member = io.BytesIO(archive.read(name))
            arrays[name.removesuffix(".npy")] = np.load(member, allow_pickle=False)
    return Mnist(**arrays)
