"""The columns that say how far to trust a node, against loops over its single pairs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import mean, stdev

import numpy as np
import pyarrow as pa
import pytest

from atpdsl.planning.outcome import MethodOutcome, Outcome
from atpdsl.results.scores import Wanted, rows, score_table
from tests.results.raw import (
    ATTENDING,
    EVERYTHING,
    IN_ONE_PAIR,
    NODES,
    NOWHERE_AT_ALL,
    VERIFIED,
    Raw,
    beside,
    diagnosed,
    star,
)
from tests.results.samples import call, outcome

RAW = Raw()
WANTED = Wanted(diagnosis=EVERYTHING)


def table(computed: Outcome | None = None) -> pa.Table:
    return score_table(diagnosed(RAW) if computed is None else computed, {}, WANTED)


TABLE = table()


def column(name: str, of: pa.Table = TABLE) -> list[object]:
    return of[name].to_pylist()


def expected(value: Callable[[int, list[int]], float | None]) -> list[float | None]:
    """`value` of each node and the pairs that have it; None where that is no number."""
    found = [value(node, RAW.pairs_of(node)) for node in range(NODES)]
    return [None if one is None or math.isnan(one) else one for one in found]


def assert_same(name: str, value: Callable[[int, list[int]], float | None]) -> None:
    wanted, got = expected(value), column(name)

    assert [one is None for one in got] == [one is None for one in wanted]
    known = [(g, w) for g, w in zip(got, wanted, strict=True) if w is not None]
    np.testing.assert_allclose(*zip(*known, strict=True), rtol=1e-9, atol=1e-12)


def of(values: np.ndarray, node: int, pairs: list[int]) -> list[float]:
    return [float(values[pair, node]) for pair in pairs]


def error(values: list[float]) -> float | None:
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None


def size(values: np.ndarray, node: int, pairs: list[int]) -> float:
    return mean(map(abs, of(values, node, pairs))) if pairs else math.nan


def measured(node: int) -> bool:
    return node in VERIFIED


# ---- how far the pairs agree ----


def test_the_error_of_an_estimate_is_that_of_a_mean_of_magnitudes():
    assert_same("estimate_se", lambda n, pairs: error(of(RAW.magnitude, n, pairs)))


def test_the_error_of_an_effect_is_that_of_a_mean_with_signs():
    assert_same(
        "effect_se", lambda n, pairs: error(of(RAW.effect, n, pairs)) if measured(n) else None
    )


def test_one_pair_has_no_error():
    assert column("estimate_se")[IN_ONE_PAIR] is None
    assert column("estimate")[IN_ONE_PAIR] is not None


def test_sign_flips_are_the_share_of_the_rarer_sign_of_what_is_known_best():
    def share(node: int, pairs: list[int]) -> float | None:
        signs = [v > 0 for v in of(RAW.effect if measured(node) else RAW.fixed, node, pairs)]
        return min(signs.count(True), signs.count(False)) / len(pairs) if pairs else None

    assert_same("sign_flips", share)


def test_disagreement_is_of_verified_nodes_and_has_no_units():
    def apart(node: int, pairs: list[int]) -> float | None:
        if not measured(node):
            return None
        signed, effect = mean(of(RAW.fixed, node, pairs)), mean(of(RAW.effect, node, pairs))
        return abs(signed - effect) / max(abs(signed), abs(effect))

    assert_same("disagreement", apart)


# ---- corrections ----


def test_an_estimate_is_plain_atp_and_what_each_correction_adds():
    assert_same("atp", lambda n, pairs: size(RAW.plain, n, pairs))
    assert_same(
        "by_qk_fix", lambda n, pairs: size(RAW.fixed, n, pairs) - size(RAW.plain, n, pairs)
    )
    parts = [column(name) for name in ("atp", "by_qk_fix", "by_grad_drop", "estimate")]
    known = [row for row in zip(*parts, strict=True) if row[0] is not None]

    assert len(known) == NODES - 1
    for atp, fix, drop, estimate in known:
        assert atp + fix + drop == pytest.approx(estimate, rel=1e-14)


def test_the_larger_correction_is_named_where_it_is_more_than_a_tenth():
    named = column("moved_by")
    for row in rows(TABLE):
        change = {"qk_fix": row.more["by_qk_fix"], "grad_drop": row.more["by_grad_drop"]}
        name = named.pop(0)
        if row.estimate is None:
            assert name is None
            continue
        largest = max(change, key=lambda one: abs(change[one]))
        moved = abs(change[largest]) > 0.1 * max(row.estimate, row.more["atp"])
        assert name == (largest if moved else None)
    assert {"qk_fix", "grad_drop", None} == set(column("moved_by"))


def test_what_is_not_corrected_is_plain_atp():
    """A node set without the numbers of corrections: the QK fix is of queries and keys."""
    computed = diagnosed(RAW)
    (method,) = computed.methods
    heads, keys, mlps = method.statistics
    corrected = {"atp", "qk_fix", "fix_change"}
    bare = replace(mlps, extra={n: v for n, v in mlps.extra.items() if n not in corrected})
    changed = replace(method, statistics=(heads, keys, bare))
    found = table(replace(computed, methods=(changed,)))

    assert column("atp", found)[-4:] == column("estimate", found)[-4:]
    assert column("by_qk_fix", found)[-4:] == column("by_grad_drop", found)[-4:] == [0.0] * 4


def test_a_fix_that_was_only_looked_at_has_no_part_in_the_estimate():
    computed = diagnosed(RAW)
    method = replace(computed.methods[0], call=star({"qk_fix": False, "grad_drop": "off"}))
    found = table(replace(computed, methods=(method,)))

    assert {0.0, None} == set(column("by_qk_fix", found))


# ---- cancellation ----


def test_the_cancellation_index_is_that_of_the_parts_before_anything_is_dropped():
    def index(node: int, pairs: list[int]) -> float | None:
        if not pairs:
            return None
        terms = [sum(abs(p) for p in of(RAW.parts[:, pair], node, range(4))) for pair in pairs]
        return mean(terms) / size(RAW.fixed, node, pairs)

    assert_same("cancellation", index)
    assert min(one for one in column("cancellation") if one is not None) >= 1 - 1e-12


def test_the_direct_part_is_signed():
    assert_same("direct", lambda n, pairs: mean(of(RAW.parts[0], n, pairs)) if pairs else None)


def test_the_direct_ratio_is_of_measured_numbers_where_there_are_some():
    def ratio(node: int, pairs: list[int]) -> float | None:
        if not pairs:
            return None
        if measured(node):
            above, below = (mean(of(v, node, pairs)) for v in (RAW.direct, RAW.effect))
            return abs(above / below)
        return abs(mean(of(RAW.parts[0], node, pairs))) / size(RAW.magnitude, node, pairs)

    assert_same("direct_ratio", ratio)
    assert_same(
        "direct_effect",
        lambda n, pairs: mean(of(RAW.direct, n, pairs)) if measured(n) else None,
    )


def test_parts_that_cancel_exactly_are_infinitely_many_times_their_sum():
    raw = Raw()
    raw.fixed[:, 0] = 0.0
    raw.fixed[:, 1], raw.parts[:, :, 1] = 0.0, 0.0
    found = column("cancellation", table(diagnosed(raw)))

    assert found[0] == math.inf
    assert found[1] is None


# ---- saturation ----


@pytest.mark.parametrize(
    "name", ["attention", "attention_change", "saturation_ratio", "correction"]
)
def test_saturation_is_of_queries_and_keys_only(name):
    known = [node for node, value in enumerate(column(name)) if value is not None]

    assert known == list(ATTENDING)


def test_saturation_says_how_far_attention_moves_and_how_bent_the_softmax_is():
    def only(value: Callable[[int, list[int]], float]) -> Callable[..., float | None]:
        return lambda node, pairs: value(node, pairs) if node in ATTENDING else None

    def fix(node: int, pairs: list[int]) -> float:
        fixed, plain = size(RAW.fixed, node, pairs), size(RAW.plain, node, pairs)
        return size(RAW.fixed - RAW.plain, node, pairs) / max(fixed, plain)

    assert_same("attention", only(lambda n, pairs: mean(of(RAW.attention, n, pairs))))
    assert_same("attention_change", only(lambda n, pairs: mean(of(RAW.change, n, pairs))))
    assert_same(
        "saturation_ratio",
        only(lambda n, pairs: mean(of(RAW.exact, n, pairs)) / mean(of(RAW.linear, n, pairs))),
    )
    assert_same("correction", only(fix))


# ---- what is not there ----


def test_a_node_that_no_pair_has_has_none_of_these_numbers():
    names = [n for n in TABLE.column_names if TABLE.schema.field(n).type == pa.float64()]
    row = TABLE.slice(NOWHERE_AT_ALL, 1).to_pylist()[0]

    assert {name: row[name] for name in names if row[name] is not None} == {}


def test_columns_are_there_for_all_methods_and_null_for_those_without():
    both = table(beside(diagnosed(RAW)))
    first, second = both.slice(0, NODES), both.slice(NODES, NODES)

    assert second.drop_columns("method").equals(TABLE.drop_columns("method"))
    for name in ("atp", "moved_by", "cancellation", "attention", "direct_effect", "upper_99"):
        assert first[name].null_count == NODES
    assert set(column("flags", first)) == {""}


def test_a_run_without_diagnostics_has_no_columns_for_them():
    found = score_table(outcome(), {})

    assert found.column_names[14:] == ["estimate_se", "effect_se", "sign_flips", "disagreement"]
    assert found["estimate_se"].null_count == len(found)
    assert found["effect_se"].null_count == len(found) - 6


def test_the_errors_of_an_exact_method_are_those_of_its_effects():
    computed = outcome(exact=True, verified=())
    exact = next(r for r in rows(score_table(computed, {})) if r.method == "ap")
    values: MethodOutcome = computed.methods[1]
    first = values.statistics[0]
    spread = first.mean_square[0, 0, 0] - first.mean[0, 0, 0] ** 2

    assert exact.effect_se == pytest.approx(math.sqrt(spread / 2))
    assert (exact.estimate_se, exact.more["disagreement"]) == (None, None)


def test_the_estimates_of_a_mere_order_do_not_disagree_with_effects():
    computed = diagnosed(RAW)
    method = replace(computed.methods[0], call=replace(call("star"), method="random"))
    found = table(replace(computed, methods=(method,)))

    assert found["disagreement"].null_count == NODES
