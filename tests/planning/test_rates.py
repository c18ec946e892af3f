from __future__ import annotations

import pytest

from atpdsl.planning.rates import ELEMENT, LARGEST_FACTOR, Rates, assumed, at
from atpdsl.planning.work import Kind, Work

CURVE = ((100.0, 2.0), (200.0, 3.0), (400.0, 7.0))
RATES = Rates(curves=dict.fromkeys(Kind, CURVE), measured=True)


@pytest.mark.parametrize(
    ("load", "seconds"),
    [(1, 2.0), (100, 2.0), (150, 2.5), (200, 3.0), (300, 5.0), (400, 7.0), (500, 9.0)],
)
def test_between_measurements_time_grows_on_straight_lines(load, seconds):
    assert at(CURVE, load) == pytest.approx(seconds)


def test_a_curve_that_ends_flat_still_grows():
    """A last measurement that was disturbed must not make all larger work free."""
    assert at(((100.0, 5.0), (200.0, 5.0)), 2000.0) > 10.0


def test_calls_are_paid_one_by_one():
    few = RATES.seconds(Work(kind=Kind.FORWARD, flops=400, calls=1), "activations")
    many = RATES.seconds(Work(kind=Kind.FORWARD, flops=400, calls=4), "activations")

    assert (few, many) == (7.0, 8.0)


def test_what_comes_on_top_has_no_calls_of_its_own():
    work = Work(kind=Kind.BACKWARD, flops=40, elements=2)

    assert RATES.seconds(work, "gradients") == pytest.approx((40 + 2 * ELEMENT) * 4 / 200)


def test_a_first_run_sets_the_correction_and_later_ones_move_it():
    once = RATES.corrected({"patching": 2.0}, {"patching": 4.0})
    work = Work(kind=Kind.PATCHED, flops=200, calls=1)

    assert once.seconds(work, "patching") == pytest.approx(6.0)
    assert once.seconds(work, "gradients") == pytest.approx(3.0)
    twice = once.corrected({"patching": 4.0}, {"patching": 1.0})
    # Half way, as a ratio, from 2 to 0.5.
    assert twice.factors["patching"] == pytest.approx(1.0)
    assert twice.runs == 2


def test_a_correction_comes_near_the_truth_within_a_few_runs():
    rates = RATES.corrected({"gradients": 1.0}, {"gradients": 10.0})
    for _ in range(4):
        said = rates.factors["gradients"]
        rates = rates.corrected({"gradients": said}, {"gradients": 1.5})

    assert rates.factors["gradients"] == pytest.approx(1.5, rel=0.25)


def test_nothing_is_corrected_beyond_reason_or_by_nothing():
    rates = RATES.corrected({"a": 1.0, "b": 0.0}, {"a": 1e9, "b": 1.0, "c": 2.0})

    assert rates.factors == {"a": LARGEST_FACTOR}


def test_before_anything_is_measured_rates_are_assumed():
    one, two = (assumed("native", "cpu", threads) for threads in (1, 2))
    work = Work(kind=Kind.FORWARD, flops=10**12, calls=12)

    assert not one.calibrated
    assert one.seconds(work, "") > two.seconds(work, "") > 0
    slow = assumed("bridge", "cpu", 1).seconds(Work(kind=Kind.FORWARD, flops=1, calls=12), "")
    assert slow > one.seconds(Work(kind=Kind.FORWARD, flops=1, calls=12), "")
    assert assumed("native", "cuda:1", 1).seconds(work, "") < two.seconds(work, "")
    assert one.corrected({"a": 1.0}, {"a": 1.0}).calibrated
