"""The few statistics of a verification: rank correlation and a bound on a proportion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def spearman(first: NDArray[Any], second: NDArray[Any]) -> float | None:
    """Spearman's rank correlation; tied values share the mean of their ranks.

    None where it is not defined: fewer than two values, or one side has one value only.
    """
    if len(first) < 2:
        return None
    a, b = mid_ranks(first), mid_ranks(second)
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return None if scale == 0 else max(-1.0, min(1.0, float(a @ b) / scale))


def mid_ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks from 1 for the smallest; tied values share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[place], np.float64)


def clopper_pearson_upper(hits: int, draws: int, confidence: float = 0.95) -> float:
    """The one-sided upper Clopper-Pearson bound on a proportion.

    The proportion at which `hits` or fewer in `draws` have probability 1 - `confidence`. For
    no hits it is close to 3 / draws (the rule of three).

    Raises:
        ValueError: unless 0 <= hits <= draws.
    """
    if not 0 <= hits <= draws:
        raise ValueError(f"{hits} hits in {draws} draws")
    if hits == draws:
        return 1.0
    low, high = 0.0, 1.0
    # Halving an interval of doubles this often leaves nothing to halve.
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(hits, draws, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(hits: int, draws: int, proportion: float) -> float:
    """The probability of `hits` or fewer, for a binomial variable."""
    log_p, log_q = math.log(proportion), math.log1p(-proportion)
    terms = (
        math.lgamma(draws + 1)
        - math.lgamma(k + 1)
        - math.lgamma(draws - k + 1)
        + k * log_p
        + (draws - k) * log_q
        for k in range(hits + 1)
    )
    return math.fsum(math.exp(term) for term in terms)
