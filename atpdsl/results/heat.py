"""Layer by position: in each cell the strongest node of a kind, for small pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from atpdsl.nodes import NODE_KINDS
from atpdsl.results.joined_nodes import of_method
from atpdsl.results.record import Record

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """The nodes of a kind, by layer and position.

    Attributes:
        kind: of the nodes.
        layers: the layer of each row; None for a kind that is in no layer.
        positions: the label of each column, in the order of the record.
        strength: [layer, position], the largest score in each cell; nan where no node is.
        sign: [layer, position], the sign of that node's mean effect where it was measured,
            else of its signed estimate: -1, 0 or 1.
    """

    kind: str
    layers: tuple[int | None, ...]
    positions: tuple[str, ...]
    strength: Floats
    sign: Floats

    @property
    def largest(self) -> float:
        """The largest score of all, 0 where there is none."""
        known = self.strength[~np.isnan(self.strength)]
        return float(known.max(initial=0.0))


def heats(record: Record, table: pa.Table, label: str) -> tuple[Heat, ...]:
    """A picture for every kind that a method has nodes of, in the order of the record.

    Args:
        record: of the result, for the order of the positions.
        table: the scores.
        label: of the method.
    """
    mine = of_method(table, label)
    mine = mine.filter(pc.is_valid(mine["score"]))
    positions = tuple(position.label for position in record.positions)
    kinds = dict.fromkeys(nodes.kind for nodes in record.nodes)
    parts = ((kind, mine.filter(pc.equal(mine["kind"], kind))) for kind in kinds)
    return tuple(_heat(kind, part, positions) for kind, part in parts if len(part))


def _heat(kind: str, part: pa.Table, labels: tuple[str, ...]) -> Heat:
    layered = NODE_KINDS[kind].layered
    layer = _numbers(part, "layer") if layered else np.zeros(len(part))
    layers, row = np.unique(np.nan_to_num(layer), return_inverse=True)
    place = pa.array(labels, pa.string())
    column = pc.index_in(part["position"].cast(pa.string()), place).to_numpy()
    used, column = np.unique(column, return_inverse=True)
    score, effect = _numbers(part, "score"), _numbers(part, "effect")
    signed = np.where(np.isnan(effect), _numbers(part, "signed"), effect)
    cells = row * len(used) + column
    # The last one written to a cell is its largest.
    order = np.argsort(score, kind="stable")
    strength, sign = (np.full(len(layers) * len(used), np.nan) for _ in range(2))
    strength[cells[order]] = score[order]
    sign[cells[order]] = np.sign(np.nan_to_num(signed))[order]
    shape = (len(layers), len(used))
    return Heat(
        kind=kind,
        layers=tuple(int(one) if layered else None for one in layers),
        positions=tuple(labels[int(number)] for number in used),
        strength=strength.reshape(shape),
        sign=sign.reshape(shape),
    )


def _numbers(table: pa.Table, name: str) -> Floats:
    return np.asarray(table[name].to_numpy(), np.float64)
