"""Are the statistics what the textbooks say? The known values come with their derivation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograder.network import Comparison
from autograder.network.preparation.recovering import paired_p_value

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


def answers(right: int, count: int) -> np.ndarray:
    return np.arange(count) < right


# (right and all of the first, right and all of the second, z, one-sided p). The pooled share is
# 1/2 in the first four, so that its variance is 1/4 times the sum of the inverse sizes.
PROPORTIONS = [
    # 0.2 / sqrt(1/4 * (1/100 + 1/100)) = 2 * sqrt(2); the p of it is erfc(2) / 2.
    ((60, 100), (40, 100), 2 * math.sqrt(2), 0.004677734981047266 / 2),
    # 0.25 / sqrt(1/4 * (1/400 + 1/100)) = 2 * sqrt(5): sizes that differ.
    ((220, 400), (30, 100), 2 * math.sqrt(5), 3.8721082155e-06),
    ((40, 100), (60, 100), -2 * math.sqrt(2), 1 - 0.004677734981047266 / 2),
    ((50, 100), (50, 100), 0.0, 0.5),
    # Pooled 0.8: 0.1 / sqrt(0.8 * 0.2 * (1/100 + 1/100)) = sqrt(3.125).
    ((85, 100), (75, 100), math.sqrt(3.125), 0.0385499),
    # All right, and all wrong: nothing to tell.
    ((10, 10), (20, 20), 0.0, 0.5),
    ((0, 10), (0, 20), 0.0, 0.5),
]


@pytest.mark.parametrize(("first", "second", "z", "p_value"), PROPORTIONS)
def test_two_shares_are_compared_by_the_two_proportion_z_test(
    first: tuple[int, int], second: tuple[int, int], z: float, p_value: float
) -> None:
    found = Comparison.between(answers(*first), answers(*second), bound=0.01)
    assert found.z == pytest.approx(z, rel=1e-12, abs=1e-12)
    assert found.p_value == pytest.approx(p_value, rel=1e-6)
    assert (found.first, found.second) == (first[0] / first[1], second[0] / second[1])
    assert found.is_beyond_chance == (p_value < 0.01)


@pytest.mark.parametrize(
    ("z", "p_value"), [(1.6448536, 0.05), (3.0902323, 1e-3), (4.7534243, 1e-6)]
)
def test_p_is_the_tail_of_the_normal_distribution(z: float, p_value: float) -> None:
    """Quantiles as in every table: 1.645 leaves 5 % above it, and so on."""
    # Half of the second are right: z = d / sqrt((1/2 + d/2)(1/2 - d/2) * 2 / n), solved for d.
    count = 1_000_000
    right = round(count * (0.5 + z / math.sqrt(2 * count + z**2)))
    found = Comparison.between(answers(right, count), answers(count // 2, count), bound=0.5)
    assert found.z == pytest.approx(z, rel=2e-3)
    assert found.p_value == pytest.approx(p_value, rel=0.03)
