"""Running statistics over pairs, folded batch by batch in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.planning.outcome import Statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats, Integers, Numbers

OWN = ("mean", "mean_abs", "mean_square")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One batch of a reduction, pair by pair.

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

    def summed(self, *, keep_pairs: bool = True) -> Sums:
        """Its sums over pairs; the values of each pair too if they are to be kept."""
        values = self.signed
        magnitude = np.abs(values) if self.magnitude is None else self.magnitude
        present = np.broadcast_to(self.exists, values.shape)
        numbers: dict[str, Numbers] = {
            "mean": values.sum(0),
            "mean_abs": magnitude.sum(0),
            "mean_square": np.square(values).sum(0),
            "positive": (values > 0).sum(0, dtype=np.int32),
            "negative": (values < 0).sum(0, dtype=np.int32),
        }
        if self.magnitude is not None:
            numbers["abs_square"] = np.square(magnitude).sum(0)
        numbers |= {name: array.sum(0, dtype=np.float64) for name, array in self.extra.items()}
        absent = np.where(present, values, np.nan) if keep_pairs else None
        sizes = None
        if keep_pairs and self.magnitude is not None:
            sizes = np.where(present, magnitude, np.nan)
        return Sums(
            pairs=np.broadcast_to(self.exists, (len(values), *self.exists.shape[1:])).sum(0),
            sums=numbers,
            per_pair=absent,
            magnitudes=sizes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """One batch of a reduction, summed over its pairs.

    Attributes:
        pairs: how many have the node; broadcasts to [*nodes].
        sums: by name, [*nodes]: `mean` of signed values, `mean_abs` of magnitudes,
            `mean_square`, counts of `positive` and `negative` ones, and extra; `abs_square`
            where magnitudes are not the sizes of the signed values.
        per_pair: signed values, [pair, *nodes], nan where a pair lacks the node; None where
            they are not kept.
        magnitudes: likewise, where they are not the sizes of the signed values.
    """

    pairs: Integers
    sums: Mapping[str, Numbers]
    per_pair: Floats | None = None
    magnitudes: Floats | None = None

    def finite(self) -> bool:
        """Whether every sum is."""
        return all(bool(np.isfinite(one).all()) for one in self.sums.values())


class Accumulator:
    """Sums per node over pairs.

    Args:
        shape: the nodes' shape.
        n_pairs: how many pairs there are in all, to keep every one's signed value; 0 keeps
            none.
    """

    def __init__(self, shape: tuple[int, ...], n_pairs: int = 0) -> None:
        self._shape = shape
        # Of the shape that batches have it in: pairs differ by position, not by neuron.
        self._pairs = np.zeros((1,) * len(shape), dtype=np.int64)
        self._sums: dict[str, Numbers] = {}
        self._finished: Statistics | None = None
        self.per_pair: Floats | None = np.full((n_pairs, *shape), np.nan) if n_pairs else None
        # Where the magnitudes are not the sizes of the signed values.
        self.magnitudes: Floats | None = None

    def add(self, pairs: Sequence[int], part: Part | Sums, *, own: bool = False) -> None:
        """Fold in one batch.

        Args:
            pairs: its pairs, by number.
            own: the arrays of `part` are nobody else's, and need not be copied.
        """
        kept = self.per_pair is not None
        sums = part.summed(keep_pairs=kept) if isinstance(part, Part) else part
        self._pairs = self._pairs + sums.pairs
        for name, numbers in sums.sums.items():
            if name in self._sums:
                self._sums[name] += numbers
            else:
                self._sums[name] = numbers if own else numbers.copy()
        if self.per_pair is None:
            return
        if sums.per_pair is None:
            raise ValueError("this batch has not kept its pairs")
        self.per_pair[list(pairs)] = sums.per_pair
        if sums.magnitudes is not None:
            if self.magnitudes is None:
                self.magnitudes = np.full(self.per_pair.shape, np.nan)
            self.magnitudes[list(pairs)] = sums.magnitudes

    def statistics(self) -> Statistics:
        """Means over the pairs that have the node, nan where none has; nothing is added after.

        Sums become means in place: with all neurons of a model they are the largest arrays
        that there are.
        """
        if self._finished is None:
            self._finished = self._means()
        return self._finished

    def _means(self) -> Statistics:
        count = np.where(self._pairs == 0, np.nan, self._pairs)
        sums, self._sums = self._sums, {}
        for name in OWN:
            if name not in sums:
                sums[name] = np.zeros(self._shape)
        means = {}
        for name in sorted(sums):
            numbers = sums.pop(name)
            out = numbers if numbers.dtype == np.float64 else None
            means[name] = np.divide(numbers, count, out=out)
        extra = {name: array for name, array in means.items() if name not in OWN}
        if extra:
            extra.setdefault("abs_square", means["mean_square"])
        return Statistics(
            pairs=np.broadcast_to(self._pairs, self._shape),
            mean=means["mean"],
            mean_abs=means["mean_abs"],
            mean_square=means["mean_square"],
            extra=dict(sorted(extra.items())),
        )
