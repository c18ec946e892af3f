"""Quantiles of Student's t distribution, in numpy and the standard library alone.

A single quantile is found by Newton's method on the logarithm of the tail, which is a
regularised incomplete beta function (Abramowitz and Stegun 1964, 26.7.1), computed by its
continued fraction (26.5.8) with the modified Lentz algorithm. Many quantiles at one
probability are read off a Chebyshev interpolant in 1/nu: log t is smooth there, and nodes
differ in their degrees of freedom only.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.chebyshev import Chebyshev

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# The interpolant is then right to 1e-11 of itself from 1 degree of freedom on.
DEGREE = 48
STEPS = 200
TINY = 1e-300


def normal_quantile(probability: float) -> float:
    """The standard normal quantile.

    Raises:
        ValueError: when `probability` is not in (0, 1).
    """
    _check(probability)
    return NormalDist().inv_cdf(probability)


def t_quantile(probability: float, nu: float) -> float:
    """The `probability` quantile of Student's t with `nu` >= 1 degrees of freedom.

    Accurate to 1e-11 of itself up to 1,000 degrees of freedom, to 1e-8 up to a million.

    Raises:
        ValueError: when `probability` is not in (0, 1) or `nu` is below 1.
    """
    _check(probability)
    if not nu >= 1:
        raise ValueError(f"{nu} degrees of freedom")
    if probability == 0.5:
        return 0.0
    if probability < 0.5:
        return -_upper_quantile(1 - probability, probability, nu)
    return _upper_quantile(probability, 1 - probability, nu)


def t_quantiles(probability: float, nu: Floats) -> Floats:
    """`t_quantile` for many degrees of freedom at once; nan stays nan, inf is the normal.

    Accurate to 1e-10 of itself for every `nu` >= 1.

    Args:
        probability: in (0, 1).
        nu: any shape.

    Raises:
        ValueError: when `probability` is not in (0, 1) or some `nu` is below 1.
    """
    _check(probability)
    if (nu < 1).any():
        raise ValueError("fewer than 1 degree of freedom")
    if probability == 0.5:
        return np.where(np.isnan(nu), np.nan, 0.0)
    sign, upper = (1.0, probability) if probability > 0.5 else (-1.0, 1 - probability)
    found: Floats = sign * np.exp(_log_quantile(upper)(1.0 / nu))
    return found


def t_tail(t: float, nu: float) -> float:
    """P(T > t) for Student's t with `nu` degrees of freedom and t > 0."""
    a, x = nu / 2, nu / (nu + t * t)
    log_front = (
        math.lgamma(a + 0.5)
        - math.lgamma(a)
        - math.lgamma(0.5)
        - a * math.log1p(t * t / nu)
        + 0.5 * math.log(t * t / (nu + t * t))
    )
    front = math.exp(log_front)
    if x < (a + 1) / (a + 2.5):
        return 0.5 * front * _continued_fraction(x, a, 0.5) / a
    return 0.5 - 0.5 * front * _continued_fraction(1 - x, 0.5, a) / 0.5


def _check(probability: float) -> None:
    if not 0 < probability < 1:
        raise ValueError(f"{probability} is not a probability in (0, 1)")


def _log_quantile(upper: float) -> Chebyshev:
    """The logarithm of t as a function of 1/nu in [0, 1]."""
    at = np.vectorize(lambda x: math.log(_upper_quantile(upper, 1 - upper, 1.0 / x)))
    return Chebyshev.interpolate(at, DEGREE, domain=[0, 1])


def _upper_quantile(probability: float, tail: float, nu: float) -> float:
    """Where P(T > t) = tail = 1 - probability, for probability > 0.5.

    In log t the logarithm of the tail is concave and falls, so Newton's method converges from
    anywhere: its first step leads beyond the root, all others back towards it.
    """
    s = math.log(NormalDist().inv_cdf(probability))
    for _ in range(STEPS):
        t = math.exp(s)
        here = t_tail(t, nu)
        step = math.log(here / tail) * here / (t * _density(t, nu))
        s += step
        if abs(step) < 1e-14:
            break
    return math.exp(s)


def _density(t: float, nu: float) -> float:
    log_density = (
        math.lgamma((nu + 1) / 2)
        - math.lgamma(nu / 2)
        - 0.5 * math.log(nu * math.pi)
        - (nu + 1) / 2 * math.log1p(t * t / nu)
    )
    return math.exp(log_density)


def _continued_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function (modified Lentz)."""
    c, d = 1.0, 1.0 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, STEPS + 1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _not_zero(number: float) -> float:
    return number if abs(number) > TINY else TINY
