"""What every scheme is given, and what it gives back.

Pairs are numbered over all batches, nodes over all node sets (one set after the other).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.outcome import Arms, Statistics, Visits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats, Integers

# Nodes of sets that are drawn before they are patched: 32 MB of numbers.
DRAWN_AT_ONCE = 4_000_000


class Patcher(Protocol):
    """Patches sets of nodes; `runtime.patch_sets.SetPatcher` does it in a model."""

    @property
    def n_pairs(self) -> int:
        """How many pairs there are."""

    def exists(self) -> NDArray[np.bool_]:
        """Whether each pair has each node, [pair, node]."""

    def candidates(self) -> NDArray[np.bool_]:
        """Whether patching each node can change anything in each pair, [pair, node]."""

    def effects(self, pairs: Integers, members: Sequence[Integers]) -> Floats:
        """Effect of each set in its pair, [set]; nodes that are no candidates are ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patched:
    """What a scheme found.

    Attributes:
        statistics: one per node set, in its shape; nan for excluded nodes.
        arms: for random sets.
        visits: for searches.
    """

    statistics: tuple[Statistics, ...]
    arms: Arms | None = None
    visits: Visits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The nodes that sets are drawn from, and how to patch them.

    Attributes:
        exists, live: [pair, node] whether the pair has the node, and whether it can be in a
            set there: patching can change something, and it is not excluded.
        excluded, predicted, known: see `run_scheme`.
    """

    patcher: Patcher
    sets: tuple[NodeSet, ...]
    exists: NDArray[np.bool_]
    live: NDArray[np.bool_]
    excluded: NDArray[np.bool_]
    predicted: Floats | None = None
    known: Floats | None = None

    @property
    def n_pairs(self) -> int:
        """How many pairs there are."""
        return len(self.live)

    def candidates(self) -> Integers:
        """Numbers of the nodes that are drawn from: live in some pair."""
        return np.flatnonzero(self.live.any(axis=0))

    def patch(
        self, drawn: Iterable[tuple[int, Integers]]
    ) -> Iterator[tuple[int, Integers, float]]:
        """(pair, members) of each set, with its effect; many are patched at once."""
        pairs: list[int] = []
        members: list[Integers] = []
        held = 0
        for pair, nodes in drawn:
            pairs.append(pair)
            members.append(nodes)
            held += len(nodes)
            if held >= DRAWN_AT_ONCE:
                yield from self._patched(pairs, members)
                pairs, members, held = [], [], 0
        yield from self._patched(pairs, members)

    def _patched(
        self, pairs: list[int], members: list[Integers]
    ) -> Iterator[tuple[int, Integers, float]]:
        effects = self.patcher.effects(np.array(pairs, dtype=np.int64), members)
        yield from zip(pairs, members, effects.tolist(), strict=True)

    def in_every_pair(self, sets: Sequence[Integers]) -> Floats:
        """Effects of sets, each in every pair, [set, pair]; 0 where no node of it is live."""
        effects = np.zeros((len(sets), self.n_pairs))
        drawn = [
            (number, pair, nodes[self.live[pair, nodes]])
            for number, nodes in enumerate(sets)
            for pair in range(self.n_pairs)
        ]
        found = self.patch((pair, nodes) for _, pair, nodes in drawn)
        for (number, pair, _), (_, _, effect) in zip(drawn, found, strict=True):
            effects[number, pair] = effect
        return effects

    def statistics(
        self, mean: Floats, mean_abs: Floats, mean_square: Floats
    ) -> tuple[Statistics, ...]:
        """Per node set, from values per node, [node], which count for candidates only.

        A node that exists and can change nothing has the effect 0.
        """
        pairs = self.exists.sum(axis=0)
        candidate = self.live.any(axis=0)
        other = np.where((pairs > 0) & ~self.excluded, 0.0, np.nan)
        values = [np.where(candidate, v, other) for v in (mean, mean_abs, mean_square)]
        starts = np.cumsum([len(nodes) for nodes in self.sets])[:-1]
        parts = [np.split(array, starts) for array in (pairs.astype(np.int64), *values)]
        return tuple(
            Statistics(
                pairs=count.reshape(nodes.shape),
                mean=signed.reshape(nodes.shape),
                mean_abs=absolute.reshape(nodes.shape),
                mean_square=square.reshape(nodes.shape),
            )
            for nodes, count, signed, absolute, square in zip(self.sets, *parts, strict=True)
        )

    def spread(self, shares: Sequence[Floats], source: Integers) -> tuple[Statistics, ...]:
        """Statistics where each node has a share of the effect of one set.

        Args:
            shares: per set, [pair]: the effect divided by how many nodes are live.
            source: [node] number of the set that the node's share comes from.
        """
        nodes = self.live.shape[1]
        signed, absolute, square = np.zeros(nodes), np.zeros(nodes), np.zeros(nodes)
        of_pair = np.array(shares).reshape(-1, self.n_pairs).T
        candidates = self.candidates()
        for pair in range(self.n_pairs):
            here = of_pair[pair][source[candidates]] * self.live[pair, candidates]
            signed[candidates] += here
            absolute[candidates] += np.abs(here)
            square[candidates] += np.square(here)
        count = np.maximum(self.exists.sum(axis=0), 1)
        return self.statistics(signed / count, absolute / count, square / count)


def shares(setting: Setting, sets: Sequence[Integers], effects: Floats) -> Floats:
    """Effects of sets divided by how many of their nodes are live in each pair, [set, pair]."""
    sizes = [setting.live[:, nodes].sum(axis=1) for nodes in sets]
    each: Floats = effects / np.maximum(np.array(sizes).reshape(effects.shape), 1)
    return each


def turns(pairs: Integers, samples: int, lot: np.random.Generator) -> Integers:
    """The pair of each sample: all pairs in a random order, then all in another one, ..."""
    if not len(pairs):
        return np.zeros(0, dtype=np.int64)
    rounds = [lot.permutation(pairs) for _ in range(-(-samples // len(pairs)))]
    return np.concatenate([*rounds, pairs[:0]])[:samples]
