"""Slopes by finite differences: what attribution patching gets from a gradient.

A node's activation is moved along the straight line from its base value (t = 0) to its donor
value (t = 1). The slope of the metric at t = 0 is the first-order estimate of the effect. No
gradient is used here: the metric is read at t = h, -h, h/2, -h/2, ..., and the central
differences are extrapolated to h = 0 (Ridders 1982), which also says how certain the slope is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.ops import Place
from atpdsl.planning.positions import Spot, spot, whole_sequence
from atpdsl.selftesting.alone import Alone, Change
from atpdsl.selftesting.subject import Subject

LARGEST_STEP = 0.25
STEPS = {"float64": 10, "float32": 7, "bfloat16": 4, "float16": 5}
"""How often the largest step is halved: until rounding is larger than the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line in one place's activations, from `start` (t = 0) to `end` (t = 1)."""

    place: Place
    unit: int | None
    positions: tuple[int, ...]
    start: Tensor
    end: Tensor

    def at(self, t: float) -> Change:
        """The activation at t; at 1 it is `end` to the last bit."""
        values = self.end if t == 1 else self.start + t * (self.end - self.start)
        return Change(place=self.place, unit=self.unit, positions=self.positions, values=values)


@dataclass(frozen=True, slots=True)
class Slope:
    """A derivative, and how far it may be off."""

    value: float
    uncertainty: float


def spots_of(subject: Subject, number: int, node: NodeSet) -> tuple[Spot, ...]:
    """The positions that a single node covers in a pair; none where the pair lacks it."""
    pair, label = subject.pairs[number], node.positions[0]
    if node.whole:
        return whole_sequence(pair, subject.side)
    place = spot(pair, label, subject.side)
    return (place,) if place.exists else ()


def line_to_donor(subject: Subject, number: int, node: NodeSet, alone: Alone) -> Line | None:
    """The line of a node from its base value to its donor value; None where there is none."""
    spots = spots_of(subject, number, node)
    if not spots:
        return None
    place = Place(node.kind, node.layers[0])
    unit = None if NODE_KINDS[node.kind].unit is Unit.VECTOR else node.indices[0]
    start = _values(alone.base_run.values[place], [s.base for s in spots], unit)
    end = _values(alone.donor_run.values[place], [s.donor for s in spots], unit)
    return Line(
        place=place,
        unit=unit,
        positions=tuple(s.base for s in spots),
        start=start,
        end=end,
    )


def line_through_attention(alone: Alone, line: Line) -> Line:
    """The line of the attention's output that a query's or key's whole change makes.

    The model itself computes the new pattern, with its own softmax; what comes after the
    attention stays linear. This is what the QK fix estimates (Kramar et al. 2024, section 3.1).
    """
    place = Place("heads.z", line.place.layer)
    start = alone.base_run.values[place][0]
    end = alone.output_with(line.at(1), line.place.layer)
    return Line(
        place=place,
        unit=None,
        positions=tuple(range(len(start))),
        start=start,
        end=end,
    )


def _values(activation: Tensor, positions: list[int], unit: int | None) -> Tensor:
    """[pair = 1, pos, ...] -> [position, ...]."""
    values = activation[0, positions]
    return values if unit is None else values[:, unit]


def slopes(
    alone: Alone, lines: Sequence[tuple[Line, Sequence[Change]]], dtype: str
) -> list[Slope]:
    """The slope of the metric at the start of each line.

    Args:
        lines: each with changes that are made in its rows after its own.
    """
    steps = [LARGEST_STEP / 2**halving for halving in range(STEPS[dtype])]
    turns = [sign * step for step in steps for sign in (1, -1)]
    rows = [[line.at(t), *others] for line, others in lines for t in turns]
    metric = iter(alone.metrics(rows))
    return [
        extrapolated([(next(metric) - next(metric)) / (2 * step) for step in steps])
        for _ in lines
    ]


def extrapolated(central: Sequence[float]) -> Slope:
    """Central differences at steps h, h/2, h/4, ... extrapolated to 0, by Neville's rule.

    Of the table that entry is taken which its neighbours, the next smaller step's too, agree
    with best: further up the steps are too large, further down rounding has the word. Their
    disagreement is the uncertainty.
    """
    table: list[list[float]] = []
    for first in central:
        row = [first]
        for order, above in enumerate(table[-1] if table else (), start=1):
            factor = 4.0**order
            row.append((factor * row[-1] - above) / (factor - 1))
        table.append(row)
    best = Slope(central[-1], float("inf"))
    for before, row, after in zip(table, table[1:], table[2:], strict=False):
        for order in range(1, len(row)):
            neighbours = (row[order - 1], before[order - 1], after[order])
            error = max(abs(row[order] - one) for one in neighbours)
            if error < best.uncertainty:
                best = Slope(row[order], error)
    return best
