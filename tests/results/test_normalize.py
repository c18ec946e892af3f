"""Normalized results: every number divided by the mean gap, and nothing else changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atpdsl.planning.outcome import EXTRA, Outcome
from atpdsl.problems import RunError, Span
from atpdsl.results.bounds import bound_records, sampling_of
from atpdsl.results.normalize import _DIVIDED, _SIGNS, mean_gap, normalized
from atpdsl.results.result import Result
from atpdsl.results.scores import Wanted, score_table
from atpdsl.semantics.experiment import VerifyCall
from tests.results.raw import EVERYTHING, diagnosed
from tests.results.samples import NOWHERE, experiment, outcome, result

HERE = Span(3, 9)
# By the divisor: an absolute value is divided by the gap's size.
SIGNED = ("signed", "effect")
ABSOLUTE = ("estimate", "effect_abs", "score")
UNTOUCHED = (
    "method",
    "kind",
    "layer",
    "index",
    "position",
    "token",
    "verified",
    "pairs",
    "rank",
)


def with_metric(clean: list[float], corrupted: list[float], *, exact: bool = False) -> Outcome:
    pairs = len(clean)
    kept = np.random.default_rng(1)
    plain = outcome(exact=exact)
    methods = tuple(
        replace(
            method, per_pair=tuple(kept.normal(size=(pairs, *s.shape)) for s in method.sets)
        )
        for method in plain.methods
    )
    verified = tuple(
        replace(one, per_pair=kept.normal(size=(pairs, len(one.nodes))))
        for one in plain.verified
    )
    return replace(
        plain,
        methods=methods,
        verified=verified,
        clean_metric=np.array(clean),
        corrupted_metric=np.array(corrupted),
    )


# Mean gap 5, of pairs with unequal gaps; and the same the other way round.
UP = with_metric([3.0, 2.5, 3.5], [-3.0, -2.0, -1.0])
DOWN = replace(UP, clean_metric=UP.corrupted_metric, corrupted_metric=UP.clean_metric)
EXACT = with_metric([3.0, 2.5, 3.5], [-3.0, -2.0, -1.0], exact=True)


def run(computed: Outcome, *, normalize: bool) -> Result:
    verify = VerifyCall(top=4, random=2, methods=("atp",), span=NOWHERE)
    asked = experiment(verify=verify)
    asked = replace(
        asked,
        metric=replace(asked.metric, normalize=normalize),
        run=replace(asked.run, per_pair=True),
    )
    return result(computed, experiment=asked)


def both(computed: Outcome) -> tuple[Result, Result]:
    return run(computed, normalize=False), run(computed, normalize=True)


def column(one: Result, name: str) -> np.ndarray:
    return np.array(one.table[name].to_pylist(), dtype=np.float64)


@pytest.mark.parametrize(
    ("computed", "gap"), [(UP, 5.0), (DOWN, -5.0), (EXACT, 5.0)], ids=["up", "down", "exact"]
)
def test_every_score_is_divided_by_the_mean_gap(computed, gap):
    plain, share = both(computed)

    for name in SIGNED:
        np.testing.assert_allclose(column(share, name), column(plain, name) / gap)
    for name in ABSOLUTE:
        np.testing.assert_allclose(column(share, name), column(plain, name) / abs(gap))
    for name in UNTOUCHED:
        assert share.table[name].to_pylist() == plain.table[name].to_pylist()


@pytest.mark.parametrize(("computed", "gap"), [(UP, 5.0), (DOWN, -5.0)], ids=["up", "down"])
def test_every_number_of_a_pair_is_divided_by_the_same_gap(computed, gap):
    plain, share = both(computed)

    for name in ("signed_by_pair", "effect_by_pair"):
        pairs = zip(share.table[name].to_pylist(), plain.table[name].to_pylist(), strict=True)
        for one, other in pairs:
            assert (one is None) is (other is None)
            if one is not None:
                np.testing.assert_allclose(one, np.array(other) / gap)


@pytest.mark.parametrize("computed", [UP, DOWN], ids=["up", "down"])
def test_the_verification_is_that_of_the_divided_numbers(computed):
    plain, share = both(computed)
    (before,), (after,) = plain.record.verification, share.record.verification

    for name in (
        *("nodes", "measured", "top", "random", "recall_mean_abs", "recall_abs_mean"),
        *("spearman_mean_abs", "spearman_abs_mean"),
    ):
        assert getattr(after, name) == getattr(before, name)
    assert before.unseen is not None
    assert after.unseen is not None
    assert after.unseen.threshold == pytest.approx(before.unseen.threshold / 5)
    same = replace(after.unseen, threshold=before.unseen.threshold)
    assert same == before.unseen
    assert f"{after.unseen.threshold:.3g}" in after.unknown
    for name in ("largest", "missed"):
        pairs = list(zip(getattr(after, name), getattr(before, name), strict=True))
        assert pairs or name == "missed"
        for one, other in pairs:
            assert (one.node, one.pairs) == (other.node, other.pairs)
            assert one.estimate == pytest.approx(other.estimate / 5)
            assert one.effect_abs == pytest.approx(other.effect_abs / 5)
            gap = mean_gap(computed)
            assert one.effect == pytest.approx(other.effect / gap)


def test_the_statistics_stay_statistics_of_the_divided_values():
    found = normalized(DOWN, HERE).methods[0].statistics[0]
    plain = DOWN.methods[0].statistics[0]

    np.testing.assert_allclose(found.mean, plain.mean / -5)
    np.testing.assert_allclose(found.mean_abs, plain.mean_abs / 5)
    np.testing.assert_allclose(found.mean_square, plain.mean_square / 25)
    assert found.pairs is plain.pairs


def test_the_metric_itself_is_not_divided():
    plain, share = both(UP)

    assert share.record.pairs == plain.record.pairs
    assert share.record.metric.clean == plain.record.metric.clean == 3.0
    assert share.record.metric.corrupted == plain.record.metric.corrupted == -2.0
    assert share.record.metric.unit == plain.record.metric.unit == "logits"


def test_the_result_says_whether_and_by_what_it_is_divided():
    plain, share = both(UP)

    assert (plain.record.metric.normalized, share.record.metric.normalized) == (False, True)
    assert plain.record.metric.gap == share.record.metric.gap == 5.0
    assert plain.record.metric.effect_unit == "logits"
    assert share.record.metric.effect_unit == "of the gap"
    (method,) = share.record.methods
    assert method.formula == f"({plain.record.methods[0].formula}) / gap"
    assert "divided by the gap" in method.sign
    assert "gap" in method.absolute
    assert "gap" not in plain.record.methods[0].sign


@pytest.mark.parametrize(
    ("clean", "corrupted", "cancel"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], False),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0 + 2e-6], False),
        ([3.0, -3.0, 1.0], [-3.0, 3.0, 0.9], True),
    ],
    ids=["no gap", "rounding", "gaps that cancel"],
)
def test_without_a_gap_to_divide_by_the_run_fails(clean, corrupted, cancel):
    with pytest.raises(RunError) as raised:
        run(with_metric(clean, corrupted), normalize=True)
    (problem,) = raised.value.problems

    assert problem.code == "ATP425"
    assert ("cancel" in problem.message) is cancel


def test_a_run_without_numbers_has_nothing_to_divide():
    nothing = np.full(3, np.nan)
    empty = replace(UP, clean_metric=nothing, corrupted_metric=nothing)

    assert normalized(empty, HERE) is empty


# ---- everything that comes with diagnostics ----

RAW = diagnosed()
DOWN_RAW = replace(RAW, clean_metric=RAW.corrupted_metric, corrupted_metric=RAW.clean_metric)
DIVIDED = {
    **dict.fromkeys(("signed", "effect", "direct", "direct_effect"), "signed"),
    **dict.fromkeys(
        (
            *("estimate", "effect_abs", "score", "estimate_se", "effect_se"),
            *("atp", "by_qk_fix", "by_grad_drop", "score_low", "score_high"),
            *("upper_90", "upper_95", "upper_99", "upper_999"),
        ),
        "size",
    ),
    **dict.fromkeys(
        (
            *("sign_flips", "cancellation", "direct_ratio", "disagreement"),
            *("attention", "attention_change", "saturation_ratio", "correction"),
        ),
        "not",
    ),
}


@pytest.mark.parametrize("gap", [5.0, -5.0], ids=["up", "down"])
def test_what_diagnostics_say_is_divided_where_it_has_units(gap):
    clean, corrupted = np.array([3.0, 2.5, 3.5]), np.array([-3.0, -2.0, -1.0])
    sides = (clean, corrupted) if gap > 0 else (corrupted, clean)
    computed = replace(RAW, clean_metric=sides[0], corrupted_metric=sides[1])
    divided = normalized(computed, HERE)
    plain, share = (
        score_table(one, {}, Wanted(diagnosis=EVERYTHING)) for one in (computed, divided)
    )
    numbers = [n for n in plain.column_names if plain.schema.field(n).type == "double"]

    assert sorted(numbers) == sorted(DIVIDED)
    for name, how in DIVIDED.items():
        by = {"signed": gap, "size": abs(gap), "not": 1.0}[how]
        before, after = (np.array(t[name].to_pylist(), np.float64) for t in (plain, share))
        np.testing.assert_allclose(after, before / by, rtol=1e-9, atol=1e-12, err_msg=name)


def test_bounds_of_the_record_are_divided_too():
    share = normalized(replace(RAW, clean_metric=np.full(3, 2.0)), HERE)
    gap = abs(mean_gap(replace(RAW, clean_metric=np.full(3, 2.0))))
    asked = sampling_of(EVERYTHING)
    (before,), (after,) = bound_records(RAW, asked), bound_records(share, asked)

    for one, other in zip(after.at, before.at, strict=True):
        assert one.upper is not None
        assert other.upper is not None
        assert one.upper == pytest.approx(other.upper / gap)
        assert one.node == other.node
    assert (after.r2, after.min_effect) == (before.r2, before.min_effect)


def test_every_number_of_a_statistic_is_divided_or_known_to_have_no_units():
    """A new one has to be thought about."""
    unitless = {"attention", "change", "exact", "linear"}

    assert set(EXTRA) == set(_DIVIDED) | set(_SIGNS) | unitless


def test_signs_turn_with_the_gap():
    found = normalized(DOWN_RAW, HERE).methods[0].statistics[0].extra
    plain = DOWN_RAW.methods[0].statistics[0].extra

    np.testing.assert_array_equal(found["positive"], plain["negative"])
    np.testing.assert_array_equal(found["negative"], plain["positive"])


def test_an_order_of_nodes_is_not_divided():
    (method,) = RAW.methods
    order = replace(method, call=replace(method.call, method="random"))
    computed = replace(RAW, methods=(order,))

    assert normalized(computed, HERE).methods == (order,)
