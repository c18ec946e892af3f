"""Rows of a self-test: what passes, what fails, what says nothing."""

from __future__ import annotations

import math

import pytest

from atpdsl.selftesting.checks import Check, Compared, Part, SelfTest, Verdict, judged


def row(*compared: Compared, relative: float = 0.1, rounding: float = 0.0) -> Check:
    return judged("a check", "mlp", compared, relative=relative, rounding=rounding)


def test_what_is_allowed_grows_with_the_largest_number():
    check = row(Compared("a", 10.5, 10.0), Compared("b", 0.9, 0.1), rounding=0.25)

    assert check.allowed == pytest.approx(1.25)
    assert check.error == pytest.approx(0.8)
    assert check.worst == "b"
    assert check.verdict is Verdict.OK


def test_an_error_at_the_limit_passes_and_one_beyond_it_fails():
    assert row(Compared("a", 1.5, 1.0), relative=0.5).verdict is Verdict.OK
    assert row(Compared("a", 1.75, 1.0), relative=0.5).verdict is Verdict.FAIL


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_number_that_is_not_finite_fails(bad):
    check = row(Compared("a", 1.0, 1.0), Compared("b", bad, 1.0), Compared("c", 9.0, 1.0))

    assert check.verdict is Verdict.FAIL
    assert check.worst == "b"


def test_a_twin_that_is_not_finite_fails():
    assert row(Compared("a", 1.0, math.nan)).verdict is Verdict.FAIL


def test_a_twin_that_is_too_coarse_is_left_out():
    check = row(Compared("a", 5.0, 1.0, uncertainty=0.06), Compared("b", 1.0, 1.0))

    assert (check.numbers, check.unclear, check.error) == (1, 1, 0.0)
    assert check.verdict is Verdict.OK


def test_a_check_that_says_nothing_is_unclear():
    check = row(Compared("a", 5.0, 1.0, uncertainty=math.inf))

    assert (check.numbers, check.unclear) == (0, 1)
    assert check.verdict is Verdict.UNCLEAR


def test_a_self_test_is_good_if_nothing_failed():
    good, unclear = row(Compared("a", 1.0, 1.0)), row(Compared("a", 5.0, 1.0, math.inf))
    bad = row(Compared("a", 5.0, 1.0))

    def whole(*checks: Check) -> SelfTest:
        part = Part(title="tiny", dtype="float32", device="cpu", checks=checks)
        return SelfTest(parts=(part,), seed=0, seconds=1.0)

    assert whole(good, unclear).ok
    assert not whole(good, bad, unclear).ok
    assert whole(good, bad).failed == (bad,)
