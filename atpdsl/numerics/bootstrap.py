"""Bootstrap intervals of means over pairs (Efron and Tibshirani 1993, chapter 13)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Means of resamples that are held at once: 64 MB.
CHUNK = 8_000_000


def mean_intervals(
    values: NDArray[Any], resamples: int, confidence: float, seed: int
) -> tuple[Floats, Floats]:
    """The percentile interval of the mean over pairs, for many nodes at once.

    Pairs are drawn with replacement, the same ones for all nodes; the interval is from the
    (1 - confidence) / 2 quantile of the resampled means to the one as far from the end. Over
    few pairs it is too narrow.

    Args:
        values: [pair, node]; nan where a pair lacks the node.
        resamples: how often pairs are drawn anew.
        confidence: in (0, 1).
        seed: of the draws.

    Returns:
        The lower and upper ends, [node] each; nan for nodes in fewer than two pairs.
    """
    pairs, nodes = values.shape
    low, high = np.full(nodes, np.nan), np.full(nodes, np.nan)
    draws = np.random.default_rng(seed).multinomial(pairs, np.full(pairs, 1 / pairs), resamples)
    weights = draws.astype(np.float64)
    step = max(1, CHUNK // resamples)
    tail = (1 - confidence) / 2
    for start in range(0, nodes, step):
        part = slice(start, start + step)
        means = _resampled(values[:, part], weights)
        enough = (~np.isnan(values[:, part])).sum(axis=0) > 1
        quantiles = np.quantile if not np.isnan(means[:, enough]).any() else np.nanquantile
        ends = quantiles(means[:, enough], [tail, 1 - tail], axis=0)
        low[part][enough], high[part][enough] = ends
    return low, high


def _resampled(values: NDArray[Any], weights: Floats) -> Floats:
    """[resample, node] means; nan where no pair of a resample has the node."""
    present = ~np.isnan(values)
    sums = weights @ np.where(present, values, 0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / (weights @ present))
