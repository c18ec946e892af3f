"""Subset sampling: random sets, and what their effects say of single nodes.

Kramar et al. 2024, Algorithm 1. Balanced partitions are ours: every node is in exactly one
set of each repetition, so that none is left untested.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.numerics.subsets import SubsetSums, additivity
from atpdsl.planning.outcome import Arms
from atpdsl.planning.schemes import Inclusions, Partitions
from atpdsl.runtime.schemes.setting import Patched, Setting, turns

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats, Integers

Drawn = Iterator[tuple[int, "Integers"]]


def patch_partitions(scheme: Partitions, setting: Setting) -> Patched:
    """Each repetition deals the nodes into blocks and patches every block, in one pair."""
    return _patched(
        setting,
        _partitions(scheme, setting),
        scheme="balanced partitions",
        blocks=scheme.blocks,
        share=1 / scheme.blocks,
    )


def patch_inclusions(scheme: Inclusions, setting: Setting) -> Patched:
    """Each set has every node with the same probability."""
    return _patched(
        setting,
        _inclusions(scheme, setting),
        scheme="independent inclusion",
        blocks=None,
        share=scheme.probability,
    )


def _partitions(scheme: Partitions, setting: Setting) -> Drawn:
    """Every node's block is drawn by itself.

    Blocks of equal size would bias the difference between the arms by minus the mean of the
    other nodes' effects: what is in the block with a node would then be missing elsewhere.
    """
    lot = np.random.default_rng(scheme.seed)
    for pair in turns(_used(setting), scheme.repetitions, lot):
        nodes = np.flatnonzero(setting.live[pair])
        block = lot.integers(scheme.blocks, size=len(nodes))
        order = np.argsort(block, kind="stable")
        ends = np.searchsorted(block[order], np.arange(1, scheme.blocks))
        for members in np.split(nodes[order], ends):
            yield int(pair), members


def _inclusions(scheme: Inclusions, setting: Setting) -> Drawn:
    lot = np.random.default_rng(scheme.seed)
    for pair in turns(_used(setting), scheme.samples, lot):
        nodes = np.flatnonzero(setting.live[pair])
        yield int(pair), nodes[lot.random(len(nodes)) < scheme.probability]


def _used(setting: Setting) -> Integers:
    """Pairs in which some node can be in a set."""
    return np.flatnonzero(setting.live.any(axis=1))


def _patched(
    setting: Setting, drawn: Drawn, *, scheme: str, blocks: int | None, share: float
) -> Patched:
    sums = SubsetSums(setting.live)
    effects: list[float] = []
    predicted: list[float] = []
    for pair, members, effect in setting.patch(drawn):
        sums.add(pair, members, effect)
        effects.append(effect)
        if setting.predicted is not None:
            predicted.append(float(np.nansum(setting.predicted[pair, members])))
    r2, correlation = additivity(effects, predicted) if predicted else (None, None)
    scale = _share_of_pairs(setting)
    with_node, without_node = sums.arms()
    arms = Arms(
        with_count=with_node.count,
        with_mean=with_node.mean * scale,
        with_variance=with_node.variance * np.square(scale),
        without_count=without_node.count,
        without_mean=without_node.mean * scale,
        without_variance=without_node.variance * np.square(scale),
        scheme=scheme,
        blocks=blocks,
        samples=len(effects),
        share=share,
        candidates=np.asarray(setting.live.any(axis=0)),
        r2=r2,
        correlation=correlation,
    )
    signed = arms.with_mean - arms.without_mean
    unknown = np.full(signed.shape, np.nan)
    statistics = setting.statistics(signed, np.abs(signed), unknown)
    return Patched(statistics=statistics, arms=arms)


def _share_of_pairs(setting: Setting) -> Floats:
    """For every node, the share of its pairs in which it can change anything.

    Sets tell of those pairs only; in the others, whose prompts are equal up to the node, its
    effect is 0. With everything scaled by this the arms are about the mean over all of them.
    """
    existing = np.maximum(setting.exists.sum(axis=0), 1)
    return np.asarray(setting.live.sum(axis=0) / existing)
