"""Schemes on nodes whose effects are known and add up: no model is needed."""

from __future__ import annotations

import numpy as np
import pytest

from atpdsl.numerics.bounds import bound, standard_errors, upper_bounds
from atpdsl.planning.cost import tree_sets
from atpdsl.planning.schemes import Blocks, Inclusions, OnePair, Partitions, Shuffle, Tree
from tests.runtime.additive import Additive, flat

PARTITIONS = Partitions(repetitions=12, blocks=5, seed=3)
INCLUSIONS = Inclusions(samples=60, probability=0.2, seed=3)
BLOCKS = Blocks(size=4, seed=3)
TREE = Tree(levels=2, branching=3, most=None, seed=3)
RANDOM_SETS = pytest.mark.parametrize("scheme", [PARTITIONS, INCLUSIONS], ids=type)
SEARCHES = pytest.mark.parametrize("scheme", [BLOCKS, TREE, OnePair(seed=3), Shuffle(seed=3)])
ALL = pytest.mark.parametrize(
    "scheme", [PARTITIONS, INCLUSIONS, BLOCKS, TREE, OnePair(seed=3), Shuffle(seed=3)]
)


def some_effects(pairs, nodes, seed=0):
    return np.random.default_rng(seed).normal(size=(pairs, nodes))


@pytest.fixture
def three():
    """Three pairs; nodes that a pair lacks, and one that can change nothing in some."""
    exists = np.random.default_rng(5).random((3, 20)) < 0.8
    exists[:, 7] = False
    exists[:, [4, 11]] = True
    live = exists.copy()
    live[0, 4] = False
    live[:, 11] = False
    return Additive(some_effects(3, 20), exists, live)


def test_a_node_that_is_alone_in_having_an_effect_is_estimated_exactly():
    own = np.zeros((1, 10))
    own[0, 4] = -0.75
    for scheme in (PARTITIONS, INCLUSIONS):
        found = Additive(own).patch(scheme).statistics
        assert flat(found, "mean")[4] == -0.75
        assert flat(found, "mean_abs")[4] == 0.75


@RANDOM_SETS
def test_estimates_are_means_over_all_pairs_that_have_the_node(scheme, three):
    """Where the prompts are equal up to the node, the pair counts with an effect of 0."""
    own = np.zeros((3, 20))
    own[:, 4] = 0.6
    found = Additive(own, three.exists(), three.candidates()).patch(scheme)

    assert flat(found.statistics, "mean")[4] == pytest.approx(0.4)
    assert upper_bounds(found.arms, 0.99)[4] == pytest.approx(0.4)


@ALL
def test_nodes_that_can_change_nothing_are_zero_and_missing_ones_nan(scheme, three):
    found = three.patch(scheme).statistics
    mean, mean_abs = flat(found, "mean"), flat(found, "mean_abs")

    assert (mean[11], mean_abs[11]) == (0.0, 0.0)
    assert np.isnan([mean[7], mean_abs[7]]).all()
    assert flat(found, "pairs").tolist() == three.exists().sum(0).tolist()


@ALL
def test_excluded_nodes_are_never_patched_and_have_no_estimate(scheme, three):
    out = [1, 9, 13]
    found = three.patch(scheme, excluded=out)

    assert not {n for _, members in three.runs for n in members} & set(out)
    assert np.isnan(flat(found.statistics, "mean")[out]).all()
    if found.arms is not None:
        assert not found.arms.candidates[out].any()
    if found.visits is not None:
        assert not set(found.visits.nodes.tolist()) & set(out)


@ALL
def test_a_seed_gives_the_same_again_and_another_one_something_else(scheme):
    def visited(seed):
        patcher = Additive(some_effects(2, 16))
        other = {name: getattr(scheme, name) for name in scheme.__slots__} | {"seed": seed}
        found = patcher.patch(type(scheme)(**other))
        return patcher.runs, flat(found.statistics, "mean").tolist()

    assert visited(1) == visited(1)
    assert visited(1) != visited(2)


# ---- random sets


def test_each_repetition_deals_all_nodes_into_blocks_in_one_pair(three):
    three.patch(PARTITIONS)
    runs = iter(three.runs)
    for _ in range(PARTITIONS.repetitions):
        pair, first = next(runs)
        nodes = list(first)
        wanted = np.flatnonzero(three.candidates()[pair])
        while len(nodes) < len(wanted):
            also, members = next(runs)
            assert also == pair
            nodes += members
        assert sorted(nodes) == wanted.tolist()


