"""Whatever rows are claimed: a preparation is proved that gives what the network takes, or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.core.mnist import Mnist
from autograder.network.beside import Claim
from autograder.network.preparation.images import RawImages
from autograder.network.preparation.recovering import prove

NUMBERS = 10_000
"""In one row at most."""
DTYPES = ("bool", "int8", "uint8", "int64", "uint64", "float16", "float32", "float64")
ODD = (np.nan, np.inf, -np.inf, 1e300, -1e300, 1e-300, 1e9)


@pytest.fixture(scope="module")
def raw(mnist: Mnist) -> RawImages:
    return RawImages(mnist.x_train[:2000], mnist.public_test[0][:500])


def shapes() -> st.SearchStrategy[tuple[int, ...]]:
    usual = [(784,), (28, 28), (28, 28, 1), (3, 28, 28), (32, 32), (14, 14), (1, 1), (100, 100)]
    sizes = st.lists(st.integers(1, 100), min_size=1, max_size=3).map(tuple)
    return st.sampled_from(usual) | sizes.filter(lambda s: int(np.prod(s)) <= NUMBERS)


def rows(draw: Any, shape: tuple[int, ...], raw: RawImages) -> np.ndarray[Any, Any]:
    """Noise, a constant, or images stretched or cut to the shape; with odd numbers in them."""
    count = draw(st.sampled_from([0, 1, 20, 24, 40]))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    kind = draw(st.sampled_from(["noise", "constant", "images", "images"]))
    if kind == "noise":
        made = random.normal(scale=100, size=(count, *shape))
    elif kind == "constant":
        made = np.full((count, *shape), float(random.integers(-3, 3)))
    else:
        flat = raw.x_train[random.permutation(2000)[:count]].reshape(count, 784)
        made = np.resize(flat, (count, *shape)).astype(np.float64)
    with np.errstate(all="ignore"):
        made = made.astype(draw(st.sampled_from(DTYPES)))
        if made.size and made.dtype.kind == "f" and draw(st.booleans()):
            made.reshape(-1)[:: draw(st.integers(1, 500))] = draw(st.sampled_from(ODD))
    return made


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_rows_are_judged(data: Any, raw: RawImages) -> None:
    shape = data.draw(shapes())
    wanted = tuple(None if data.draw(st.integers(0, 5)) == 0 else size for size in shape)
    claimed = rows(data.draw, shape, raw)
    total = data.draw(st.sampled_from([0, 1, len(claimed) + 1, 1999, 60_000, 1 << 40]))
    claim = Claim(source="fit", is_variable=False, total=total, rows=claimed)
    proved = prove([claim], input_shape=wanted, raw=raw)
    if proved is not None:
        prepared = proved(raw.x_test[:3])
        assert prepared.shape == (3, *shape)
        assert np.isfinite(prepared).all()
