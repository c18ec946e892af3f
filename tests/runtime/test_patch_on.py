"""Verification in the order of the bounds: when it stops, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.numerics.bounds import upper_bounds
from atpdsl.planning.ops import Forward, Measure, PatchOn, PatchSets, Reduce, Select, Side
from atpdsl.planning.schemes import Partitions
from atpdsl.runtime.patch_on import AT_ONCE, patch_on
from atpdsl.runtime.patch_sets import run_scheme
from atpdsl.semantics.experiment import MetricCall
from tests.engine import NOWHERE, loaded, token_pair
from tests.runtime.additive import Additive
from tests.runtime.scenes import patcher
from tests.small_models import random_tokens, small_model

SCHEME = Partitions(repetitions=40, blocks=25, seed=2)


def asked(top, alpha=0.01, most=None):
    metric = MetricCall(name="logit_diff", position="last", span=NOWHERE)
    base = Measure(forward=Forward(batch=0, side=Side.CLEAN), metric=metric)
    chosen = Select(rankings=(), sets=(), top=0, random=0, seed=0)
    return PatchOn(
        bases=(base,),
        donors=(Forward(batch=0, side=Side.CORRUPTED),),
        bound=PatchSets(bases=(base,), donors=(), sets=(), scheme=SCHEME),
        chosen=chosen,
        effects=Reduce(parts=()),
        top=top,
        alpha=alpha,
        most=most,
    )


def measured(patcher, first):
    """Mean effects of the first nodes, nan for the others."""
    known = np.full(patcher.own.shape[1], np.nan)
    known[first] = patcher.own.mean(axis=0)[first]
    return known


@pytest.fixture
def many():
    """300 nodes, three of which matter; two of these were not measured before."""
    own = np.random.default_rng(0).normal(size=(2, 300)) * 0.01
    own[:, [5, 100, 200]] = [[1.0, -0.5, 0.4], [1.2, -0.7, 0.2]]
    return Additive(own)


def go_on(patcher, first, **how):
    arms = patcher.patch(SCHEME, excluded=first).arms
    patcher.runs.clear()
    return arms, patch_on(asked(**how), patcher, arms, measured(patcher, first))


def test_it_finds_what_the_estimate_missed(many):
    _, found = go_on(many, [5, 7], top=3)

    assert found.stopped
    assert found.nodes[:2].tolist() == [100, 200]
    assert len(found.nodes) < 150
    np.testing.assert_allclose(found.statistics.mean[:2], [-0.6, 0.3])
    np.testing.assert_allclose(found.statistics.mean_abs[:2], [0.6, 0.3])
    assert found.per_pair.shape == (2, len(found.nodes))
    np.testing.assert_array_equal(found.per_pair, many.own[:, found.nodes])


def test_it_goes_in_the_order_of_the_bounds_and_stops_below_the_top(many):
    arms, found = go_on(many, [5, 7], top=2)
    theta = upper_bounds(arms, 0.99)
    rest = np.setdiff1d(np.flatnonzero(arms.candidates), found.nodes)

    assert (np.diff(theta[found.nodes]) <= 0).all()
    # The second largest is 0.6, from node 100.
    assert theta[rest].max() < 0.6
    assert theta[found.nodes].min() >= 0.6 or len(found.nodes) <= AT_ONCE
    assert 5 not in found.nodes
    assert 7 not in found.nodes


def test_nodes_below_the_condition_are_not_measured(many):
    """All of a round is above the threshold that was known when it began."""
    arms, found = go_on(many, [5, 100, 200], top=3)

    assert found.stopped
    assert (upper_bounds(arms, 0.99)[found.nodes] >= 0.3).all()


def test_every_node_costs_one_run_per_pair_where_it_is_live(many):
    _, found = go_on(many, [5, 7], top=3)

    assert len(many.runs) == 2 * len(found.nodes)


@pytest.mark.parametrize("most", [0, 1, AT_ONCE, AT_ONCE + 1])
def test_it_measures_no_more_than_it_may(many, most):
    _, all_of_them = go_on(many, [5, 7], top=40)
    _, found = go_on(many, [5, 7], top=40, most=most)

    assert len(found.nodes) == most
    assert found.nodes.tolist() == all_of_them.nodes[:most].tolist()
    assert not found.stopped


def test_with_a_top_larger_than_all_nodes_everything_is_measured(many):
    _, found = go_on(many, [5, 7], top=1000)

    assert sorted([*found.nodes.tolist(), 5, 7]) == list(range(300))
    assert found.stopped


def test_a_node_that_was_in_too_few_sets_is_measured_first():
    own = np.random.default_rng(0).normal(size=(1, 40))
    patcher = Additive(own)
    arms = patcher.patch(SCHEME).arms
    arms.with_variance[17] = np.nan
    found = patch_on(asked(top=1, alpha=0.5), patcher, arms, np.full(40, np.nan))

    assert found.nodes[0] == 17


def test_pairs_without_the_node_are_left_out_and_equal_prefixes_are_zero():
    exists, live = np.ones((3, 6), bool), np.ones((3, 6), bool)
    exists[0, 2] = live[0, 2] = False
    live[1, 3] = False
    own = np.arange(1.0, 19.0).reshape(3, 6)
    patcher = Additive(own, exists, live)
    arms = patcher.patch(Partitions(repetitions=6, blocks=2, seed=0)).arms
    found = patch_on(asked(top=6), patcher, arms, np.full(6, np.nan))
    place = {int(n): i for i, n in enumerate(found.nodes)}

    assert found.statistics.pairs[place[2]] == 2
    assert found.statistics.mean[place[2]] == (9 + 15) / 2
    assert found.statistics.mean[place[3]] == (4 + 16) / 3
    assert np.isnan(found.per_pair[:, place[2]]).tolist() == [True, False, False]
    assert found.per_pair[1, place[3]] == 0.0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_finds_the_true_top_of_a_model(seed):
    """Two pairs of a random model of three layers; nothing was measured before."""
    model = loaded(small_model("gpt2", seed=seed, scale=0.15))
    clean, corrupted = random_tokens(2, 6, seed=1), random_tokens(2, 6, seed=1)
    corrupted[:, 3] = random_tokens(2, 6, seed=2)[:, 3]
    rows = zip(clean.tolist(), corrupted.tolist(), strict=True)
    pairs = [token_pair(a, b, 4, 9) for a, b in rows]
    positions = tuple(map(str, range(6)))
    sets = [
        NodeSet(kind=kind, layers=(0, 1, 2), indices=(0, 1, 2, 3), positions=positions)
        for kind in ("heads.q", "heads.k", "heads.v", "heads.z")
    ]
    ours = patcher(model, pairs, sets, rows_per_call=128)
    n_nodes = sum(map(len, sets))
    op = PatchSets(bases=(), donors=(), sets=tuple(sets), scheme=SCHEME)
    arms = run_scheme(op, ours, np.zeros(n_nodes, bool)).arms
    found = patch_on(asked(top=10), ours, arms, np.full(n_nodes, np.nan))

    pair, node = np.nonzero(ours.candidates())
    truth = np.zeros((2, n_nodes))
    truth[pair, node] = ours.effects(pair, [np.array([n]) for n in node])
    best = np.argsort(-np.abs(truth.mean(0)))[:10]

    assert found.stopped
    assert set(best) <= set(found.nodes.tolist())
    assert len(found.nodes) < arms.candidates.sum()
