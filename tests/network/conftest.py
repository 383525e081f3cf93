"""What the tests of networks share."""

from __future__ import annotations

import pytest

from autograder.core.mnist import Mnist
from autograder.network.preparation.images import RawImages


@pytest.fixture(scope="session")
def raw(mnist: Mnist) -> RawImages:
    """The images that a notebook is given, with what was worked out about them."""
    return RawImages(mnist.x_train, mnist.public_test[0])
