"""The numbers of a method as vectors over all its nodes, and what was measured of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.outcome import MethodOutcome, Outcome, Statistics

# A column of any number type, on its way to becoming a typed one.
Column = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Exact effects of a method's nodes: vectors over all of them, nan where not measured.

    Attributes:
        mean, mean_abs, mean_square: over pairs, of the effect.
        positive, negative: the share of pairs in which it is above zero, and below.
        direct: mean over pairs of the exact direct effect.
    """

    mean: Column
    mean_abs: Column
    mean_square: Column
    positive: Column
    negative: Column
    direct: Column

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which nodes were measured."""
        return ~np.isnan(self.mean_abs)


def measured(outcome: Outcome, method: MethodOutcome) -> Measured:
    """What is known exactly of a method's nodes, by an exhaustive method or verification."""
    nodes = sum(len(s) for s in method.sets)
    found = Measured(**{name: np.full(nodes, np.nan) for name in Measured.__slots__})
    truth = exhaustive(outcome, method)
    if truth is not None:
        starts = np.cumsum([0, *(len(s) for s in method.sets)])
        for start, values in zip(starts, truth.statistics, strict=False):
            _enter(found, np.arange(start, start + values.mean.size), values)
    for verified in outcome.verified:
        if method.call.label not in verified.labels:
            continue
        rows = flat_numbers(method.sets, verified.nodes)
        if truth is None:
            _enter(found, rows, verified.statistics)
        if verified.direct is not None:
            found.direct[rows] = verified.direct.mean
    return found


def _enter(found: Measured, rows: Column, values: Statistics) -> None:
    for name in ("mean", "mean_abs", "mean_square"):
        getattr(found, name)[rows] = np.ravel(getattr(values, name))
    for name in ("positive", "negative"):
        if name in values.extra:
            getattr(found, name)[rows] = np.ravel(values.extra[name])


def exhaustive(outcome: Outcome, method: MethodOutcome) -> MethodOutcome | None:
    """The method that measured all nodes of `method` in its direction; itself if exact."""
    if method.exact:
        return method
    for other in outcome.methods:
        same = other.sets == method.sets and other.call.direction is method.call.direction
        if other.exact and same:
            return other
    return None


def flat(method: MethodOutcome, field: str) -> Column:
    """One statistic of all node sets of a method as one vector, in the order of the table."""
    return np.concatenate([np.ravel(getattr(s, field)) for s in method.statistics])


def extra(method: MethodOutcome, name: str) -> Column:
    """One of `planning.outcome.EXTRA` likewise; nan for node sets that do not have it."""
    return np.concatenate(
        [
            np.ravel(s.extra[name]) if name in s.extra else np.full(s.mean.size, np.nan)
            for s in method.statistics
        ]
    )


def has_extra(method: MethodOutcome, name: str) -> bool:
    """Whether any node set of a method has it."""
    return any(name in s.extra for s in method.statistics)


def flat_numbers(sets: Sequence[NodeSet], nodes: Column) -> Column:
    """[n, 2] (node set, flat number in it) -> [n] row of the method's part of the table."""
    starts = np.cumsum([0, *(len(s) for s in sets)])
    pairs = np.asarray(nodes, np.int64).reshape(-1, 2)
    return np.asarray(starts[pairs[:, 0]] + pairs[:, 1])
