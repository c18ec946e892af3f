"""Estimates of the nodes of a set for several methods at once, and their sums over pairs.

Gradients come layer by layer while they are walked back; what is needed of them is taken at
once, summed over pairs, and they are let go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from atpdsl.planning.ops import Contract, Place, places_of
from atpdsl.runtime.attention import AttentionRule
from atpdsl.runtime.forward import Run
from atpdsl.runtime.layer_estimates import LayerEstimates, Numbers
from atpdsl.runtime.sites import site_of
from atpdsl.runtime.spots import Spots
from atpdsl.runtime.statistics import Sums
from atpdsl.runtime.streams import LayerGradients

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats


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
        self._runs, self._rule, self._keep_pairs = runs, rule, keep_pairs
        self._places = places_of(self._nodes)
        self._sums: dict[Contract, dict[Place, Numbers]] = {op: {} for op in ops}
        self._kept: dict[Contract, dict[Place, Numbers]] = {op: {} for op in ops}
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
            layer = LayerEstimates(
                place, self._nodes, self._spots, self._runs, self._rule, gradients
            )
            for op in self._ops:
                finite &= self._add(op, place, layer.numbers(op))
        return finite

    def sums(self, op: Contract) -> Sums:
        """Of the batch, over the nodes [layer, index, position]."""
        exists, shape = self._spots.exists, self._nodes.shape
        sums, kept = self._sums[op], self._kept[op]

        def stacked(tables: dict[Place, Numbers], name: str, axis: int) -> Floats:
            found = [tables[place][name] for place in self._places]
            return torch.stack(found, dim=axis).double().cpu().numpy()

        def by_pair(name: str) -> Floats | None:
            if name not in next(iter(kept.values()), {}):
                return None
            present = np.broadcast_to(exists[:, None, None, :], (len(exists), *shape))
            return np.where(present, stacked(kept, name, 1), np.nan)

        return Sums(
            pairs=np.broadcast_to(exists.sum(0), shape),
            sums={name: stacked(sums, name, 0) for name in next(iter(sums.values()))},
            per_pair=by_pair("signed"),
            magnitudes=by_pair("magnitude"),
        )

    def _add(self, op: Contract, place: Place, numbers: Numbers) -> bool:
        summed = _summed(numbers)
        self._sums[op][place] = summed
        if self._keep_pairs:
            own = {"signed", "magnitude"}
            self._kept[op][place] = {n: t for n, t in numbers.items() if n in own}
        return all(bool(one.isfinite().all()) for one in summed.values())


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
    return tensor.sum(0, dtype=torch.float64)
