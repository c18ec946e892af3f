"""Brute force in random order: the iterative baseline of Kramar et al. 2024.

On one pair every node is patched once, in random order. On several pairs it alternates: each
node that is not verified is patched in a pair where it has not been, then the most promising
ones are verified, which is to patch them in all other pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from atpdsl.planning.outcome import Visits
from atpdsl.planning.schemes import OnePair
from atpdsl.runtime.schemes.setting import Patched, Setting, turns

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats, Integers


def patch_one_pair(scheme: OnePair, setting: Setting) -> Patched:
    """Each node's effect in one pair; the whole search where all effects are known."""
    lot = np.random.default_rng(scheme.seed)
    nodes = lot.permutation(setting.candidates())
    pairs = _order_of_pairs(setting, nodes, lot)
    effects = np.zeros(setting.live.shape[1])
    effects[nodes] = _first(setting, nodes, pairs[:, 0])
    visits = None
    if setting.known is not None or setting.n_pairs == 1:
        values = setting.known if setting.known is not None else effects[None]
        visits = _visits(nodes, pairs, values)
    return Patched(
        statistics=setting.statistics(effects, np.abs(effects), np.square(effects)),
        visits=visits,
    )


def _order_of_pairs(setting: Setting, nodes: Integers, lot: np.random.Generator) -> Integers:
    """In which order each node goes through the pairs, [node, pair].

    In each round the pairs take turns over the nodes. Pairs in which a node can change
    nothing come last.
    """
    first = turns(np.arange(setting.n_pairs), setting.n_pairs, lot)
    turn = np.arange(len(nodes))[:, None] + np.arange(setting.n_pairs)[None, :]
    order = first[turn % setting.n_pairs]
    idle = ~setting.live[order, nodes[:, None]]
    return np.take_along_axis(order, np.argsort(idle, axis=1, kind="stable"), axis=1)


def _first(setting: Setting, nodes: Integers, pairs: Integers) -> Floats:
    if setting.known is not None:
        return np.nan_to_num(setting.known[pairs, nodes])
    drawn = ((int(pair), np.array([node])) for pair, node in zip(pairs, nodes, strict=True))
    return np.array([effect for _, _, effect in setting.patch(drawn)], dtype=np.float64)


def _visits(nodes: Integers, pairs: Integers, known: Floats) -> Visits:
    """The search with all effects at hand.

    As many nodes are verified per round as leave none after the last; in the last round
    patching a node completes it.
    """
    n_pairs = len(known)
    per_round = -(-len(nodes) // n_pairs)
    left = np.arange(len(nodes))
    total, count = np.zeros(len(nodes)), np.zeros(len(nodes))
    visited, spent, cost = [nodes[:0]], [nodes[:0]], 0
    for done in range(1, n_pairs):
        value = known[pairs[left, done - 1], nodes[left]]
        total[left] += np.nan_to_num(value)
        count[left] += ~np.isnan(value)
        cost += len(left)
        mean = total[left] / np.maximum(count[left], 1)
        best = np.argsort(-np.abs(mean), kind="stable")[:per_round]
        visited.append(nodes[left[best]])
        spent.append(cost + (n_pairs - done) * np.arange(1, len(best) + 1))
        cost += (n_pairs - done) * len(best)
        left = np.delete(left, best)
    visited.append(nodes[left])
    spent.append(cost + np.arange(1, len(left) + 1))
    return Visits(nodes=np.concatenate(visited), spent=np.concatenate(spent))
