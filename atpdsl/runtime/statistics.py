"""Running statistics over pairs, folded batch by batch in float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.planning.outcome import Statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats


class Accumulator:
    """Sums per node over pairs.

    Args:
        shape: the nodes' shape.
        n_pairs: how many pairs there are in all, to keep every one's value; 0 keeps none.
    """

    def __init__(self, shape: tuple[int, ...], n_pairs: int = 0) -> None:
        self._pairs = np.zeros(shape, dtype=np.int64)
        self._sum = np.zeros(shape)
        self._sum_abs = np.zeros(shape)
        self._sum_square = np.zeros(shape)
        self.per_pair: Floats | None = np.full((n_pairs, *shape), np.nan) if n_pairs else None

    def add(self, pairs: Sequence[int], values: Floats, exists: NDArray[np.bool_]) -> None:
        """Fold in one batch.

        Args:
            pairs: the batch's pairs, by number.
            values: signed values [pair, *shape], 0 where the node does not exist.
            exists: whether the pair has the node; broadcasts to the shape of `values`.
        """
        present = np.broadcast_to(exists, values.shape)
        self._pairs += present.sum(0)
        self._sum += values.sum(0)
        self._sum_abs += np.abs(values).sum(0)
        self._sum_square += np.square(values).sum(0)
        if self.per_pair is not None:
            self.per_pair[list(pairs)] = np.where(present, values, np.nan)

    def statistics(self) -> Statistics:
        """Means over the pairs that have the node, nan where none has."""
        count = np.where(self._pairs == 0, np.nan, self._pairs)
        return Statistics(
            pairs=self._pairs,
            mean=self._sum / count,
            mean_abs=self._sum_abs / count,
            mean_square=self._sum_square / count,
        )
