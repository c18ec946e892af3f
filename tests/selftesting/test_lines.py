"""Slopes by finite differences, and what rounding does to them."""

from __future__ import annotations

import math

import pytest

from atpdsl.selftesting.lines import LARGEST_STEP, extrapolated


def central(function, steps=8, noise=0.0):
    """Central differences of a function at 0, with a rounding of alternating sign."""
    found = []
    for halving in range(steps):
        h = LARGEST_STEP / 2**halving
        found.append((function(h) - function(-h) + (-1) ** halving * noise) / (2 * h))
    return found


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda t: 3 * t - 2 * t**2 + t**3 - 7 * t**5, 3.0),
        (math.sin, 1.0),
        (lambda t: math.tanh(4 * t), 4.0),
        (lambda t: 1 / (1 + math.exp(-8 * (t - 0.5))), 8 * 0.017662706213291107),
    ],
)
def test_smooth_functions_have_their_slope(function, slope):
    found = extrapolated(central(function, 10))

    assert found.value == pytest.approx(slope, rel=1e-9)
    assert abs(found.value - slope) <= max(found.uncertainty, 1e-13)


def test_rounding_is_seen_in_the_uncertainty():
    found = extrapolated(central(lambda t: math.tanh(4 * t), noise=1e-4))

    assert found.uncertainty > 1e-5
    assert abs(found.value - 4) <= 3 * found.uncertainty


def test_a_jump_has_no_slope_that_one_could_be_certain_of():
    found = extrapolated(central(lambda t: float(t > 0)))

    assert found.uncertainty > 1


def test_large_steps_that_agree_by_accident_are_not_believed():
    """Central differences of a real query; the first rows agree on -29.106."""
    found = extrapolated([-27.7928, -28.7781, -29.0242, -29.0697, -29.0787, -29.0806, -29.0800])

    assert found.value == pytest.approx(-29.081, abs=2e-3)
