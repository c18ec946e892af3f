"""AtP's inner product, (donor - base) . gradient, for every node of one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.ops import Place
from atpdsl.runtime.attention import AttentionRule
from atpdsl.runtime.forward import Run
from atpdsl.runtime.sites import at_least_float32, unit_axis
from atpdsl.runtime.spots import Spots, gather


@dataclass(frozen=True, slots=True)
class Span:
    """Labels of a node set that are consecutive tokens, the same in both runs of every pair.

    Attributes:
        first, last: positions of the first label and after the last one.
    """

    first: int
    last: int


def span_of(nodes: NodeSet, spots: Spots) -> Span | None:
    """Where the labels are, if that is a span: then slices do for what else is gathered."""
    labels = nodes.positions
    if nodes.whole or not all(label.isdigit() for label in labels):
        return None
    numbers = [int(label) for label in labels]
    first = numbers[0]
    if numbers != list(range(first, first + len(numbers))):
        return None
    at = np.asarray(numbers)[None, :, None]
    same = ((spots.base == at) & (spots.donor == at)) | ~spots.covers
    return Span(first, first + len(numbers)) if bool(same.all()) else None


@dataclass(frozen=True, slots=True)
class Subject:
    """The nodes that estimates are of, and the runs that they are made from.

    Attributes:
        runs: the base run and the donor run.
        rule: the constants of a layer's attention.
        span: as `span_of` the nodes.
        units: heads or neurons of the nodes; None where a place has a single unit.
    """

    nodes: NodeSet
    spots: Spots
    runs: tuple[Run, Run]
    rule: Callable[[int], AttentionRule]
    span: Span | None
    units: tuple[int, ...] | None


def subject_of(
    nodes: NodeSet, spots: Spots, runs: tuple[Run, Run], rule: Callable[[int], AttentionRule]
) -> Subject:
    """The subject of these nodes, with what takes long to find out of many of them."""
    units = None
    if NODE_KINDS[nodes.kind].unit is not Unit.VECTOR:
        units = nodes.indices
        if list(units) != sorted(set(units)):
            raise ValueError(f"indices of {nodes.kind} are not in order: {units}")
    return Subject(nodes, spots, runs, rule, span_of(nodes, spots), units)


class FirstOrder:
    """(donor - base) . gradient at one place; the product is over the node's own dimensions.

    A node that covers several positions sums its signed terms over them.

    Args:
        start: the position that gradients begin with; no node that is live is before it.
        rows: the pairs that estimates are made of; gradients are of these alone.
    """

    def __init__(
        self, place: Place, subject: Subject, start: int, rows: slice = slice(None)
    ) -> None:
        runs, spots = subject.runs, subject.spots
        base, donor = (run.values[place][rows] for run in runs)
        self._unit, self._units = unit_axis(place), subject.units
        self._shape, self._start = spots.base[rows].shape, start
        device = base.device
        live = spots.live_in(place.layer)[rows]
        self._span = subject.span
        if self._span is not None:
            # Nothing may be left: all labels before the start, or after the end of all prompts.
            begin = max(self._span.first, start, runs[0].start, runs[1].start)
            first = min(begin, self._span.last)
            last = max(first, min(self._span.last, runs[0].stop, runs[1].stop))
            self._slice = (first, last)
            self._around = (first - self._span.first, self._span.last - last)
            live = live[:, self._around[0] : live.shape[1] - self._around[1]]
            self._unused = _mask(live, device)
            self._difference = self._sliced(donor, runs[1].start)
            self._difference = self._difference - self._sliced(base, runs[0].start)
        else:
            flat = (self._shape[0], self._shape[1] * self._shape[2])
            self._at, at_donor = (
                torch.from_numpy(at[rows].reshape(flat)).to(device)
                for at in (spots.base, spots.donor)
            )
            self._difference = self._gathered(donor, at_donor - runs[1].start)
            self._difference = self._difference - self._gathered(base, self._at - runs[0].start)
            used = spots.patched[rows] & live[..., None]
            self._unused = _mask(used.reshape(flat), device)

    def estimates(self, gradients: Tensor) -> Tensor:
        """[stream, pair, pos, ...] -> [stream, pair, index, position]."""
        # Stream by stream: a product of all of them would be as large as all gradients.
        return torch.stack([self._one(gradient) for gradient in gradients])

    def absolute_sum(self, gradients: Tensor) -> Tensor:
        """The sum over streams of |estimate|, [pair, index, position]."""
        if self._unit is Unit.NEURON and self._span is not None:
            # A neuron's estimate is one product: |d g| = |d| |g|.
            chosen = self._sliced(gradients, self._start, 1)
            sizes = chosen[0].abs()
            for gradient in chosen[1:]:
                sizes += gradient.abs()
            return self._shaped(self._difference.abs() * sizes)
        total = self._one(gradients[0]).abs()
        for gradient in gradients[1:]:
            total += self._one(gradient).abs()
        return total

    def _one(self, gradient: Tensor) -> Tensor:
        if self._span is None:
            chosen = self._gathered(gradient, self._at - self._start)
        else:
            chosen = self._sliced(gradient, self._start)
        product = self._difference * chosen
        if self._unit is Unit.VECTOR:
            product = product.sum(-1, keepdim=True)
        elif self._unit is not Unit.NEURON:
            product = product.sum(-1)
        return self._shaped(product)

    def _shaped(self, product: Tensor) -> Tensor:
        """[pair, position, index] of what was chosen -> [pair, index, label]."""
        if self._unused is not None:
            product = product.masked_fill(self._unused[..., None], 0.0)
        if self._span is None:
            product = product.reshape(*self._shape, -1).sum(2)
        elif any(self._around):
            product = torch.nn.functional.pad(product, (0, 0, *self._around))
        return product.transpose(1, 2)

    def _sliced(self, values: Tensor, start: int, axis: int = 0) -> Tensor:
        """Positions and units of an activation or its gradient that begins at `start`."""
        first, last = self._slice
        at = min(max(first - start, 0), values.shape[axis + 1])
        return self._of_units(values.narrow(axis + 1, at, last - first), axis)

    def _gathered(self, values: Tensor, at: Tensor) -> Tensor:
        # What is not live may be before the start; it is masked afterwards.
        return self._of_units(gather(values, at.clamp(min=0)), 0)

    def _of_units(self, values: Tensor, axis: int) -> Tensor:
        units = self._units
        if units is not None and len(units) != values.shape[axis + 2]:
            index = torch.tensor(units, device=values.device)
            values = values.index_select(axis + 2, index)
        return at_least_float32(values)


def _mask(used: np.ndarray, device: torch.device) -> Tensor | None:
    """Where `used` is false; None where it is true everywhere."""
    return None if bool(used.all()) else torch.from_numpy(~used).to(device)
