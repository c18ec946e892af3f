"""Cases of subset sampling and of the cost of verified recall whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from atpdsl.numerics.subsets import SubsetSums
from atpdsl.numerics.verified_recall import costs, irwrgm
from atpdsl.selftesting.checks import Check, Compared, judged

ALLOWED = 1e-12


def counting_cases() -> Iterator[Check]:
    """In float64, whatever the model is run in."""
    yield _additive()
    yield _interacting()
    yield _recall()


def _additive() -> Check:
    """Every set of four nodes once: the estimates are the effects."""
    effects = np.array([3, -2, 0.5, 4])
    found = _estimated(len(effects), lambda members: float(effects[members].sum()))
    return _judged("subsets, effects that add up", found, effects.tolist())


def _interacting() -> Check:
    """Every set of six nodes once: estimates are off by half of each node's interactions."""
    lot = np.random.default_rng(0)
    effects, both = lot.normal(size=6), np.triu(lot.normal(size=(6, 6)), 1)
    both = both + both.T

    def effect(members: list[int]) -> float:
        return float(effects[members].sum() + both[np.ix_(members, members)].sum() / 2)

    expected = effects + both.sum(1) / 2
    return _judged("subsets, interactions", _estimated(6, effect), expected.tolist())


def _estimated(nodes: int, effect: Callable[[list[int]], float]) -> list[float]:
    """Mean effect of the sets with a node minus that of the sets without, for each node."""
    sums = SubsetSums(np.ones((1, nodes), dtype=bool))
    for mask in product((False, True), repeat=nodes):
        members = np.flatnonzero(mask)
        sums.add(0, members, effect(members.tolist()))
    with_it, without = sums.arms()
    return list((with_it.mean - without.mean).tolist())


def _recall() -> Check:
    """IRWRGM of small orders, worked out by hand."""
    cases: Sequence[tuple[tuple[float, ...], tuple[int, ...], float, float]] = (
        ((3, 2, 1), (1, 0, 2), 0, 2 ** (6 / 11)),
        ((3, 2, 1), (1, 0, 2), 3, 3.50362959184022),
        ((3, 2, 1), (0, 1, 2), 0, 1),
        ((5, 4, 3, 2, 1), (4, 3, 2, 1, 0), 0, 2.7305847606140965),
    )
    found = []
    for truth, order, estimation, _ in cases:
        spent = estimation + np.arange(1.0, len(truth) + 1)
        found.append(irwrgm(costs(np.array(order), np.array(truth, dtype=float), spent)))
    return _judged("cost of verified recall", found, [case[-1] for case in cases])


def _judged(name: str, found: Sequence[float], expected: Sequence[float]) -> Check:
    compared = [
        Compared(f"number {number}", one, other)
        for number, (one, other) in enumerate(zip(found, expected, strict=True))
    ]
    return judged(name, "", compared, relative=ALLOWED, rounding=0)
