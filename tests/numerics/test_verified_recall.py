from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atpdsl.numerics.verified_recall import costs, costs_of_share, hits, irwrgm


def order_of(estimates):
    return np.argsort(-np.asarray(estimates, float), kind="stable")


def steps(count, before=0.0):
    return before + np.arange(1.0, count + 1)


def found_by_search(order, truth, spent, wanted):
    """C(K) as it is defined: the first j nodes have `wanted(K)` of some K largest."""
    costs = []
    for k in range(1, len(order) + 1):
        limit = sorted(truth, reverse=True)[k - 1]
        for j in range(1, len(order) + 1):
            first = [truth[n] for n in order[:j]]
            above = sum(t > limit for t in first)
            # Of those equal to the K-th only so many belong to the K largest.
            room = k - sum(t > limit for t in truth)
            if above + min(room, sum(t == limit for t in first)) >= wanted(k):
                costs.append(spent[j - 1])
                break
    return costs


# Kramar et al. 2024 define the mean; these three values were computed by hand from it.
@pytest.mark.parametrize(
    ("truth", "estimates", "before", "expected_costs", "expected"),
    [
        ((3, 2, 1), (2, 3, 1), 0, (2, 2, 3), 2 ** (6 / 11)),
        ((3, 2, 1), (2, 3, 1), 3, (5, 5, 6), 3.50362959184022),
        ((5, 4, 3, 2, 1), (5, 4, 3, 2, 1), 0, (1, 2, 3, 4, 5), 1.0),
        ((5, 4, 3, 2, 1), (1, 2, 3, 4, 5), 0, (5, 5, 5, 5, 5), 2.7305847606140965),
    ],
)
def test_small_cases(truth, estimates, before, expected_costs, expected):
    truth = np.array(truth, float)
    found = costs(order_of(estimates), truth, steps(len(truth), before))

    assert found.tolist() == list(expected_costs)
    assert irwrgm(found) == pytest.approx(expected, rel=1e-14)


def test_the_first_small_case_has_its_digits():
    found = costs(order_of((2, 3, 1)), np.array([3.0, 2.0, 1.0]), steps(3))

    assert irwrgm(found) == pytest.approx(1.4594801056814461, rel=1e-15)


@settings(deadline=None, max_examples=60)  # the machine may be busy
@given(st.data())
def test_costs_are_those_by_search(data):
    size = data.draw(st.integers(1, 9))
    truth = np.array(
        data.draw(st.lists(st.integers(0, 4), min_size=size, max_size=size)), float
    )
    order = np.array(data.draw(st.permutations(range(size))))
    spent = np.cumsum(data.draw(st.lists(st.integers(1, 3), min_size=size, max_size=size)))

    found = costs(order, truth, spent.astype(float))
    nearly = costs_of_share(order, truth, spent.astype(float))

    assert found.tolist() == found_by_search(order, truth, spent, lambda k: k)
    # For some K largest among equals: those that are found first.
    assert nearly.tolist() == found_by_search(
        order, truth, spent, lambda k: math.ceil(9 * k / 10)
    )


def test_ninety_percent_of_ten_are_nine():
    # The second largest of all is verified last.
    order = np.array([0, *range(2, 20), 1])
    found = costs_of_share(order, -np.arange(20.0), steps(20))

    assert found[9] == 9
    assert found[8] == 20


def test_recall_counts_the_largest_among_the_first():
    truth = np.array([9.0, 8, 7, 6, 0, 0])

    assert hits(np.array([0, 4, 1, 2, 3, 5]), truth, 3) == 2
    assert hits(np.array([3, 2, 1, 0, 4, 5]), truth, 1) == 0
    # Of equal nodes those count that were found.
    assert hits(np.array([0, 1, 2, 3, 5, 4]), truth, 5) == 5


def test_an_order_must_have_every_node_once():
    for order in ([0, 0, 1], [0, 1]):
        with pytest.raises(ValueError, match="every node once"):
            costs(np.array(order), np.array([1.0, 2.0, 3.0]), steps(3))
    with pytest.raises(ValueError, match="nothing to average"):
        irwrgm(np.array([]))


def test_fifty_thousand_nodes_take_well_under_a_second():
    draw = np.random.default_rng(0)
    truth, order = draw.random(50_000), draw.permutation(50_000)

    began = time.process_time()
    found = costs(order, truth, steps(50_000))
    irwrgm(found), irwrgm(costs_of_share(order, truth, steps(50_000)))

    assert time.process_time() - began < 1.0
