"""Networks are measured on as many threads here as in a grader, which tells NumPy so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from autograder.core.mnist import Mnist
from autograder.network.preparation.images import RawImages


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tests run side by side: each with all threads, they would wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def raw(mnist: Mnist) -> RawImages:
    """The images that a notebook is given, with what was worked out about them."""
    return RawImages(mnist.x_train, mnist.public_test[0])
