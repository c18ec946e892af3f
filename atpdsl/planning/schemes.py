"""Schemes by which sets of nodes are drawn and patched together; see `ops.PatchSets`.

The first two are for statistics of single nodes (Kramar et al. 2024, Algorithm 1), the others
are the paper's baselines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitions:
    """Every repetition deals all nodes into `blocks` blocks at random and patches each once.

    All blocks of a repetition are patched in one pair; the pairs take turns. So every node is
    in exactly one set of each repetition.
    """

    repetitions: int
    blocks: int
    seed: int

    @property
    def samples(self) -> int:
        """How many sets are patched."""
        return self.repetitions * self.blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusions:
    """Each of `samples` sets has every node with `probability`; the pairs take turns."""

    samples: int
    probability: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """All nodes are dealt into blocks of `size` once; each block is patched in every pair."""

    size: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Blocks of blocks: the block with the largest effect is opened first, down to nodes.

    Attributes:
        levels: levels of blocks above the single nodes.
        branching: blocks (on the lowest level: nodes) in each block.
        most: stops after so many single nodes; None opens everything.
    """

    levels: int
    branching: int
    most: int | None
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePair:
    """Every node alone, in random order, each in one pair; the pairs take turns."""

    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shuffle:
    """Nothing is patched: nodes in random order."""

    seed: int


Scheme: TypeAlias = Partitions | Inclusions | Blocks | Tree | OnePair | Shuffle
