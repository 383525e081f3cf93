"""How often chance alone would make one accuracy so much better than another.

Exact or textbook formulas, in the standard library: no grade hangs on a further package for them.
"""

from __future__ import annotations


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