@RANDOM_SETS
def test_pairs_take_turns(scheme):
    patcher = Additive(some_effects(4, 40))
    patcher.patch(scheme)
    pairs = [pair for pair, _ in patcher.runs]
    if scheme is PARTITIONS:
        pairs = pairs[:: scheme.blocks]

    for start in range(0, len(pairs), 4):
        assert sorted(pairs[start : start + 4]) == [0, 1, 2, 3]


def test_pairs_in_which_nothing_can_change_are_not_used():
    live = np.array([[True] * 6, [False] * 6])
    found = Additive(some_effects(2, 6), live=live).patch(PARTITIONS)

    assert (found.arms.with_count == PARTITIONS.repetitions).all()


@RANDOM_SETS
def test_arms_are_what_lists_of_the_sets_give(scheme, three):
    found = three.patch(scheme).arms
    effects = [three.own[pair, members].sum() for pair, members in three.runs]
    scale = three.candidates().sum(0) / np.maximum(three.exists().sum(0), 1)
    for node in np.flatnonzero(three.candidates().any(0)):
        usable = three.candidates()[:, node]
        inside = [e for e, (_, m) in zip(effects, three.runs, strict=True) if node in m]

        assert found.with_count[node] == len(inside)
        assert found.with_mean[node] == pytest.approx(np.mean(inside) * scale[node])
        expected = np.var(inside, ddof=1) * scale[node] ** 2
        assert found.with_variance[node] == pytest.approx(expected)
        if scheme is PARTITIONS:
            # Sets without live nodes are not run, and count with an effect of 0.
            turns = PARTITIONS.repetitions // 3 * int(usable.sum())
            assert found.with_count[node] == turns
            assert found.without_count[node] == turns * (PARTITIONS.blocks - 1)


def test_arms_say_how_they_were_made():
    balanced = Additive(some_effects(1, 20)).patch(PARTITIONS).arms
    independent = Additive(some_effects(1, 20)).patch(INCLUSIONS).arms

    assert (balanced.scheme, balanced.blocks) == ("balanced partitions", 5)
    assert (independent.scheme, independent.blocks) == ("independent inclusion", None)
    assert (balanced.samples, independent.samples) == (60, 60)
    assert (balanced.share, independent.share) == (0.2, 0.2)


@RANDOM_SETS
def test_sums_of_right_predictions_explain_additive_effects(scheme, three):
    found = three.patch(scheme, predicted=three.known).arms
    half = three.patch(scheme, predicted=0.5 * three.known).arms
    none = three.patch(scheme).arms

    assert (found.r2, found.correlation) == (pytest.approx(1.0), pytest.approx(1.0))
    assert half.correlation == pytest.approx(1.0)
    assert half.r2 < 0.9
    assert (none.r2, none.correlation) == (None, None)


def test_interactions_show_in_the_additivity():
    together = np.random.default_rng(1).normal(size=(30, 30))
    patcher = Additive(some_effects(1, 30), together=together + together.T)

    assert patcher.patch(PARTITIONS, predicted=patcher.known).arms.r2 < 0.5


@pytest.mark.parametrize(
    "scheme",
    [
        lambda seed: Partitions(repetitions=60, blocks=10, seed=seed),
        lambda seed: Inclusions(samples=600, probability=0.1, seed=seed),
    ],
    ids=["balanced", "independent"],
)
def test_bounds_cover_the_largest_effect_where_effects_add_up(scheme):
    """90 nodes, 600 sets, p = 0.1: at 99 % at least 95 of 100 times, and not for nothing."""
    covered, tightness = [], []
    for seed in range(100):
        own = some_effects(1, 90, seed) ** 3
        arms = Additive(own).patch(scheme(seed)).arms
        largest, _ = bound(arms, np.ones(90, bool), 0.99)
        covered.append(largest >= np.abs(own).max())
        tightness.append(largest / np.abs(own).max())

    assert sum(covered) >= 95
    assert np.median(tightness) < 1.5


