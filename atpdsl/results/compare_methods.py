"""The same nodes by several methods against the exact truth: what each finds, and when.

A method puts nodes into an order, and they are verified one after the other. Costs are forward
passes per prompt pair, as in Kramar et al. 2024 (AtP*); see `atpdsl.numerics.verified_recall`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.methods import METHODS
from atpdsl.numerics.verified_recall import costs, costs_of_share, hits, irwrgm
from atpdsl.planning.outcome import Counts, MethodOutcome, Outcome
from atpdsl.results.comparison import Compared, Curve, ExactMethod, TopRecall, Truth
from atpdsl.results.measured import exhaustive, flat
from atpdsl.results.rank_statistics import spearman
from atpdsl.semantics.experiment import Direction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

TOPS = (10, 20, 50, 100)
# Effects below this part of the largest are none: in float32 they are rounding, which would
# put nodes without any effect into an order that nobody could find.
NEGLIGIBLE = 1e-5
# Points of a curve for each factor of ten, from this K on; below it has every K.
POINTS, DENSE = 60, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimation:
    """What a method's estimates cost, in forward passes per pair.

    Attributes:
        runs: the two plain runs, backward passes, and what a correction recomputes.
        sets: patched sets of nodes; a search that reports what it has spent counts its own.
        counts: the passes of the method alone, over all pairs.
    """

    runs: float
    sets: float
    counts: Counts


def compare_methods(
    outcome: Outcome,
    estimations: Mapping[str, Estimation],
    candidates: Mapping[Direction, Mask],
    truth: Truth,
) -> tuple[tuple[ExactMethod, ...], tuple[Compared, ...]]:
    """The exact methods of an outcome, and each of its estimates against them.

    Args:
        outcome: of a run that measured every node, in each direction that an estimate has.
        estimations: what each estimate costs, by its label.
        candidates: [N] the nodes that are compared, for each direction.
        truth: what the size of a true effect is.

    Raises:
        ValueError: when the nodes of an estimate were not measured.
    """
    pairs = len(outcome.clean_metric)
    found = []
    exact: dict[str, ExactMethod] = {}
    for method in outcome.methods:
        measured = exhaustive(outcome, method)
        if measured is None:
            raise ValueError(f"the nodes of `{method.call.label}` were not measured")
        effects = _effects(measured, truth)
        rows = np.flatnonzero(candidates[method.call.direction] & ~np.isnan(effects))
        real = _without_rounding(effects[rows])
        if method.exact:
            exact[method.call.label] = _exact(method, real)
            continue
        estimation = estimations[method.call.label]
        route = _route(method, rows, estimation, pairs)
        found.append(_compared(method, measured.call.label, route, real, estimation))
    found.sort(key=lambda one: one.irwrgm)
    return tuple(exact.values()), tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """In which order nodes are verified.

    Attributes:
        order: [n] numbers among the n candidates.
        spent: [n] forward passes per pair when each has been verified.
        scores: [n] what the order is made of, by candidate; larger is earlier.
    """

    order: Integers
    spent: Floats
    scores: Floats


def _route(method: MethodOutcome, rows: Integers, cost: Estimation, pairs: int) -> _Route:
    """The way of a search as it says itself, else the order of the estimates."""
    estimates = np.nan_to_num(flat(method, "mean_abs")[rows], nan=-np.inf)
    ranked = np.argsort(-estimates, kind="stable")
    steps = np.arange(1.0, len(rows) + 1)
    if method.visits is None:
        return _Route(order=ranked, spent=cost.runs + cost.sets + steps, scores=estimates)
    number = np.full(rows.max(initial=0) + 1, -1)
    number[rows] = np.arange(len(rows))
    known = np.isin(method.visits.nodes, rows)
    visited = number[method.visits.nodes[known]]
    # Nodes that a search did not come to are verified after it, in the order of estimates.
    rest = ranked[~np.isin(ranked, visited)]
    spent = cost.runs + method.visits.spent[known] / pairs
    last = max(spent.max(initial=0.0), cost.runs + cost.sets)
    order = np.concatenate([visited, rest])
    place = np.empty(len(order))
    place[order] = steps
    return _Route(
        order=order,
        spent=np.concatenate([spent, last + steps[: len(rest)]]),
        scores=-place,
    )


def _compared(
    method: MethodOutcome, truth: str, route: _Route, effects: Floats, cost: Estimation
) -> Compared:
    call = method.call
    all_costs = costs(route.order, effects, route.spent)
    most_costs = costs_of_share(route.order, effects, route.spent)
    shown = _points(len(effects)) - 1
    real = effects > 0
    return Compared(
        label=call.label,
        method=call.method,
        direction=call.direction.value,
        settings=dict(call.settings),
        note=method.note,
        baseline=METHODS[call.method].baseline,
        truth=truth,
        estimation=float(route.spent[0]) - 1,
        counts=cost.counts,
        recall=tuple(_recall(route.order, effects, top) for top in _tops(len(effects))),
        irwrgm=irwrgm(all_costs),
        irwrgm_90=irwrgm(most_costs),
        spearman=spearman(route.scores[real], effects[real]),
        curve=Curve(
            k=tuple((shown + 1).tolist()),
            cost=tuple(all_costs[shown].tolist()),
            cost_90=tuple(most_costs[shown].tolist()),
        ),
    )


def _recall(order: Integers, effects: Floats, top: int) -> TopRecall:
    of = min(top, int(np.count_nonzero(effects)))
    first = np.zeros(len(effects), np.bool_)
    first[order[:top]] = True
    largest = hits(order, effects, top) if of == top else int((first & (effects > 0)).sum())
    return TopRecall(top=top, hits=largest, of=of)


def _exact(method: MethodOutcome, effects: Floats) -> ExactMethod:
    return ExactMethod(
        label=method.call.label,
        direction=method.call.direction.value,
        candidates=len(effects),
        without_effect=int(np.count_nonzero(effects == 0)),
        largest=float(effects.max(initial=0.0)),
    )


def _effects(method: MethodOutcome, truth: Truth) -> Floats:
    signed: Floats = flat(method, "mean")
    absolute: Floats = flat(method, "mean_abs")
    return np.abs(signed) if truth is Truth.ABS_MEAN else absolute


def _without_rounding(effects: Floats) -> Floats:
    return np.where(effects < NEGLIGIBLE * effects.max(initial=0.0), 0.0, effects)


def _tops(nodes: int) -> tuple[int, ...]:
    """The lengths of top lists that say something about so many nodes."""
    return tuple(top for top in TOPS if top < nodes) or (nodes,)


def _points(nodes: int) -> Integers:
    """From 1 to `nodes`: every K where they are few, then evenly by their logarithm."""
    decades = np.log10(max(nodes, 1))
    spread = np.rint(np.logspace(0, decades, int(POINTS * decades) + 1)).astype(np.int64)
    every = np.arange(1, min(nodes, DENSE) + 1)
    known = np.concatenate([every, spread, TOPS, [nodes]])
    return np.unique(known[known <= nodes])
