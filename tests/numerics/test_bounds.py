"""Upper bounds: against a search with the test itself, and where nothing can be said."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from atpdsl.numerics.bounds import bound, standard_errors, upper_bounds
from atpdsl.numerics.student import t_tail


def arms(*nodes, blocks=None, candidates=None):
    """Arms of nodes, each (values with, values without)."""
    return SimpleNamespace(
        with_count=np.array([len(w) for w, _ in nodes]),
        with_mean=np.array([np.mean(w) if len(w) else np.nan for w, _ in nodes]),
        with_variance=np.array([variance(w) for w, _ in nodes]),
        without_count=np.array([len(wo) for _, wo in nodes]),
        without_mean=np.array([np.mean(wo) if len(wo) else np.nan for _, wo in nodes]),
        without_variance=np.array([variance(wo) for _, wo in nodes]),
        blocks=blocks,
        candidates=np.ones(len(nodes), dtype=bool) if candidates is None else candidates,
    )


def variance(values):
    return np.var(values, ddof=1) if len(values) > 1 else np.nan


@dataclass
class Samples:
    """Values of both arms of a node."""

    seed: int
    shift: float = 0.7
    sizes: tuple[int, int] = (12, 40)
    values: tuple = field(init=False)

    def __post_init__(self):
        lot = np.random.default_rng(self.seed)
        self.values = (
            lot.normal(self.shift, 1.0, self.sizes[0]),
            lot.normal(0.0, 0.5, self.sizes[1]),
        )


def searched(with_values, without_values, confidence):
    """The smallest theta that the one-sided Welch test rejects, by bisection."""
    s = variance(with_values) / len(with_values), variance(without_values) / len(without_values)
    welch = sum(s)
    nu = welch**2 / (s[0] ** 2 / (len(with_values) - 1) + s[1] ** 2 / (len(without_values) - 1))
    difference = abs(np.mean(with_values) - np.mean(without_values))
    low, high = difference + 1e-12, difference + 1000 * welch**0.5
    for _ in range(200):
        theta = (low + high) / 2
        p = t_tail((theta - difference) / welch**0.5, nu)
        low, high = (theta, high) if p > 1 - confidence else (low, theta)
    return high


@pytest.mark.parametrize("confidence", [0.9, 0.99, 0.999])
@pytest.mark.parametrize("sizes", [(2, 2), (2, 50), (12, 40), (300, 9)])
def test_the_closed_form_is_where_the_test_begins_to_reject(confidence, sizes):
    samples = [Samples(seed, shift, sizes).values for seed, shift in ((0, 0.7), (1, -2.0))]
    found = upper_bounds(arms(*samples), confidence)

    expected = [searched(*one, confidence) for one in samples]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_blocks_of_a_partition_make_the_standard_error_larger():
    plain, _ = standard_errors(arms(Samples(0).values))
    balanced, _ = standard_errors(arms(Samples(0).values, blocks=4))

    np.testing.assert_allclose(balanced**2, plain**2 * 4 / 3, rtol=1e-12)


def test_the_bound_is_the_largest_one_and_names_its_node():
    three = arms(Samples(0).values, Samples(1, 5.0).values, Samples(2).values)
    theta = upper_bounds(three, 0.99)

    assert bound(three, np.array([True, True, True]), 0.99) == (theta[1], 1)
    assert bound(three, np.array([True, False, False]), 0.99) == (theta[0], 0)


def test_a_node_in_fewer_than_two_sets_leaves_nothing_to_say():
    for few in ([], [1.0]):
        one = arms(Samples(0).values, (few, [0.0, 1.0]), Samples(1).values)

        assert np.isnan(upper_bounds(one, 0.9)).tolist() == [False, True, False]
        assert bound(one, np.ones(3, bool), 0.9) == (None, 1)
        assert bound(one, np.array([True, False, True]), 0.9)[0] is not None


def test_nodes_that_are_no_candidates_are_zero():
    one = arms(Samples(0).values, ([], []), candidates=np.array([True, False]))

    assert upper_bounds(one, 0.9)[1] == 0.0
    assert bound(one, np.array([True, True]), 0.9)[1] == 0
    assert bound(one, np.array([False, True]), 0.9) == (0.0, None)


def test_nothing_unmeasured_is_bounded_by_zero():
    assert bound(arms(Samples(0).values), np.array([False]), 0.9) == (0.0, None)


def test_values_that_do_not_vary_bound_exactly():
    one = arms(([2.0, 2.0], [0.5, 0.5, 0.5]), ([0.0, 0.0], [0.0, 0.0]))

    assert upper_bounds(one, 0.999).tolist() == [1.5, 0.0]


def test_tiny_variances_keep_their_degrees_of_freedom():
    with_values, without_values = Samples(0).values
    large = standard_errors(arms((with_values, without_values)))
    small = standard_errors(arms((with_values * 1e-120, without_values * 1e-120)))

    np.testing.assert_allclose(small[1], large[1], rtol=1e-9)
    np.testing.assert_allclose(small[0], large[0] * 1e-120, rtol=1e-9)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 2.0])
def test_what_is_no_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match="probability"):
        upper_bounds(arms(Samples(0).values), confidence)
