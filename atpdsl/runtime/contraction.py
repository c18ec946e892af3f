"""Estimates of the nodes of a set for several methods at once, and their sums over pairs.

Gradients come layer by layer while they are walked back; what is needed of them is taken at
once, summed over pairs, and they are let go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from atpdsl.nodes import Unit
from atpdsl.planning.ops import Contract, Place, places_of
from atpdsl.runtime.attention import AttentionRule
from atpdsl.runtime.forward import Run
from atpdsl.runtime.layer_estimates import LayerEstimates, Numbers, Subject
from atpdsl.runtime.sites import in_float64, site_of, unit_axis
from atpdsl.runtime.spots import Spots
from atpdsl.runtime.statistics import Sums
from atpdsl.runtime.streams import LayerGradients

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats


NUMBERS_AT_ONCE = 1 << 16
"""Estimates of neurons that are made together: a few arrays of them fit into a core's cache."""


class Contraction:
    """The `Contract`s of one node set and one gradient under way: takes gradients as they come.

    Kramar et al. 2024, eqs. 4 (plain), 6 to 10 (QK fix) and 11 (GradDrop).

    Args:
        ops: of the same runs, gradient and nodes.
        runs: the base run and the donor run.
        rule: the constants of a layer's attention.
        keep_pairs: keep the values of each pair beside their sums.
    """

    def __init__(
        self,
        ops: Sequence[Contract],
        runs: tuple[Run, Run],
        spots: Spots,
        rule: Callable[[int], AttentionRule],
        *,
        keep_pairs: bool,
    ) -> None:
        self._ops, self._nodes, self._spots = tuple(ops), ops[0].nodes, spots
        self._subject = Subject(self._nodes, spots, runs, rule)
        self._keep_pairs = keep_pairs
        self._places = places_of(self._nodes)
        self._sums: dict[Contract, dict[Place, Numbers]] = {op: {} for op in ops}
        self._kept: dict[Contract, dict[Place, list[Numbers]]] = {op: {} for op in ops}
        self._taken: set[Place] = set()

    def take(self, gradients: LayerGradients) -> bool:
        """Everything of these gradients that this contraction is about.

        Returns:
            Whether every number is finite.
        """
        finite = True
        for place in self._places:
            if place in self._taken or site_of(place).write not in gradients.plain:
                continue
            self._taken.add(place)
            for rows in self._groups(place):
                layer = LayerEstimates(place, self._subject, gradients, rows)
                for op in self._ops:
                    self._add(op, place, layer.numbers(op))
            finite &= all(
                bool(one.isfinite().all())
                for op in self._ops
                for one in self._sums[op][place].values()
            )
        return finite

    def _groups(self, place: Place) -> Iterator[slice]:
        """The pairs, so many at a time that what is made of them stays in the cache."""
        pairs = len(self._spots.exists)
        _, indices, positions = self._nodes.shape
        size = pairs
        if unit_axis(place) is Unit.NEURON:
            size = max(1, NUMBERS_AT_ONCE // (indices * positions))
        return (slice(first, first + size) for first in range(0, pairs, size))

    def sums(self, op: Contract) -> Sums:
        """Of the batch, over the nodes [layer, index, position]."""
        exists, shape = self._spots.exists, self._nodes.shape
        sums, kept = self._sums[op], self._kept[op]

        def stacked(name: str) -> Floats:
            found = torch.stack([sums[place][name] for place in self._places])
            return in_float64(found).cpu().numpy()

        def by_pair(name: str) -> Floats | None:
            if not kept or name not in next(iter(kept.values()))[0]:
                return None
            tables = [torch.cat([one[name] for one in kept[place]]) for place in self._places]
            found = in_float64(torch.stack(tables, dim=1)).cpu().numpy()
            present = np.broadcast_to(exists[:, None, None, :], (len(exists), *shape))
            return np.where(present, found, np.nan)

        return Sums(
            pairs=np.broadcast_to(exists.sum(0), shape),
            sums={name: stacked(name) for name in next(iter(sums.values()))},
            per_pair=by_pair("signed"),
            magnitudes=by_pair("magnitude"),
        )

    def _add(self, op: Contract, place: Place, numbers: Numbers) -> None:
        summed = _summed(numbers)
        before = self._sums[op].get(place)
        if before is None:
            self._sums[op][place] = summed
        else:
            for name, tensor in summed.items():
                before[name] += tensor
        if self._keep_pairs:
            own = {"signed", "magnitude"}
            mine = {n: t for n, t in numbers.items() if n in own}
            self._kept[op].setdefault(place, []).append(mine)


def _summed(numbers: Numbers) -> Numbers:
    """Sums over pairs, [index, position], under the names of `Sums`."""
    signed = numbers["signed"]
    size = numbers.get("magnitude")
    square = _over_pairs(signed.square())
    own = {
        "mean": _over_pairs(signed),
        "mean_abs": _over_pairs(signed.abs() if size is None else size),
        "mean_square": square,
        "abs_square": square if size is None else _over_pairs(size.square()),
        "positive": (signed > 0).sum(0),
        "negative": (signed < 0).sum(0),
    }
    others = {n: t for n, t in numbers.items() if n not in {"signed", "magnitude"}}
    return own | {name: _over_pairs(tensor) for name, tensor in others.items()}


def _over_pairs(tensor: Tensor) -> Tensor:
    # Sums on a device without float64 are over the pairs of one batch.
    mps = tensor.device.type == "mps"
    return tensor.sum(0, dtype=None if mps else torch.float64)
