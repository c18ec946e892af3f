"""Quantiles of Student's t against closed forms and against mpmath."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from atpdsl.numerics.student import normal_quantile, t_quantile, t_quantiles, t_tail

PROBABILITIES = (0.6, 0.9, 0.95, 0.99, 0.999, 0.999999)
DEGREES = (1.0, 1.3, 2.0, 3.7, 9.0, 9.7, 30.0, 99.5, 1000.0)


def exact_tail(t: float, nu: float) -> float:
    """P(T > t), by another implementation in 30 digits."""
    with mpmath.workdps(30):
        x = nu / (nu + mpmath.mpf(t) ** 2)
        half, a = mpmath.mpf(1) / 2, mpmath.mpf(nu) / 2
        return mpmath.betainc(a, half, 0, x, regularized=True) / 2


@pytest.mark.parametrize("nu", DEGREES)
@pytest.mark.parametrize("t", [1e-3, 0.3, 1.0, 4.0, 60.0])
def test_tails_agree_with_mpmath(t, nu):
    assert t_tail(t, nu) == pytest.approx(float(exact_tail(t, nu)), rel=1e-11)


@pytest.mark.parametrize("nu", [*DEGREES, 123456.0])
@pytest.mark.parametrize("probability", PROBABILITIES)
def test_quantiles_have_their_probability(probability, nu):
    tail = 1 - probability
    for t in (t_quantile(probability, nu), float(t_quantiles(probability, np.array(nu)))):
        # d log(tail) = -t density / tail * d log(t), a factor of 1 to 30 here.
        assert float(exact_tail(t, nu)) == pytest.approx(tail, rel=3e-9)


def test_many_quantiles_are_single_quantiles():
    nu = 1 + np.random.default_rng(0).exponential(20, size=50)
    for probability in (0.05, 0.9, 0.999):
        single = [t_quantile(probability, n) for n in nu]
        np.testing.assert_allclose(t_quantiles(probability, nu), single, rtol=1e-9)


def test_closed_forms_for_one_and_two_degrees_of_freedom():
    for p in PROBABILITIES:
        u = 2 * p - 1
        assert t_quantile(p, 1) == pytest.approx(1 / math.tan(math.pi * (1 - p)), rel=1e-11)
        assert t_quantile(p, 2) == pytest.approx(u / math.sqrt(2 * p * (1 - p)), rel=1e-11)


def test_infinitely_many_degrees_of_freedom_are_the_normal_distribution():
    for p in (0.01, *PROBABILITIES):
        found = t_quantiles(p, np.array([np.inf]))[0]
        assert found == pytest.approx(normal_quantile(p), rel=1e-10)
    assert normal_quantile(0.975) == pytest.approx(1.959963984540054, rel=1e-12)


def test_quantiles_are_symmetric_and_zero_in_the_middle():
    nu = np.array([1.0, 7.5, np.inf])
    np.testing.assert_allclose(t_quantiles(0.01, nu), -t_quantiles(0.99, nu), rtol=1e-12)
    assert t_quantile(0.01, 7.5) == pytest.approx(-t_quantile(0.99, 7.5), rel=1e-12)
    assert t_quantile(0.5, 7.5) == 0.0
    assert (t_quantiles(0.5, nu) == 0.0).all()


def test_nan_stays_nan():
    for p in (0.5, 0.9):
        found = t_quantiles(p, np.array([np.nan, 3.0]))
        assert np.isnan(found[0])
        assert np.isfinite(found[1])


@pytest.mark.parametrize("probability", [0.0, 1.0, -1.0, math.nan])
def test_what_is_no_probability_is_refused(probability):
    for quantile in (normal_quantile, lambda p: t_quantile(p, 3), lambda p: many(p, 3)):
        with pytest.raises(ValueError, match="probability"):
            quantile(probability)


def many(p: float, nu: float) -> float:
    return float(t_quantiles(p, np.array([nu]))[0])


@pytest.mark.parametrize("quantile", [t_quantile, many])
def test_fewer_than_one_degree_of_freedom_is_refused(quantile):
    with pytest.raises(ValueError, match="degree"):
        quantile(0.9, 0.99)
