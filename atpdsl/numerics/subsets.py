"""Effects of random sets of nodes, gathered per node: sets with it against sets without it.

This is the bookkeeping of subset sampling (Kramar et al. 2024, Algorithm 1). Sets arrive one
by one. What is kept per node is only about the sets that have it, and what is kept per pair
is about all of the pair's sets; the sets without a node are the difference of the two. So a
set costs as much as it has nodes, not as much as there are nodes in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moments:
    """Count, sum, and sum of squared deviations from the mean, of many samples at once."""

    count: Integers
    total: Floats
    squares: Floats

    @classmethod
    def none(cls, n: int) -> Moments:
        """`n` empty samples."""
        return cls(np.zeros(n, dtype=np.int64), np.zeros(n), np.zeros(n))

    @property
    def mean(self) -> Floats:
        """[n], nan for an empty sample."""
        return self.total / np.where(self.count > 0, self.count, np.nan)

    @property
    def variance(self) -> Floats:
        """[n], unbiased; nan below two values."""
        return self.squares / np.where(self.count > 1, self.count - 1, np.nan)

    def add(self, at: Integers, value: float) -> None:
        """One more value for the samples numbered `at` (Youngs and Cramer 1971).

        Sums are kept rather than means: they are exact where the values' sums are.
        """
        self.count[at] += 1
        self.total[at] += value
        n = self.count[at]
        off = n * value - self.total[at]
        self.squares[at] += np.square(off) / (n * np.maximum(n - 1, 1))

    def without(self, part: Moments) -> Moments:
        """What remains when some values of each sample are taken out again."""
        count, total = self.count - part.count, self.total - part.total
        both = np.maximum(count * part.count, 1)
        off = total * part.count - part.total * count
        between = np.square(off) / (both * np.maximum(self.count, 1))
        squares = self.squares - part.squares - between
        # Rounding may leave a little less than nothing.
        return Moments(count, total, np.maximum(squares, 0.0))


class SubsetSums:
    """Effects of sets so far.

    Args:
        live: [pair, node] whether the node can be in a set of that pair. In a pair where it
            cannot, no set counts for the node.
    """

    def __init__(self, live: NDArray[np.bool_]) -> None:
        self._live = live
        self._with = Moments.none(live.shape[1])
        self._by_pair = Moments.none(live.shape[0])

    def add(self, pair: int, members: Integers, effect: float) -> None:
        """One set: its pair, its nodes (each live there, and only once), and its effect."""
        self._with.add(members, effect)
        self._by_pair.add(np.array([pair]), effect)

    def arms(self) -> tuple[Moments, Moments]:
        """For every node, over the sets with it and over those without it."""
        return self._with, self._everything().without(self._with)

    def _everything(self) -> Moments:
        """For every node, over all sets of the pairs where it is live."""
        pairs, all_of = self._by_pair, Moments.none(self._live.shape[1])
        used = np.flatnonzero(pairs.count)
        for pair in used:
            all_of.count[:] += self._live[pair] * pairs.count[pair]
            all_of.total[:] += self._live[pair] * pairs.total[pair]
        mean = all_of.total / np.maximum(all_of.count, 1)
        for pair in used:
            off = pairs.total[pair] / pairs.count[pair] - mean
            own = pairs.squares[pair] + pairs.count[pair] * np.square(off)
            all_of.squares[:] += self._live[pair] * own
        return all_of


def additivity(effects: Sequence[float], sums: Sequence[float]) -> tuple[float | None, ...]:
    """How well sets' effects agree with the sums of their nodes' own effects or estimates.

    Returns:
        R^2 = 1 - sum (effect - sum)^2 / sum (effect - mean effect)^2, which is 1 where every
        sum is right, and 0 or less where they are no better than one number for all; and
        Pearson's correlation, which forgives a wrong scale. None where nothing varies.
    """
    y, x = np.asarray(effects, dtype=np.float64), np.asarray(sums, dtype=np.float64)
    if len(y) < 2:
        return None, None
    dx, dy = x - x.mean(), y - y.mean()
    varies_x, varies_y = float(dx @ dx), float(dy @ dy)
    r2 = 1 - float(np.square(y - x).sum()) / varies_y if varies_y > 0 else None
    both = np.sqrt(varies_x) * np.sqrt(varies_y)
    return r2, float(dx @ dy / both) if both > 0 else None