def test_the_variance_of_balanced_partitions_is_corrected_by_the_number_of_blocks():
    """Without b / (b - 1), here 4 / 3, standard errors are too small."""
    own = some_effects(1, 60, seed=1)
    found, expected = [], []
    for seed in range(400):
        arms = Additive(own).patch(Partitions(repetitions=8, blocks=4, seed=seed)).arms
        error, _ = standard_errors(arms)
        found.append(arms.with_mean - arms.without_mean - own[0])
        expected.append(error**2)
    ratio = np.mean(np.square(found)) / np.mean(expected)

    # 400 x 60 estimates, of which some 400 x 4 are independent: 4 % is their spread.
    assert ratio == pytest.approx(1.0, abs=0.12)
    assert np.abs(np.mean(found, axis=0)).max() < 4 * np.sqrt(np.mean(expected) / 400)


# ---- searches


@SEARCHES
def test_every_candidate_is_visited_once_and_the_cost_grows(scheme):
    visits = Additive(some_effects(1, 26)).patch(scheme).visits

    assert sorted(visits.nodes.tolist()) == list(range(26))
    assert (np.diff(visits.spent) >= 0).all()
    assert visits.spent[0] >= 1


def test_blocks_of_one_node_are_exact_patching(three):
    found = three.patch(Blocks(size=1, seed=0))
    known = three.known

    for field, values in (("mean", known), ("mean_abs", np.abs(known))):
        expected = np.array(
            [np.nanmean(v) if (~np.isnan(v)).any() else np.nan for v in values.T]
        )
        np.testing.assert_allclose(flat(found.statistics, field), expected, rtol=1e-12)
    np.testing.assert_allclose(
        flat(found.statistics, "mean_square")[4], np.square(known[1:, 4]).sum() / 3
    )
    assert (found.visits.spent == 3 * three.candidates().any(0).sum()).all()


def test_a_node_counts_for_its_share_of_its_block():
    own = np.array([[1.0, 3.0, -0.5, -0.5], [1.0, 1.0, 0.5, 0.5]])
    found = Additive(own).patch(Blocks(size=4, seed=0)).statistics

    assert flat(found, "mean").tolist() == [0.75] * 4
    assert flat(found, "mean_square").tolist() == [0.5625] * 4


def test_blocks_are_visited_by_their_effects():
    own = some_effects(2, 12)
    patcher = Additive(own)
    visits = patcher.patch(BLOCKS).visits
    sizes = [abs(own[:, visits.nodes[i : i + 4]].sum(1).mean()) for i in (0, 4, 8)]

    assert sizes == sorted(sizes, reverse=True)
    assert len(patcher.runs) == 6
    assert visits.spent.tolist() == [6 + 2 * j for j in range(1, 13)]


def test_a_tree_ends_with_every_node_measured():
    own = some_effects(2, 26)
    patcher = Additive(own)
    found = patcher.patch(TREE)

    np.testing.assert_allclose(flat(found.statistics, "mean"), own.mean(0), rtol=1e-12)
    assert found.visits.spent[-1] == len(patcher.runs) == 2 * tree_sets(26, 2, 3, None)


def test_a_tree_opens_the_block_with_the_largest_effect_first():
    own = np.zeros((1, 27))
    own[0, 5], own[0, 20] = 1.0, -2.0
    visits = Additive(own).patch(TREE).visits

    # 3 blocks of 9, the 3 of 3 in one of them, then the single nodes of one of these; then the
    # other two of 3; then the block of 9 that has the other node.
    assert 20 in visits.nodes[:3]
    assert 5 in visits.nodes[9:12]
    assert visits.spent[:12].tolist() == [7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21]


@pytest.mark.parametrize("most", [1, 3, 4, 10])
def test_a_tree_that_stops_early_patches_less_and_visits_the_same(most):
    own = some_effects(2, 26)
    whole, part = Additive(own), Additive(own)
    everything = whole.patch(TREE).visits
    found = part.patch(Tree(levels=2, branching=3, most=most, seed=3))

    assert found.visits.nodes.tolist() == everything.nodes[:most].tolist()
    assert found.visits.spent.tolist() == everything.spent[:most].tolist()
    assert len(part.runs) == found.visits.spent[-1] <= 2 * tree_sets(26, 2, 3, most)
    visited = found.visits.nodes
    np.testing.assert_allclose(
        flat(found.statistics, "mean")[visited], own.mean(0)[visited], rtol=1e-12
    )
    assert np.isfinite(flat(found.statistics, "mean")).all()


