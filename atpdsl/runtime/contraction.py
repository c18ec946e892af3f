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
from atpdsl.runtime.first_order import subject_of
from atpdsl.runtime.forward import Run
from atpdsl.runtime.layer_estimates import LayerEstimates
from atpdsl.runtime.layer_estimates import Numbers as Tensors
from atpdsl.runtime.sites import in_float64, site_of, unit_axis
from atpdsl.runtime.spots import Spots
from atpdsl.runtime.statistics import Sums
from atpdsl.runtime.streams import LayerGradients

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats, Numbers


NUMBERS_AT_ONCE = 1 << 16
"""Estimates of neurons that are made together: a few arrays of them fit into a core's cache."""
TELLING = ("mean_square", "mean_abs")
FEW = 1 << 12
"""Nodes of a layer up to which all pairs are summed in one call."""


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
        self._nodes, self._exists = ops[0].nodes, spots.exists
        self._subject = subject_of(self._nodes, spots, runs, rule)
        self._keep_pairs = keep_pairs
        self._places = places_of(self._nodes)
        # The tables that the results are made of, filled layer by layer.
        self._sums: dict[Contract, dict[str, Numbers]] = {op: {} for op in ops}
        self._kept: dict[Contract, dict[str, Floats]] = {op: {} for op in ops}
        self._taken: set[Place] = set()

    def take(self, gradients: LayerGradients) -> bool:
        """Everything of these gradients that this contraction is about.

        Returns:
            Whether every number is finite.
        """
        finite = True
        for number, place in enumerate(self._places):
            if place in self._taken or site_of(place).write not in gradients.plain:
                continue
            self._taken.add(place)
            finite &= self._layer(number, place, gradients)
        return finite

    def left(self) -> tuple[Place, ...]:
        """Places whose gradients are still to come."""
        return tuple(place for place in self._places if place not in self._taken)

    def sums(self, op: Contract) -> Sums:
        """Of the batch, over the nodes [layer, index, position]; can be asked for once."""
        kept = self._kept.pop(op)
        return Sums(
            pairs=self._exists.sum(0)[None, None],
            sums=self._sums.pop(op),
            per_pair=kept.get("signed"),
            magnitudes=kept.get("magnitude"),
        )

    def _layer(self, number: int, place: Place, gradients: LayerGradients) -> bool:
        totals: dict[Contract, Tensors] = {op: {} for op in self._sums}
        for rows in self._groups(place):
            layer = LayerEstimates(place, self._subject, gradients, rows)
            for op, total in totals.items():
                numbers = layer.numbers(op)
                _add(total, numbers)
                if self._keep_pairs:
                    self._keep(op, number, rows, numbers)
        finite = True
        for op, total in totals.items():
            # What is not finite in an estimate is not in its square or its size either.
            finite &= all(bool(total[name].isfinite().all()) for name in TELLING)
            for name, tensor in total.items():
                self._table(op, name, tensor)[number] = tensor.cpu().numpy()
        return finite

    def _groups(self, place: Place) -> Iterator[slice]:
        """The pairs, so many at a time that what is made of them stays in the cache."""
        pairs = len(self._exists)
        _, indices, positions = self._nodes.shape
        size = pairs
        if unit_axis(place) is Unit.NEURON:
            size = max(1, NUMBERS_AT_ONCE // (indices * positions))
        return (slice(first, first + size) for first in range(0, pairs, size))

    def _table(self, op: Contract, name: str, like: Tensor) -> Numbers:
        """The table of one kind of sums, [layer, index, position]; counts are small."""
        tables = self._sums[op]
        if name not in tables:
            layers, indices, positions = self._nodes.shape
            # Laid out as the sums come, with the positions before the indices.
            shape = (layers, positions, indices)
            if like.is_floating_point():
                tables[name] = np.zeros(shape).transpose(0, 2, 1)
            else:
                tables[name] = np.zeros(shape, np.int32).transpose(0, 2, 1)
        return tables[name]

    def _keep(self, op: Contract, number: int, rows: slice, numbers: Tensors) -> None:
        """Values of each pair, [pair, layer, index, position]; nan where it lacks the node."""
        for name in {"signed", "magnitude"} & set(numbers):
            if name not in self._kept[op]:
                shape = (len(self._exists), *self._nodes.shape)
                self._kept[op][name] = np.full(shape, np.nan)
            values = in_float64(numbers[name]).cpu().numpy()
            present = self._exists[rows, None, :]
            self._kept[op][name][rows, number] = np.where(present, values, np.nan)


def _add(total: Tensors, numbers: Tensors) -> None:
    """Adds sums over pairs, [index, position], to those under the names of `Sums`.

    Many numbers are added pair by pair: a sum over pairs in float64 would first make a copy
    of all of them in float64, which no cache holds.
    """
    pairs = len(numbers["signed"])
    large = numbers["signed"][0].numel() >= FEW
    for rows in range(pairs) if large else (slice(None),):
        some = slice(rows, rows + 1) if isinstance(rows, int) else rows
        _add_rows(total, {name: _wide(tensor[some]) for name, tensor in numbers.items()})


def _add_rows(total: Tensors, numbers: Tensors) -> None:
    signed, size = numbers["signed"], numbers.get("magnitude")
    _fold(total, "mean", signed)
    _fold(total, "mean_abs", signed.abs() if size is None else size)
    _fold(total, "mean_square", signed.square())
    _fold(total, "positive", signed > 0)
    _fold(total, "negative", signed < 0)
    if size is not None:
        _fold(total, "abs_square", size.square())
    for name, tensor in numbers.items():
        if name not in {"signed", "magnitude"}:
            _fold(total, name, tensor)


def _fold(total: Tensors, name: str, values: Tensor) -> None:
    """Adds values of pairs, [pair, index, position], to their sum."""
    wide = torch.int32 if values.dtype == torch.bool else values.dtype
    summed = values[0] if len(values) == 1 else values.sum(0, dtype=wide)
    if name in total:
        total[name] += summed
    else:
        total[name] = summed.to(wide, copy=True)


def _wide(values: Tensor) -> Tensor:
    # Sums on a device without float64 are over the pairs of one batch.
    return values if values.device.type == "mps" else values.double()
