"""The order in which nodes are found, and what that costs, on outcomes made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atpdsl.results.compare_methods import compare_methods
from atpdsl.results.comparison import TopRecall, Truth
from tests.results.compared import estimation, everywhere, method, outcome


def only(*methods, cost=None, candidates=None, truth=Truth.MEAN_ABS):
    """The single estimate of an outcome, compared."""
    count = sum(len(s) for s in methods[0].sets)
    labels = [m.call.label for m in methods if not m.exact]
    _, (found,) = compare_methods(
        outcome(*methods),
        dict.fromkeys(labels, cost or estimation()),
        candidates or everywhere(count),
        truth,
    )
    return found


def test_a_perfect_estimate_costs_what_it_cost_to_make():
    found = only(method([5, 4, 3, 2, 1]), method([50, 40, 30, 20, 10], "ap", "ap"))

    assert found.estimation == 4.0
    assert found.curve.k == (1, 2, 3, 4, 5)
    assert found.curve.cost == (5, 6, 7, 8, 9)
    weights = [1 / k for k in range(1, 6)]
    mean = sum(w * math.log((4 + k) / k) for k, w in enumerate(weights, 1)) / sum(weights)
    assert found.irwrgm == pytest.approx(math.exp(mean))
    assert found.spearman == 1.0
    assert found.recall == (TopRecall(top=5, hits=5, of=5),)


def test_a_node_that_is_found_late_is_paid_for():
    # The largest effect has the smallest estimate.
    found = only(method([1, 5, 4, 3, 2]), method([9, 8, 7, 6, 5], "ap", "ap"))

    assert found.curve.cost == (9, 9, 9, 9, 9)
    # Nine tenths of at most five nodes are all of them.
    assert found.curve.cost_90 == found.curve.cost


def test_a_search_says_its_own_way_and_its_own_costs():
    # [order, sequences spent]: two sets in each of four pairs come first.
    visits = ([2, 0, 1, 3], [12, 16, 30, 34])
    search = method([0, 0, 0, 0], "blocks", "blocks", visits=visits)
    found = only(search, method([9, 3, 8, 1], "ap", "ap"), cost=estimation(runs=2.0, sets=99.0))

    assert found.curve.cost == (2 + 16 / 4, 2 + 16 / 4, 2 + 30 / 4, 2 + 34 / 4)
    assert found.estimation == 2 + 12 / 4 - 1
    assert found.baseline


def test_what_a_search_does_not_come_to_is_measured_after_it():
    search = method([4, 9, 1, 2], "blocks", "blocks", visits=([2], [8]))
    found = only(search, method([4, 3, 2, 1], "ap", "ap"), cost=estimation(2.0, 5.0))

    # First node 2, then 1, 0, 3 by their estimates, when all sets have been paid.
    assert found.curve.cost == (9, 9, 9, 10)


def test_an_estimate_that_is_missing_comes_last():
    found = only(
        method([np.nan, 3, 2, 1], "sub", "subsampling"),
        method([9, 1, 2, 3], "ap", "ap"),
        cost=estimation(2, 10),
    )

    assert found.curve.cost[0] == 2 + 10 + 4


def test_nodes_that_cannot_matter_do_not_count():
    exact = method([0, 5, 4, 3], "ap", "ap")
    found = only(method([9, 3, 2, 1]), exact, candidates=everywhere(4, without=[0]))

    assert found.curve.cost == (5, 6, 7)
    (record,), _ = compare_methods(
        outcome(exact), {}, everywhere(4, without=[0]), Truth.MEAN_ABS
    )
    assert (record.candidates, record.without_effect, record.largest) == (3, 0, 5.0)


def test_a_node_that_no_pair_has_is_not_compared():
    found = only(method([9, np.nan, 2, 1]), method([9, np.nan, 2, 1], "ap", "ap"))

    assert found.curve.k == (1, 2, 3)


def test_recall_is_of_nodes_that_have_an_effect():
    effects = [0.0] * 30 + [3, 2, 1]
    perfect = only(method([0.0] * 30 + [3, 2, 1]), method(effects, "ap", "ap"))
    blind = only(method([1.0] * 30 + [0, 0, 0]), method(effects, "ap", "ap"))

    assert perfect.recall == (
        TopRecall(top=10, hits=3, of=3),
        TopRecall(top=20, hits=3, of=3),
    )
    assert [r.hits for r in blind.recall] == [0, 0]
    assert blind.curve.cost[0] == 4 + 31


def test_rounding_is_no_effect():
    effects = [7.0, 1e-3, 3e-6, 6e-5, 0, 2e-6]
    exact = method(effects, "ap", "ap")
    found = only(method([6, 5, 0, 4, 0, 0]), exact)
    (record,), _ = compare_methods(outcome(exact), {}, everywhere(6), Truth.MEAN_ABS)

    assert record.without_effect == 4
    # None of those four has to be found before the others.
    assert found.curve.cost == (5, 6, 7, 8, 9, 10)
    assert found.spearman == 1.0


@pytest.mark.parametrize(
    ("truth", "first"), [(Truth.ABS_MEAN, (6.0, 6.0)), (Truth.MEAN_ABS, (5.0, 6.0))]
)
def test_the_truth_says_whether_pairs_of_opposite_signs_cancel(truth, first):
    # Node 0 has effects of size 9 whose mean is 1; node 1 always has -5.
    exact = method([9, 5, 0.5], "ap", "ap", means=[1, -5, 0.1])

    assert only(method([3, 2, 1]), exact, truth=truth).curve.cost[:2] == first


def test_methods_are_compared_with_the_truth_of_their_direction():
    _, found = compare_methods(
        outcome(
            method([1, 2, 3], "there"),
            method([1, 2, 3], "back", direction="denoising"),
            method([3, 2, 1], "ap", "ap"),
            method([1, 2, 3], "ap_back", "ap", direction="denoising"),
        ),
        {"there": estimation(), "back": estimation()},
        everywhere(3),
        Truth.MEAN_ABS,
    )

    assert [(one.label, one.truth) for one in found] == [("back", "ap_back"), ("there", "ap")]
    assert found[0].spearman == 1.0
    assert found[1].spearman == -1.0


def test_without_the_truth_nothing_is_compared():
    with pytest.raises(ValueError, match="were not measured"):
        compare_methods(outcome(method([1, 2])), {}, everywhere(2), Truth.MEAN_ABS)


def test_a_long_curve_has_points_close_enough_to_draw():
    draw = np.random.default_rng(0)
    effects = draw.random(3000)
    found = only(method(draw.random(3000)), method(effects, "ap", "ap"))
    k = np.array(found.curve.k)

    assert k[0] == 1
    assert k[-1] == 3000
    assert {10, 20, 50, 100} <= set(k.tolist())
    assert len(k) < 400
    assert (k[1:] / k[:-1])[60:].max() < 1.06
