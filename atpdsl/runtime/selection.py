"""Which nodes to verify: the best of each ranking, and some of the others by lot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.ops import Select, Side
from atpdsl.planning.outcome import AT_RANDOM, Statistics
from atpdsl.planning.plan import Plan
from atpdsl.planning.positions import live_labels, reach_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Chosen nodes.

    Attributes:
        nodes: [n, 2]: number of the node set, flat number in it.
        chosen_by: the ranking whose top a node is in (the first such), or `AT_RANDOM`.
        population: how many nodes there were to choose from.
    """

    nodes: Integers
    chosen_by: tuple[str, ...]
    population: int


def select(
    op: Select, plan: Plan, side: Side, estimates: Mapping[str, Sequence[Statistics]]
) -> Selection:
    """Choose nodes.

    Args:
        side: the run that is patched.
        estimates: for each ranking's label, statistics per node set.

    Ties go to the node that comes first; nodes that are zero by construction are left out.
    """
    candidates = np.flatnonzero(_candidates(op, plan, side))
    chosen_by: dict[int, str] = {}
    for label, statistics in estimates.items():
        for node in _best(candidates, statistics, op.top):
            chosen_by.setdefault(int(node), label)
    rest = np.array([c for c in candidates if int(c) not in chosen_by], dtype=np.int64)
    lot = np.random.default_rng(op.seed)
    drawn = lot.choice(rest, size=min(op.random, len(rest)), replace=False)
    for node in np.sort(drawn):
        chosen_by[int(node)] = AT_RANDOM
    return Selection(
        nodes=addresses(np.array(list(chosen_by), dtype=np.int64), op.sets),
        chosen_by=tuple(chosen_by.values()),
        population=len(candidates),
    )


def _best(candidates: Integers, statistics: Sequence[Statistics], top: int) -> Integers:
    scores: Floats = np.concatenate([s.mean_abs.reshape(-1) for s in statistics])
    order = np.argsort(-scores[candidates], kind="stable")
    return candidates[order[:top]]


def _candidates(op: Select, plan: Plan, side: Side) -> NDArray[np.bool_]:
    """For every node of all sets: whether some pair has it and patching it can matter."""
    pairs, reach = plan.bound.pairs.pairs, reach_of(plan.bound)
    live = [np.array(live_labels(pairs, nodes, side, reach)) for nodes in op.sets]
    both = zip(live, op.sets, strict=True)
    return np.concatenate(
        [np.broadcast_to(table[:, None], nodes.shape).reshape(-1) for table, nodes in both]
    )


def flat_numbers(sets: Sequence[NodeSet], nodes: Integers) -> Integers:
    """[n, 2] (node set, flat number in it) -> [n] number among the nodes of all sets."""
    starts = np.cumsum([0, *(len(one) for one in sets)])
    found: Integers = starts[nodes[:, 0]] + nodes[:, 1]
    return found


def addresses(flat: Integers, sets: Sequence[NodeSet]) -> Integers:
    """[n] number among the nodes of all sets -> [n, 2] (node set, flat number in it)."""
    starts = np.cumsum([0, *(len(nodes) for nodes in sets)])
    number = np.searchsorted(starts, flat, side="right") - 1
    return np.stack([number, flat - starts[number]], axis=1)


def take(selection: Selection, statistics: Sequence[Statistics]) -> Statistics:
    """The chosen nodes' statistics, out of those of all nodes."""

    def pick(arrays: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
        picked = [arrays[n].reshape(-1)[flat] for n, flat in selection.nodes]
        return np.array(picked)

    return Statistics(
        pairs=pick([s.pairs for s in statistics]).astype(np.int64),
        mean=pick([s.mean for s in statistics]).astype(np.float64),
        mean_abs=pick([s.mean_abs for s in statistics]).astype(np.float64),
        mean_square=pick([s.mean_square for s in statistics]).astype(np.float64),
        extra={
            name: pick([s.extra[name] for s in statistics]).astype(np.float64)
            for name in sorted(set.intersection(*(set(s.extra) for s in statistics)))
        },
    )
