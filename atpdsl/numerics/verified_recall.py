"""How much it costs to find the nodes that matter: the paper's metrics of a method.

Kramar et al. 2024 (AtP*): nodes are verified one after the other, in the order
in which a method puts them. The cost of verified recall C(K) is what has been spent, estimation
included, once the K nodes with the largest true effects have been verified. Its unit here is a
forward pass per prompt pair, so that an oracle has C(K) = K.

Where several nodes have the same true effect, any of them may complete the K largest.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

NINE_TENTHS = (9, 10)


def costs(order: Integers, truth: Floats, spent: Floats) -> Floats:
    """C(K) for K = 1..N.

    Args:
        order: [N] every node once, in the order in which they are verified.
        truth: [N] the size of the true effect of each node, by its number.
        spent: [N] passes spent when the j-th node of the order has been verified.

    Returns:
        [N] C(1) to C(N).
    """
    # Spending never goes down, so the last of the K to be verified says what they cost.
    return spent[np.maximum.accumulate(_places(order, truth))]


def costs_of_share(
    order: Integers, truth: Floats, spent: Floats, share: tuple[int, int] = NINE_TENTHS
) -> Floats:
    """As `costs`, for finding only a share of the K largest: ceil(share * K) of them.

    Args:
        order, truth, spent: as for `costs`.
        share: numerator and denominator, in (0, 1]; whole numbers, so that 90 % of 10 is 9.
    """
    numerator, denominator = share
    # The places of those that are found are below, in a heap with the largest on top.
    found: list[int] = []
    others: list[int] = []
    last = np.empty(len(order), np.int64)
    for k, place in enumerate(_places(order, truth).tolist(), 1):
        wanted = -(-numerator * k // denominator)
        if len(found) < wanted:
            heapq.heappush(others, place)
            heapq.heappush(found, -heapq.heappop(others))
        else:
            heapq.heappush(others, -heapq.heappushpop(found, -place))
        last[k - 1] = -found[0]
    return spent[last]


def irwrgm(costs: Floats) -> float:
    """The inverse-rank-weighted geometric mean of C(K) / K over all K; 1 is an oracle's.

    exp(sum_K (1/K) ln(C(K)/K) / sum_K 1/K), Kramar et al. 2024 (AtP*).

    Raises:
        ValueError: when there are no costs.
    """
    if not len(costs):
        raise ValueError("there is nothing to average")
    ranks = np.arange(1, len(costs) + 1)
    weights = 1 / ranks
    return float(np.exp(weights @ np.log(costs / ranks) / weights.sum()))


def hits(order: Integers, truth: Floats, top: int) -> int:
    """How many of the `top` largest are among the first `top` of an order."""
    return int(np.count_nonzero(_places(order, truth)[:top] < top))


def _places(order: Integers, truth: Floats) -> Integers:
    """Where in the order each node is, from 0; nodes with the largest true effect first.

    Nodes of the same effect stand in the order in which they are verified.

    Raises:
        ValueError: unless the order has every node once.
    """
    place = np.full(len(truth), -1, np.int64)
    place[order] = np.arange(len(order))
    if len(order) != len(truth) or (place < 0).any():
        raise ValueError("the order must have every node once")
    return place[np.lexsort((place, -truth))]
