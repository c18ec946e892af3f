"""Sets with a node against sets without it: streaming against lists, and analytic cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from atpdsl.numerics.subsets import Moments, SubsetSums, additivity


def by_hand(sets, live):
    """What `SubsetSums` keeps, from lists of all values per node."""
    rows = []
    for node in range(live.shape[1]):
        usable = [(m, e) for pair, m, e in sets if live[pair, node]]
        inside = [e for m, e in usable if node in m]
        outside = [e for m, e in usable if node not in m]
        rows.append((inside, outside))
    return rows


def random_sets(live, n, seed):
    lot = np.random.default_rng(seed)
    for _ in range(n):
        pair = int(lot.integers(len(live)))
        nodes = np.flatnonzero(live[pair])
        yield pair, nodes[lot.random(len(nodes)) < 0.3], float(lot.normal(pair))


def test_streaming_is_what_lists_give():
    live = np.random.default_rng(1).random((3, 20)) < 0.7
    sets = list(random_sets(live, 200, seed=2))
    sums = SubsetSums(live)
    for pair, members, effect in sets:
        sums.add(pair, members, effect)
    found = sums.arms()

    for node, arms in enumerate(by_hand(sets, live)):
        for arm, values in zip(found, arms, strict=True):
            assert arm.count[node] == len(values)
            if values:
                assert arm.mean[node] == pytest.approx(np.mean(values), rel=1e-12)
            if len(values) > 1:
                assert arm.variance[node] == pytest.approx(np.var(values, ddof=1), rel=1e-10)


def test_variances_are_stable_far_from_zero():
    values = 1e8 + np.random.default_rng(0).normal(size=1000)
    moments = Moments.none(1)
    for value in values:
        moments.add(np.array([0]), float(value))

    assert moments.variance[0] == pytest.approx(np.var(values, ddof=1), rel=1e-6)


def test_too_few_values_have_no_mean_and_no_variance():
    moments = Moments.none(2)
    moments.add(np.array([1]), 3.0)

    assert np.isnan(moments.mean[0])
    assert moments.mean[1] == 3.0
    assert np.isnan(moments.variance).all()


def factorial(n, effect, copies=lambda size: 1):
    """All subsets of n nodes, each as often as `copies` of its size."""
    sums = SubsetSums(np.ones((1, n), dtype=bool))
    for mask in itertools.product([False, True], repeat=n):
        members = np.flatnonzero(mask)
        for _ in range(copies(len(members))):
            sums.add(0, members, float(effect(members)))
    inside, outside = sums.arms()
    return inside.mean - outside.mean


def test_a_full_factorial_of_additive_effects_gives_them_back_exactly():
    """Case D."""
    a = np.array([3.0, -2.0, 0.5, 4.0])

    assert factorial(4, lambda members: a[members].sum()).tolist() == a.tolist()


@pytest.mark.parametrize(("odds", "probability"), [(1, 0.5), (3, 0.25)])
def test_interactions_bias_the_estimate_by_the_share_of_nodes(odds, probability):
    """Case D2: a + p * W.sum(1), by enumeration; a set of k nodes has the weight odds^-k."""
    lot = np.random.default_rng(3)
    a, w = lot.normal(size=6), lot.normal(size=(6, 6))
    w = np.triu(w, 1) + np.triu(w, 1).T

    def effect(members):
        return a[members].sum() + w[np.ix_(members, members)].sum() / 2

    found = factorial(6, effect, copies=lambda size: odds ** (6 - size))

    np.testing.assert_allclose(found, a + probability * w.sum(1), rtol=0, atol=1e-12)


def test_additivity_is_one_where_sums_are_right():
    y = [0.5, -1.0, 2.0, 0.25]

    assert additivity(y, y) == (1.0, pytest.approx(1.0))


def test_the_correlation_forgives_a_scale_that_r2_does_not():
    y = np.array([0.5, -1.0, 2.0, 0.25])
    r2, correlation = additivity(y, -3 * y)
    off = y - y.mean()

    assert correlation == pytest.approx(-1.0)
    assert r2 == pytest.approx(1 - 16 * (y @ y) / (off @ off))


def test_additivity_is_not_known_where_nothing_varies():
    assert additivity([], []) == (None, None)
    assert additivity([1.0], [1.0]) == (None, None)
    assert additivity([1.0, 1.0], [0.0, 2.0]) == (None, None)
    r2, correlation = additivity([0.0, 2.0], [1.0, 1.0])
    assert (r2, correlation) == (0.0, None)
