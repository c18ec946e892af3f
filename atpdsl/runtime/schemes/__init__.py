"""Schemes by which sets of nodes are drawn and patched together, one module per idea."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from atpdsl.planning.ops import PatchSets
from atpdsl.planning.schemes import Blocks, Inclusions, OnePair, Partitions, Shuffle, Tree
from atpdsl.runtime.schemes.blocks import patch_blocks
from atpdsl.runtime.schemes.one_pair import patch_one_pair
from atpdsl.runtime.schemes.setting import Patched, Patcher, Setting
from atpdsl.runtime.schemes.shuffle import shuffled
from atpdsl.runtime.schemes.subsets import patch_inclusions, patch_partitions
from atpdsl.runtime.schemes.tree import patch_tree

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats

__all__ = ["Patched", "Patcher", "Setting", "run_scheme"]


def run_scheme(
    op: PatchSets,
    patcher: Patcher,
    excluded: NDArray[np.bool_],
    predicted: Floats | None = None,
    known: Floats | None = None,
) -> Patched:
    """Draw sets of nodes by the scheme of `op`, patch them, and say what follows per node.

    Draws depend on the scheme's seed alone, not on batches or on rows per call.

    Args:
        patcher: patches the nodes of `op.sets`; N is how many they are.
        excluded: [N] nodes that are in no set.
        predicted: [pair, N] signed estimates, nan where a pair lacks the node, that the
            effects of random sets are compared with.
        known: [pair, N] the exact effect of every node in every pair, nan where a pair lacks
            the node. Single nodes are then looked up, not patched, which says for searches
            what they would have cost without running them.

    Raises:
        FloatingPointError: when an effect is not finite.
    """
    setting = Setting(
        patcher=patcher,
        sets=op.sets,
        exists=patcher.exists(),
        live=patcher.candidates() & ~excluded,
        excluded=excluded,
        predicted=predicted,
        known=known,
    )
    match op.scheme:
        case Partitions():
            return patch_partitions(op.scheme, setting)
        case Inclusions():
            return patch_inclusions(op.scheme, setting)
        case Blocks():
            return patch_blocks(op.scheme, setting)
        case Tree():
            return patch_tree(op.scheme, setting)
        case OnePair():
            return patch_one_pair(op.scheme, setting)
        case Shuffle():
            return shuffled(op.scheme, setting)
        case _:
            assert_never(op.scheme)
