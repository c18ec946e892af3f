"""Which nodes of a known circuit a method finds: the numbers of the tests and of the page.

A node is true if the program says that it has an effect, and found if its estimate is above
`THRESHOLD` of the model's largest true effect. The same threshold is used everywhere; it was
fixed before anything was measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from atpdsl.numerics.roc import auroc
from tests.known_circuits.bridged import METHODS, Measured, bridged, measure
from tests.known_circuits.models import KnownModel, Pair
from tests.known_circuits.plain import Node, exact_effects

THRESHOLD = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """A model's nodes over all its pairs; a node of two pairs counts twice.

    Attributes:
        measured: for each pair the numbers of every method, by its name in `METHODS`.
    """

    model: KnownModel
    measured: Sequence[Mapping[str, Measured]]

    @property
    def least(self) -> float:
        """What an estimate has to be above for its node to be found."""
        return THRESHOLD * max(
            abs(e) for pair in self.model.pairs for e in pair.effects.values()
        )

    def found(self, method: str) -> set[tuple[int, str]]:
        """Number of the pair and node id of every node that a method finds."""
        return {
            (number, node)
            for number, methods in enumerate(self.measured)
            for node, size in methods[method].magnitude.items()
            if size > self.least
        }

    def true(self) -> set[tuple[int, str]]:
        """Those that have an effect."""
        return {
            (number, node)
            for number, pair in enumerate(self.model.pairs)
            for node in pair.effects
        }

    def missed(self, method: str) -> set[tuple[int, str]]:
        """Those that have an effect and are not found."""
        return self.true() - self.found(method)

    def auroc(self, method: str) -> float:
        """Of the magnitudes, over the nodes of all pairs."""
        true = self.true()
        rows = [
            (size, (number, node) in true)
            for number, methods in enumerate(self.measured)
            for node, size in methods[method].magnitude.items()
        ]
        return auroc(np.array([size for size, _ in rows]), np.array([yes for _, yes in rows]))


def estimates(
    model: KnownModel,
    methods: Sequence[str] = tuple(METHODS),
    dtype: torch.dtype = torch.float64,
) -> Estimates:
    """All methods on all pairs of a model, one pair at a time."""
    loaded = bridged(model, dtype)
    measured = [measure(loaded, model, n, methods) for n in range(len(model.pairs))]
    return Estimates(model=model, measured=measured)


def with_measured_truth(model: KnownModel) -> KnownModel:
    """A model whose true nodes are those that exact patching, in plain torch, says.

    A node is true if its effect is above `THRESHOLD` of the largest.
    """
    effects = [exact_effects(model, pair) for pair in model.pairs]
    least = THRESHOLD * max(abs(e) for of_pair in effects for e in of_pair.values())

    def pair_with(pair: Pair, of_pair: Mapping[Node, float]) -> Pair:
        true = {str(node): effect for node, effect in of_pair.items() if abs(effect) > least}
        return replace(pair, effects=true)

    pairs = tuple(map(pair_with, model.pairs, effects))
    return replace(model, pairs=pairs)


def by_kind(nodes: set[tuple[int, str]]) -> dict[str, int]:
    """How many of them are of each kind (`heads.q`, ..., `mlp`)."""
    counts = Counter(node.partition(".L")[0] for _, node in nodes)
    return dict(sorted(counts.items()))
