"""Is the shipped data MNIST, and does a submission get only the half that it may have?"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from autograder.core.errors import DataError
from autograder.core.mnist import Mnist, load_mnist
from autograder.sandbox.box.folders import Toolbox

# Published SHA-256 values of the uncompressed IDX files.
IDX_SHA256 = {
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.mark.parametrize("name", IDX_SHA256)
def test_arrays_are_the_published_files(mnist: Mnist, name: str) -> None:
    array = getattr(mnist, name)
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim)
    header += struct.pack(f">{array.ndim}I", *array.shape)
    assert hashlib.sha256(header + array.tobytes()).hexdigest() == IDX_SHA256[name]


def test_altered_data_is_refused(tmp_path: Path, root: Path) -> None:
    content = bytearray((root / "assignment/data/mnist.npz").read_bytes())
    content[5_000_000] ^= 1
    altered = tmp_path / "mnist.npz"
    altered.write_bytes(content)
    with pytest.raises(DataError, match="not the MNIST data"):
        load_mnist(altered)


def test_missing_data_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.npz"):
        load_mnist(tmp_path / "nothing.npz")


def test_no_private_image_is_handed_out(mnist: Mnist, toolbox: Toolbox) -> None:
    with np.load(toolbox.data, allow_pickle=False) as handed_out:
        images = handed_out["x_test"]
        labels = handed_out["y_test"]
        assert np.array_equal(handed_out["x_train"], mnist.x_train)
    assert images.shape == (10_000, 28, 28)
    assert labels.shape == (10_000,)
    seen = {image.tobytes() for image in images}
    private_images, _ = mnist.private_test
    assert not any(image.tobytes() in seen for image in private_images)
    assert np.array_equal(images[:5000], mnist.x_test[::2])
    assert np.array_equal(labels[5000:], mnist.y_test[::2])


def test_the_halves_are_the_whole(mnist: Mnist) -> None:
    (public, _), (private, _) = mnist.public_test, mnist.private_test
    assert len(public) == len(private) == 5000
    assert np.array_equal(np.stack([public, private], axis=1).reshape(-1, 28, 28), mnist.x_test)
