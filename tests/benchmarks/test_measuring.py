"""The clockwork of benchmarks."""

from __future__ import annotations

import pytest

from benchmarks.apart import contest_apart
from benchmarks.measuring import Measured, Ratio, contest
from benchmarks.scaling import exponent


def test_every_round_runs_everybody_and_begins_with_another_one():
    ran = []
    contestants = {name: (lambda name=name: ran.append(name)) for name in "abc"}

    times = contest(contestants, 3, warm=1)

    assert [len(one.seconds) for one in times.values()] == [3, 3, 3]
    rounds = ["".join(ran[start : start + 3]) for start in range(0, 12, 3)]
    assert rounds == ["cab", "abc", "bca", "cab"]


def busy(name):
    """Contestant `b` does ten times the work of `a`; must be found by name in a new process."""
    times = {"a": 1, "b": 10}[name]
    return lambda: sum(range(times * 1_000_000))


@pytest.mark.slow
def test_contestants_may_have_a_process_each():
    times = contest_apart(busy, ("a", "b"), 3)

    assert [len(one.seconds) for one in times.values()] == [3, 3]
    assert times["b"].over(times["a"]).median > 3


def test_ratios_are_taken_round_by_round():
    fast = Measured(name="fast", seconds=(1.0, 10.0, 1.0))
    slow = Measured(name="slow", seconds=(2.0, 20.0, 4.0))

    assert slow.over(fast) == Ratio(median=2.0, low=2.0, high=3.0)
    assert fast.over(fast) == Ratio(median=1.0, low=1.0, high=1.0)


def test_one_round_has_no_spread():
    assert Ratio.of([3.0]) == Ratio(median=3.0, low=3.0, high=3.0)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(power):
    costs = {size: 3 * size**power for size in (8, 32, 128)}

    assert exponent(costs) == pytest.approx(power)