def test_what_is_known_saves_the_single_nodes_of_a_tree(three):
    twice = Additive(three.own, three.exists(), three.candidates())
    measured, looked_up = three.patch(TREE), twice.patch(TREE, known=three.known)

    assert looked_up.visits.nodes.tolist() == measured.visits.nodes.tolist()
    assert looked_up.visits.spent.tolist() == measured.visits.spent.tolist()
    for field in ("mean", "mean_abs", "mean_square"):
        np.testing.assert_allclose(
            flat(looked_up.statistics, field), flat(measured.statistics, field), rtol=1e-12
        )
    singles = int(three.candidates().sum())
    blocks_of_one = [m for _, m in twice.runs if len(m) == 1]
    assert len(twice.runs) == len(three.runs) - singles
    assert len(blocks_of_one) < singles


def test_on_one_pair_brute_force_is_a_random_order():
    own = some_effects(1, 12)
    found = Additive(own).patch(OnePair(seed=3))

    np.testing.assert_array_equal(flat(found.statistics, "mean"), own[0])
    assert found.visits.spent.tolist() == list(range(1, 13))
    assert found.visits.nodes.tolist() != sorted(found.visits.nodes.tolist())


def test_on_several_pairs_brute_force_takes_turns_and_gives_no_order(three):
    found = three.patch(OnePair(seed=3))
    pairs = [pair for pair, _ in three.runs]

    assert found.visits is None
    assert len(three.runs) == three.candidates().any(0).sum()
    assert min(pairs.count(p) for p in range(3)) >= 4
    for pair, (node,) in three.runs:
        assert flat(found.statistics, "mean")[node] == three.own[pair, node]


def iterative(nodes, pairs, known):
    """The search, one patch at a time: pairs[i] is the order of nodes[i]."""
    n_pairs = pairs.shape[1]
    quota, spent, visits = -(-len(nodes) // n_pairs), 0, []
    left = list(range(len(nodes)))
    for done in range(1, n_pairs + 1):
        running = {}
        for i in left:
            spent += 1
            seen = [v for p in pairs[i, :done] if not np.isnan(v := known[p, nodes[i]])]
            running[i] = abs(np.mean(seen)) if seen else 0.0
            if done == n_pairs:
                visits.append((nodes[i], spent))
        if done == n_pairs:
            break
        for i in sorted(left, key=lambda i: -running[i])[:quota]:
            spent += n_pairs - done
            visits.append((nodes[i], spent))
            left.remove(i)
    return visits


def test_brute_force_over_several_pairs_is_what_patching_one_by_one_gives(three):
    first = Additive(three.own, three.exists(), three.candidates()).patch(OnePair(seed=3))
    found = three.patch(OnePair(seed=3), known=three.known)
    lot = np.random.default_rng(3)
    nodes = lot.permutation(np.flatnonzero(three.candidates().any(0)))
    turns = lot.permutation(np.arange(3))
    pairs = []
    for i, node in enumerate(nodes):
        mine = [turns[(i + k) % 3] for k in range(3)]
        pairs.append(sorted(mine, key=lambda p, n=node: not three.candidates()[p, n]))
    expected = iterative(nodes, np.array(pairs), three.known)

    assert list(zip(found.visits.nodes, found.visits.spent, strict=True)) == expected
    assert found.visits.spent[-1] == 3 * len(nodes)
    assert three.runs == []
    np.testing.assert_array_equal(
        flat(found.statistics, "mean"), flat(first.statistics, "mean")
    )


def test_a_shuffle_patches_nothing_and_its_order_is_that_of_its_estimates(three):
    found = three.patch(Shuffle(seed=3))
    scores = flat(found.statistics, "mean_abs")[found.visits.nodes]

    assert three.runs == []
    assert (np.diff(scores) < 0).all()
    assert scores[0] == 1.0
    assert scores[-1] > 0
    assert found.visits.spent.tolist() == [3 * j for j in range(1, len(scores) + 1)]


@ALL
def test_nothing_to_draw_from_is_no_mistake(scheme):
    patcher = Additive(some_effects(2, 6), live=np.zeros((2, 6), bool))
    found = patcher.patch(scheme)

    assert patcher.runs == []
    assert (flat(found.statistics, "mean") == 0).all()
    if found.visits is not None:
        assert len(found.visits.nodes) == len(found.visits.spent) == 0
