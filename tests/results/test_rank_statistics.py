from __future__ import annotations

import math
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atpdsl.results.rank_statistics import clopper_pearson_upper, mid_ranks, spearman


def ranks_by_counting(values):
    """A rank is one more than the smaller values and half of the other equal ones."""
    return [
        1 + sum(w < v for w in values) + (sum(w == v for w in values) - 1) / 2 for v in values
    ]


def pearson(a, b):
    a = [x - sum(a) / len(a) for x in a]
    b = [x - sum(b) / len(b) for x in b]
    scale = math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / scale


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_mid_ranks_are_those_by_counting(values):
    assert mid_ranks(np.array(values)).tolist() == ranks_by_counting(values)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_spearman_is_the_correlation_of_ranks(pairs):
    first, second = (list(side) for side in zip(*pairs, strict=True))
    found = spearman(np.array(first), np.array(second))

    if len(set(first)) == 1 or len(set(second)) == 1:
        assert found is None
    else:
        expected = pearson(ranks_by_counting(first), ranks_by_counting(second))
        assert found == pytest.approx(expected, abs=1e-12)  # a dozen additions of doubles


def test_spearman_of_the_same_order_is_one():
    assert spearman(np.array([1.0, 2.0, 5.0]), np.array([0.1, 7.0, 9.0])) == 1.0
    assert spearman(np.array([1.0, 2.0, 5.0]), np.array([9.0, 7.0, 0.1])) == -1.0


def test_spearman_needs_two_values():
    assert spearman(np.array([1.0]), np.array([1.0])) is None


@pytest.mark.parametrize(
    ("hits", "draws", "expected"),
    [
        (0, 20, 1 - 0.05 ** (1 / 20)),
        (0, 100, 0.029513049607037644),
        # Solutions of sum_{k <= hits} C(n, k) p^k (1 - p)^(n - k) = 0.05, from tables.
        (1, 20, 0.2161061641),
        (5, 100, 0.1022533776),
        (3, 10, 0.6066242161),
        (10, 10, 1.0),
        (0, 0, 1.0),
    ],
)
def test_the_bound_has_the_tabulated_values(hits, draws, expected):
    assert clopper_pearson_upper(hits, draws) == pytest.approx(expected, abs=1e-9)


def test_the_bound_is_close_to_the_rule_of_three_without_hits():
    assert clopper_pearson_upper(0, 300) == pytest.approx(3 / 300, rel=0.01)


def test_the_bound_refuses_impossible_counts():
    with pytest.raises(ValueError, match="3 hits in 2 draws"):
        clopper_pearson_upper(3, 2)


def test_the_bound_holds_for_nodes_drawn_without_replacement():
    """Every way to draw from up to 30 nodes, summed up exactly.

    For a sample without replacement the bound is a little wide, but for one case: where all
    of the sample but one are hits its confidence can fall to 94.9 %, from 59 nodes on.
    """
    for nodes in range(1, 31):
        for draws in range(1, nodes + 1):
            bounds = [int(clopper_pearson_upper(k, draws) * nodes) for k in range(draws + 1)]
            for hits in range(nodes + 1):
                ways = sum(
                    comb(hits, k) * comb(nodes - hits, draws - k)
                    for k in range(draws + 1)
                    if bounds[k] < hits
                )
                assert ways <= 0.05 * comb(nodes, draws), (nodes, draws, hits)
