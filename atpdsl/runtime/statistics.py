"""Running statistics over pairs, folded batch by batch in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.planning.outcome import Statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats

OWN = ("mean", "mean_abs", "mean_square")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One batch of a reduction.

    Attributes:
        signed: signed values [pair, *nodes], 0 where the pair lacks the node.
        exists: whether the pair has the node; broadcasts to the shape of `signed`.
        magnitude: what is averaged as the size, |signed| if None; with GradDrop another.
        extra: other numbers per pair and node, of the shape of `signed`; see
            `planning.outcome.EXTRA`.
    """

    signed: Floats
    exists: NDArray[np.bool_]
    magnitude: Floats | None = None
    extra: Mapping[str, Floats] = field(default_factory=dict)


class Accumulator:
    """Sums per node over pairs.

    Args:
        shape: the nodes' shape.
        n_pairs: how many pairs there are in all, to keep every one's signed value; 0 keeps
            none.
    """

    def __init__(self, shape: tuple[int, ...], n_pairs: int = 0) -> None:
        self._shape = shape
        self._pairs = np.zeros(shape, dtype=np.int64)
        self._sums: dict[str, Floats] = {}
        self._extra: set[str] = set()
        self.per_pair: Floats | None = np.full((n_pairs, *shape), np.nan) if n_pairs else None
        # Where the magnitudes are not the sizes of the signed values.
        self.magnitudes: Floats | None = None

    def add(self, pairs: Sequence[int], part: Part) -> None:
        """Fold in one batch; `pairs` are its pairs, by number."""
        values = part.signed
        magnitude = np.abs(values) if part.magnitude is None else part.magnitude
        present = np.broadcast_to(part.exists, values.shape)
        self._pairs += present.sum(0)
        extra = {
            "abs_square": np.square(magnitude),
            "positive": values > 0,
            "negative": values < 0,
            **part.extra,
        }
        self._extra.update(extra)
        own = {"mean": values, "mean_abs": magnitude, "mean_square": np.square(values)}
        for name, numbers in (own | extra).items():
            if name not in self._sums:
                self._sums[name] = np.zeros(self._shape)
            self._sums[name] += numbers.sum(0)
        if self.per_pair is not None:
            self.per_pair[list(pairs)] = np.where(present, values, np.nan)
            if part.magnitude is not None:
                if self.magnitudes is None:
                    self.magnitudes = np.full(self.per_pair.shape, np.nan)
                self.magnitudes[list(pairs)] = np.where(present, magnitude, np.nan)

    def statistics(self) -> Statistics:
        """Means over the pairs that have the node, nan where none has."""
        count = np.where(self._pairs == 0, np.nan, self._pairs)
        nothing = np.zeros(self._shape)
        means = {name: self._sums.get(name, nothing) / count for name in OWN}
        extra = {name: self._sums[name] / count for name in sorted(self._extra)}
        return Statistics(pairs=self._pairs, **means, extra=extra)
