"""Verification that goes on until no other node can be missed.

Nodes are measured in the order of their upper bounds (`numerics.bounds`), not of their
estimates, until every bound that is left is below the effects that are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.numerics.bounds import upper_bounds
from atpdsl.planning.ops import PatchOn
from atpdsl.planning.outcome import Arms, Statistics
from atpdsl.runtime.schemes import Patcher
from atpdsl.runtime.statistics import Accumulator, Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats, Integers

    Bools = NDArray[np.bool_]

# Nodes that are measured before the condition is looked at again. Not the rows per call: the
# nodes that are measured must not depend on the machine.
AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchedOn:
    """Exact effects of more nodes, in the order in which they were measured.

    Attributes:
        nodes: [n] numbers over all node sets.
        statistics: over the pairs that have the node, arrays of shape [n].
        per_pair: [pair, n], nan where a pair lacks the node.
        stopped: whether no node that is left can be missed; False where it stopped because
            as many nodes were measured as were allowed.
    """

    nodes: Integers
    statistics: Statistics
    per_pair: Floats
    stopped: bool


def patch_on(op: PatchOn, patcher: Patcher, arms: Arms, known_effects: Floats) -> PatchedOn:
    """Measure nodes until no other one can be among the `op.top` largest.

    It stops once the upper bound of every node that is left, at level 1 - `op.alpha`, is
    below the `op.top`-th largest measured |mean effect|. Each node that belongs to the true
    top is missed with a probability of at most `op.alpha` where the bounds hold (so the
    expected share that is missed is at most `op.alpha`; that none is missed is another and
    stronger statement).

    Args:
        patcher: of the nodes that `arms` is about.
        known_effects: [N] mean effects that were measured before, nan for all other nodes.

    Raises:
        FloatingPointError: when an effect is not finite.
    """
    theta = upper_bounds(arms, 1 - op.alpha)
    left = np.flatnonzero(arms.candidates & np.isnan(known_effects))
    # What nothing is known of comes first.
    theta = np.where(np.isnan(theta), np.inf, theta)
    left = left[np.argsort(-theta[left], kind="stable")]
    most = len(left) if op.most is None else min(op.most, len(left))
    exists, live = patcher.exists(), patcher.candidates()
    sizes = np.abs(known_effects[~np.isnan(known_effects)])
    parts: list[Floats] = []
    done = 0
    while done < most:
        some = left[done : min(done + AT_ONCE, most)]
        some = some[theta[some] >= _threshold(sizes, op.top)]
        if not len(some):
            break
        values = _effects(patcher, some, live)
        means = values.sum(axis=0) / np.maximum(exists[:, some].sum(axis=0), 1)
        sizes = np.concatenate([sizes, np.abs(means)])
        parts.append(values)
        done += len(some)
    per_pair = np.concatenate([np.zeros((patcher.n_pairs, 0)), *parts], axis=1)
    nodes = left[:done]
    remaining = theta[left[done:]]
    return PatchedOn(
        nodes=nodes,
        statistics=_statistics(per_pair, exists[:, nodes]),
        per_pair=np.where(exists[:, nodes], per_pair, np.nan),
        stopped=bool((remaining < _threshold(sizes, op.top)).all()),
    )


def _threshold(sizes: Floats, top: int) -> float:
    """The `top`-th largest size; below everything where there are fewer."""
    return -np.inf if len(sizes) < top else float(np.sort(sizes)[-top])


def _effects(patcher: Patcher, nodes: Integers, live: Bools) -> Floats:
    """Effect of each node alone in every pair, [pair, n]; 0 where it is not live."""
    pair, number = np.nonzero(live[:, nodes])
    effects = np.zeros((patcher.n_pairs, len(nodes)))
    effects[pair, number] = patcher.effects(pair, [nodes[i : i + 1] for i in number])
    return effects


def _statistics(per_pair: Floats, exists: Bools) -> Statistics:
    sums = Accumulator((per_pair.shape[1],))
    sums.add(range(len(per_pair)), Part(signed=per_pair, exists=exists))
    return sums.statistics()
