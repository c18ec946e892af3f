"""Fixed blocks of nodes, a baseline of Kramar et al. 2024.

All nodes are dealt into blocks once. A node counts for its share of the block's effect, and
nodes are verified block by block, the block with the largest effect first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from atpdsl.planning.outcome import Visits
from atpdsl.planning.schemes import Blocks
from atpdsl.runtime.schemes.setting import Patched, Setting, shares

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats, Integers


def patch_blocks(scheme: Blocks, setting: Setting) -> Patched:
    """Each block is patched in every pair."""
    nodes = np.random.default_rng(scheme.seed).permutation(setting.candidates())
    blocks = np.split(nodes, np.arange(scheme.size, len(nodes), scheme.size))
    effects = setting.in_every_pair(blocks)
    source = np.zeros(setting.live.shape[1], dtype=np.int64)
    for number, members in enumerate(blocks):
        source[members] = number
    return Patched(
        statistics=setting.spread(list(shares(setting, blocks, effects)), source),
        visits=_visits(blocks, effects),
    )


def _visits(blocks: list[Integers], effects: Floats) -> Visits:
    """All blocks first, then node by node; a block of one node is measured already."""
    n_pairs = effects.shape[1]
    order = np.argsort(-np.abs(effects.mean(axis=1)), kind="stable")
    cost = [np.full(len(blocks[b]), n_pairs if len(blocks[b]) > 1 else 0) for b in order]
    return Visits(
        nodes=np.concatenate([blocks[b] for b in order]),
        spent=effects.size + np.cumsum(np.concatenate(cost)),
    )
