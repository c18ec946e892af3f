"""A patcher without a model: the effect of a set is the sum of its nodes' effects, and more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.ops import PatchSets
from atpdsl.planning.outcome import Statistics
from atpdsl.runtime.schemes import Patched, run_scheme

Floats = NDArray[np.float64]


class Additive:
    """Nodes with given effects, [pair, node].

    Args:
        own: what each node adds.
        exists, live: as in `SetPatcher`; everything unless given.
        together: [node, node] symmetric, added for two nodes of a set.

    Attributes:
        runs: (pair, live members) of every set that was not empty.
    """

    def __init__(
        self,
        own: Any,
        exists: Any = None,
        live: Any = None,
        together: Floats | None = None,
    ) -> None:
        self.own = np.atleast_2d(np.asarray(own, dtype=np.float64))
        self._exists = np.ones(self.own.shape, bool) if exists is None else np.array(exists)
        self._live = self._exists if live is None else np.array(live)
        self._together = together
        self.runs: list[tuple[int, list[int]]] = []

    @property
    def n_pairs(self) -> int:
        return len(self.own)

    @property
    def known(self) -> Floats:
        """Exact effects of single nodes, nan where the pair lacks the node."""
        return np.where(self._exists, np.where(self._live, self.own, 0.0), np.nan)

    def exists(self) -> NDArray[np.bool_]:
        return self._exists

    def candidates(self) -> NDArray[np.bool_]:
        return self._live

    def effects(self, pairs: Any, members: Sequence[Any]) -> Floats:
        return np.array([self._effect(p, m) for p, m in zip(pairs, members, strict=True)])

    def _effect(self, pair: int, members: Any) -> float:
        live = [int(n) for n in members if self._live[pair, n]]
        if live:
            self.runs.append((int(pair), live))
        effect = self.own[pair, live].sum()
        if self._together is not None:
            effect += self._together[np.ix_(live, live)].sum() / 2
        return float(effect)

    def sets(self) -> tuple[NodeSet, ...]:
        """The first two nodes as one node set, of two layers, and all others as another."""
        rest = self.own.shape[1] - 2
        return (_node_set("heads.q", 2, 1), _node_set("mlp", 1, rest))

    def patch(
        self,
        scheme: Any,
        excluded: Sequence[int] = (),
        predicted: Floats | None = None,
        known: Floats | None = None,
    ) -> Patched:
        """Runs a scheme on all nodes."""
        op = PatchSets(bases=(), donors=(), sets=self.sets(), scheme=scheme)
        out = np.zeros(self.own.shape[1], dtype=bool)
        out[list(excluded)] = True
        return run_scheme(op, self, out, predicted, known)


def _node_set(kind: str, layers: int, positions: int) -> NodeSet:
    return NodeSet(
        kind=kind,
        layers=tuple(range(layers)),
        indices=(0,),
        positions=tuple(map(str, range(positions))),
    )


def flat(statistics: Sequence[Statistics], field: str) -> Floats:
    """One field of all node sets, [node]."""
    return np.concatenate([np.ravel(getattr(s, field)) for s in statistics])
