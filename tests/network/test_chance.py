"""Are the statistics what the textbooks say? The known values come with their derivation."""

from __future__ import annotations

import math

import pytest

from autograder.network.chance import paired_p_value

PAIRED = [
    # Heads of ten throws: 8, 9 and 10 in 45 + 10 + 1 of 1,024 ways.
    (8, 2, 56 / 1024),
    (10, 0, 1 / 1024),
    # At least 3: all but those with 0, 1 and 2, in 1 + 10 + 45 ways.
    (3, 7, 968 / 1024),
    (5, 5, (1024 + math.comb(10, 5)) / 2048),
    (0, 6, 1.0),
    (0, 0, 1.0),
    # At least 60 heads of 100: in tables of the binomial distribution.
    (60, 40, 0.028443966820490395),
]


@pytest.mark.parametrize(("better", "worse", "p_value"), PAIRED)
def test_a_paired_comparison_is_mcnemars_exact_test(
    better: int, worse: int, p_value: float
) -> None:
    assert paired_p_value(better, worse) == pytest.approx(p_value, rel=1e-12)


def test_very_unequal_pairs_are_improbable_and_no_error() -> None:
    assert paired_p_value(60_000, 0) == 0.0
    assert 0 < paired_p_value(2_000, 1_000) < 1e-70
