"""Networks are measured on as many threads here as in a grader, which tells NumPy so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tests run side by side: each with all threads, they would wait for each other."""
    with threadpool_limits(1):
        yield
