"""How often chance alone would make one accuracy so much better than another.

Exact or textbook formulas, in the standard library: no grade hangs on a further package for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Whether some images are known better than others: the two-proportion z test.

    Attributes
    ----------
    first, second
        Shares of right answers, fractions.
    z
        How many standard errors `first` is above `second`, if both were alike (pooled variance).
    p_value
        One-sided: how often chance alone gives so large a z, or a larger one.
    bound
        What `p_value` has to be below, to be taken for more than chance.
    """

    first: float
    second: float
    z: float
    p_value: float
    bound: float

    @classmethod
    def between(
        cls, first: NDArray[np.bool_], second: NDArray[np.bool_], *, bound: float
    ) -> Comparison:
        """Compare right answers on two sets of images, which need not be of the same size."""
        pooled = (first.sum() + second.sum()) / (len(first) + len(second))
        spread = math.sqrt(pooled * (1 - pooled) * (1 / len(first) + 1 / len(second)))
        # All right, or all wrong: the two do not differ.
        z = float((first.mean() - second.mean()) / spread) if spread > 0 else 0.0
        return cls(
            first=float(first.mean()),
            second=float(second.mean()),
            z=z,
            p_value=0.5 * math.erfc(z / math.sqrt(2)),
            bound=bound,
        )

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the first images are known better, by more than chance."""
        return self.p_value < self.bound


def paired_p_value(better: int, worse: int) -> float:
    """One-sided p value of McNemar's exact test, for two ways to read the same images.

    Images that both read correctly, or both wrongly, say nothing. Of the others, each falls on
    one side or the other like a coin, where the two ways are equally good.

    Parameters
    ----------
    better, worse
        Images that only the first way reads correctly, and those that only the second does.

    Returns
    -------
    float
        The chance of at least `better` heads in ``better + worse`` throws of a fair coin
        (McNemar 1947, in its exact form).
    """
    throws = better + worse
    ways, total = 1, 0
    # From all heads downwards: the number of ways to have `worse` tails, `worse - 1`, ..., none.
    for tails in range(worse + 1):
        total += ways
        ways = ways * (throws - tails) // (tails + 1)
    return total / (1 << throws)
