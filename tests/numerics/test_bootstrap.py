"""Bootstrap intervals against resampling one node and one resample at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atpdsl.numerics import bootstrap
from atpdsl.numerics.bootstrap import mean_intervals

DRAW = np.random.default_rng(0)


def with_holes(pairs: int = 7, nodes: int = 11) -> np.ndarray:
    values = DRAW.normal(size=(pairs, nodes))
    values[DRAW.uniform(size=values.shape) < 0.2] = np.nan
    values[:2, 0] = 1.0, 2.0
    return values


def by_loops(values: np.ndarray, resamples: int, confidence: float, seed: int) -> np.ndarray:
    """[node, 2]: every resample written out as a list of pairs."""
    pairs, nodes = values.shape
    draws = np.random.default_rng(seed).multinomial(pairs, np.full(pairs, 1 / pairs), resamples)
    found = np.full((nodes, 2), np.nan)
    for node in range(nodes):
        if np.isfinite(values[:, node]).sum() < 2:
            continue
        means = []
        for draw in draws:
            chosen = [values[pair, node] for pair in range(pairs) for _ in range(draw[pair])]
            there = [value for value in chosen if not math.isnan(value)]
            means += [sum(there) / len(there)] if there else []
        tail = (1 - confidence) / 2
        found[node] = np.quantile(means, [tail, 1 - tail])
    return found


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_intervals_are_quantiles_of_resampled_means(confidence):
    values = with_holes()
    ends = mean_intervals(values, 200, confidence, seed=3)

    np.testing.assert_allclose(np.stack(ends, 1), by_loops(values, 200, confidence, 3))


def test_chunks_do_not_change_anything(monkeypatch):
    values = with_holes(nodes=50)
    whole = mean_intervals(values, 100, 0.9, seed=1)
    monkeypatch.setattr(bootstrap, "CHUNK", 300)

    np.testing.assert_array_equal(mean_intervals(values, 100, 0.9, seed=1), whole)


def test_the_seed_decides():
    values = DRAW.normal(size=(20, 3))
    first, again, other = (mean_intervals(values, 50, 0.9, seed=s) for s in (1, 1, 2))

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("present", [0, 1])
def test_a_node_in_fewer_than_two_pairs_has_no_interval(present):
    values = np.full((5, 2), np.nan)
    values[:, 1] = np.arange(5)
    values[:present, 0] = 1.0
    low, high = mean_intervals(values, 100, 0.9, seed=0)

    assert np.isnan([low[0], high[0]]).all()
    assert low[1] < 2 < high[1]


def test_equal_values_have_an_interval_without_width():
    low, high = mean_intervals(np.full((6, 1), 2.5), 100, 0.95, seed=0)

    assert (low[0], high[0]) == (2.5, 2.5)


def test_over_many_pairs_the_interval_is_that_of_a_normal_mean():
    """Its width is 2 * 1.96 standard errors; 2,000 resamples give it to some percent."""
    values = DRAW.normal(size=(400, 5))
    low, high = mean_intervals(values, 2000, 0.95, seed=0)
    error = values.std(axis=0, ddof=1) / math.sqrt(400)

    np.testing.assert_allclose(high - low, 2 * 1.96 * error, rtol=0.08)


def test_it_covers_the_true_mean_about_as_often_as_it_says():
    """1,000 samples of 60 pairs at 90%: the share has a standard error of 0.01."""
    values = DRAW.exponential(size=(60, 1000))
    low, high = mean_intervals(values, 400, 0.9, seed=0)

    assert 0.84 < np.mean((low < 1) & (high > 1)) < 0.93
