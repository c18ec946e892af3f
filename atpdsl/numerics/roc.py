"""How well scores tell the nodes of a known circuit from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def roc(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The receiver operating characteristic: a point for each threshold, from (0, 0) to (1, 1).

    Nodes with the same score pass a threshold together, so ties are straight lines.

    Args:
        scores: [N] larger is more probably positive.
        positive: [N] which nodes are.

    Returns:
        Rates of false and of true positives, each [different scores + 1].

    Raises:
        ValueError: when all nodes are positive, or none is.
    """
    of = _counts(positive)
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], positive[order]
    # The last node of each group of equal scores.
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    true = np.cumsum(right)[last] / of[0]
    false = np.cumsum(~right)[last] / of[1]
    return np.insert(false, 0, 0.0), np.insert(true, 0, 0.0)


def auroc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """The area under the curve of `roc`.

    It is the probability that a random positive node has a larger score than a random other
    one; a tie counts half (Mann-Whitney).

    Raises:
        ValueError: when all nodes are positive, or none is.
    """
    false, true = roc(scores, positive)
    return float(np.diff(false) @ (true[1:] + true[:-1]) / 2)


def _counts(positive: NDArray[np.bool_]) -> tuple[int, int]:
    count = int(np.count_nonzero(positive))
    if count in {0, len(positive)}:
        raise ValueError("there must be nodes of both kinds")
    return count, len(positive) - count
