"""Blocks of blocks of nodes: the hierarchical baseline of Kramar et al. 2024.

It is the baseline of blocks, used again inside every block: what is in a block is patched
when the block is opened, and opened itself in the order of its effects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.planning.outcome import Visits
from atpdsl.planning.schemes import Tree
from atpdsl.runtime.schemes.setting import Patched, Setting, shares

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats, Integers

# Level (0 is a single node) and number of a block in its level.
Key = tuple[int, int]


def patch_tree(scheme: Tree, setting: Setting) -> Patched:
    """Opens blocks down to single nodes, until enough nodes are measured."""
    search = _Search(scheme, setting)
    visits = search.run()
    return Patched(
        statistics=setting.spread(search.shares, search.source),
        visits=visits,
    )


class _Search:
    """One search: which sets have been patched so far, and what they showed.

    Attributes:
        shares: per set patched, [pair]: its effect divided by its live nodes.
        source: [node] the smallest set patched that has the node.
    """

    def __init__(self, scheme: Tree, setting: Setting) -> None:
        self.scheme, self.setting = scheme, setting
        lot = np.random.default_rng(scheme.seed)
        self.nodes: Integers = lot.permutation(setting.candidates())
        self.shares: list[Floats] = []
        self.source = np.zeros(setting.live.shape[1], dtype=np.int64)
        self._effects: dict[Key, float] = {}
        self._spent = 0

    def run(self) -> Visits:
        """Every node that is reached, and what has been patched by then."""
        top = [(self.scheme.levels, i) for i in range(self._width(self.scheme.levels))]
        if self.scheme.most is None:
            # Everything will be opened: then full runs of the model can be had at once.
            for level in range(self.scheme.levels, -1, -1):
                self._patch([(level, i) for i in range(self._width(level))])
        visited: list[tuple[int, int]] = []
        for node in self._below(top):
            if len(visited) == self.scheme.most:
                break
            self._pay(node)
            visited.append((int(self.nodes[node[1]]), self._spent))
        table = np.array(visited, dtype=np.int64).reshape(-1, 2)
        return Visits(nodes=table[:, 0], spent=table[:, 1])

    def _below(self, blocks: Sequence[Key]) -> Iterator[Key]:
        """The single nodes below some blocks, in the order in which they are reached."""
        if not blocks or blocks[0][0] == 0:
            yield from blocks
            return
        self._pay(*blocks)
        for level, number in sorted(blocks, key=lambda b: -abs(self._effects[b])):
            branching = self.scheme.branching
            last = min((number + 1) * branching, self._width(level - 1))
            yield from self._below([(level - 1, i) for i in range(number * branching, last)])

    def _pay(self, *keys: Key) -> None:
        """Patch what has not been patched; each costs one run per pair in any case."""
        self._spent += len(keys) * self.setting.n_pairs
        self._patch([key for key in keys if key not in self._effects])

    def _patch(self, keys: Sequence[Key]) -> None:
        members = [self._members(key) for key in keys]
        known = self.setting.known
        if known is not None and all(level == 0 for level, _ in keys):
            single = [int(m[0]) for m in members]
            effects = np.nan_to_num(known[:, single]).T.reshape(-1, self.setting.n_pairs)
        else:
            effects = self.setting.in_every_pair(members)
        parts = shares(self.setting, members, effects)
        for key, nodes, effect, share in zip(keys, members, effects, parts, strict=True):
            self._effects[key] = float(effect.mean())
            self.source[nodes] = len(self.shares)
            self.shares.append(share)

    def _members(self, key: Key) -> Integers:
        level, number = key
        size = self.scheme.branching**level
        return self.nodes[number * size : (number + 1) * size]

    def _width(self, level: int) -> int:
        """How many blocks (on level 0: nodes) there are."""
        size: int = self.scheme.branching**level
        return -(-len(self.nodes) // size)
