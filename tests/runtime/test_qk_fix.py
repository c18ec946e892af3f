"""The QK fix on bare tensors: analytic cases, stability, and every kind of attention.

The slow twin patches queries and keys one node at a time and computes all of the attention
anew, in float64.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.runtime.attention import AttentionRule, AttentionValues, Pairing
from atpdsl.runtime.qk_fix import QueryKeyFix
from atpdsl.runtime.spots import Spots
from tests.oracle.attention import weights
from tests.runtime.attending import every_spot, node_set, spots_at

MASKED = -3.4e38
PLAIN = AttentionRule(scale=1.0)
KINDS = pytest.mark.parametrize("kind", ["heads.q", "heads.k"])
WHOLE = pytest.mark.parametrize("whole", [False, True], ids=["positions", "whole"])


def causal(length: int) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool).tril()


def of_heads(tensor: Tensor, n_heads: int) -> Tensor:
    """[pair, pos, kv head, d_head] -> [pair, head, pos, d_head]."""
    group = n_heads // tensor.shape[2]
    return torch.stack([tensor[:, :, h // group] for h in range(n_heads)], dim=1)


def pattern(query: Tensor, key: Tensor, mask: Tensor, rule: AttentionRule) -> Tensor:
    """Attention weights [pair, head, query, key] in float64; no rotary embedding."""
    heads = query.shape[2]
    sinks = None if rule.sinks is None else rule.sinks.double()
    return weights(
        of_heads(query.double(), heads),
        of_heads(key.double(), heads),
        mask,
        rule.scale,
        soft_cap=rule.soft_cap,
        sinks=sinks,
    )


def kept(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor,
    rule: AttentionRule = PLAIN,
) -> AttentionValues:
    """What a run would keep; of the scores only the mask is looked at."""
    heads = query.shape[2]
    shape = (query.shape[0], heads, query.shape[1], key.shape[1])
    scores = torch.where(mask.expand(shape), 0.0, MASKED).to(query.dtype)
    output = pattern(query, key, mask, rule) @ of_heads(value.double(), heads)
    return AttentionValues(
        query=query,
        key=key,
        value=value,
        output=output.transpose(1, 2).to(query.dtype),
        scores=scores,
    )


def drawn(
    *shape: int, seed: int, std: float = 1.0, dtype: torch.dtype = torch.float64
) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (std * torch.randn(*shape, generator=generator, dtype=torch.float64)).to(dtype)


def random_case(
    mask: Tensor,
    rule: AttentionRule = PLAIN,
    *,
    heads: int = 4,
    kv_heads: int = 2,
    std: float = 1.5,
    dtype: torch.dtype = torch.float64,
) -> tuple[AttentionValues, AttentionValues, Tensor]:
    """Base and donor of two pairs, and a gradient [pair, pos, head, d_head]."""
    length, d_head = mask.shape[-1], 6

    def some(n_heads: int, seed: int) -> Tensor:
        return drawn(2, length, n_heads, d_head, seed=seed, std=std, dtype=dtype)

    value = some(kv_heads, 2)
    base = kept(some(heads, 0), some(kv_heads, 1), value, mask, rule)
    donor = kept(some(heads, 3), some(kv_heads, 4), value, mask, rule)
    return base, donor, drawn(2, length, heads, d_head, seed=5, dtype=dtype)


def count(values: AttentionValues, kind: str) -> int:
    return (values.query if kind == "heads.q" else values.key).shape[2]


def patched(
    base: AttentionValues,
    donor: AttentionValues,
    node: tuple[str, int, Any],
    mask: Tensor,
    rule: AttentionRule,
) -> Tensor:
    """Weights [pair, head, query, key] with a head set to the donor's at some positions."""
    kind, index, at = node
    query, key = base.query.clone(), base.key.clone()
    of, to = (donor.query, query) if kind == "heads.q" else (donor.key, key)
    to[:, at, index] = of[:, at, index]
    return pattern(query, key, mask, rule)


def brute_force(
    base: AttentionValues,
    donor: AttentionValues,
    kind: str,
    mask: Tensor,
    rule: AttentionRule,
    gradient: Tensor,
    *,
    whole: bool,
) -> Tensor:
    """[pair, index, label], in float64."""
    before = pattern(base.query, base.key, mask, rule)
    value = of_heads(base.value.double(), base.query.shape[2])
    rows = []
    for index in range(count(base, kind)):
        row = []
        for at in [slice(None)] if whole else range(base.query.shape[1]):
            after = patched(base, donor, (kind, index, at), mask, rule)
            change = ((after - before) @ value).transpose(1, 2)
            row.append((change * gradient.double()).sum((1, 2, 3)))
        rows.append(torch.stack(row, dim=-1))
    return torch.stack(rows, dim=1)


def fix_of(
    base: AttentionValues,
    donor: AttentionValues,
    kind: str,
    rule: AttentionRule = PLAIN,
    *,
    whole: bool = False,
    nodes: NodeSet | None = None,
    spots: Spots | None = None,
) -> QueryKeyFix:
    pairs, length = base.query.shape[:2]
    nodes = nodes or node_set(kind, count(base, kind), None if whole else length)
    spots = spots or every_spot(pairs, length, whole=whole)
    return QueryKeyFix(base, donor, rule, nodes, spots)


def estimates(fix: QueryKeyFix, gradient: Tensor) -> Tensor:
    return fix.estimates(gradient[None])[0]


# ---- analytic cases


def one_head(
    query: list[float],
    key: list[float],
    value: list[float],
    dtype: torch.dtype = torch.float64,
) -> AttentionValues:
    """One pair and head of size 1, causal, scores = query key."""
    tensors = (torch.tensor(t, dtype=dtype)[None, :, None, None] for t in (query, key, value))
    return kept(*tensors, causal(len(query)))


def of_output(gradient: list[float], dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(gradient, dtype=dtype)[None, :, None, None]


@pytest.mark.parametrize(
    ("before", "after", "exact", "first_order"),
    [
        (20.0, -20.0, -0.9999999958776927, -8.2446e-8),
        (0.0, 8.0, 0.49966464986953363, 2.0),
    ],
    ids=["saturated", "over-estimated"],
)
def test_a_query_that_turns_from_one_key_to_another(before, after, exact, first_order):
    """Scores (q, 0), and the metric is the weight of the first key."""
    base = one_head([1.0, before], [1.0, 0.0], [1.0, 0.0])
    donor = one_head([1.0, after], [1.0, 0.0], [1.0, 0.0])
    fix = fix_of(base, donor, "heads.q")
    found = estimates(fix, of_output([0.0, 1.0]))[0, 0]
    saturation = {name: float(t[0, 0, 1]) for name, t in fix.saturation().items()}

    assert float(found[1]) == pytest.approx(exact, rel=1e-14)
    assert float(found[0]) == 0.0
    # Both weights change, by the same amount.
    assert saturation["change"] == pytest.approx(abs(exact), rel=1e-12)
    assert saturation["exact"] == pytest.approx(2 * abs(exact), rel=1e-12)
    assert saturation["linear"] == pytest.approx(2 * abs(first_order), rel=1e-4)
    assert saturation["attention"] == pytest.approx(1 / (1 + np.exp(-before)))


def test_a_saturated_key():
    """All queries see key 0 alone, and then no longer; row 0 has no other key to see."""
    base = one_head([1.0, 1.0, 1.0], [30.0, 0.0, 0.0], [1.0, 0.0, 0.0])
    donor = one_head([1.0, 1.0, 1.0], [-30.0, 0.0, 0.0], [1.0, 0.0, 0.0])
    fix = fix_of(base, donor, "heads.k")
    found = estimates(fix, of_output([1.0, 1.0, 1.0]))[0, 0]

    assert float(found[0]) == pytest.approx(-1.999999999999579, rel=1e-14)
    assert float(fix.saturation()["linear"][0, 0, 0]) == pytest.approx(2 * 1.68e-11, rel=2e-3)
    assert float(estimates(fix, of_output([1.0, 0.0, 0.0]))[0, 0, 0]) == 0.0


@WHOLE
def test_a_saturated_key_in_float32(whole):
    """Published code gives 0 or NaN here."""
    base = one_head([1.0, 1.0], [30.0, 0.0], [1.0, -1.0], torch.float32)
    donor = one_head([1.0, 1.0], [-30.0, 0.0], [1.0, -1.0], torch.float32)
    gradient = of_output([5.0, 1.0], torch.float32)
    found = estimates(fix_of(base, donor, "heads.k", whole=whole), gradient)

    assert found.dtype == torch.float32
    assert float(found[0, 0, 0]) == pytest.approx(-2.0, abs=1e-6)


def random_scores(std: float) -> tuple[AttentionValues, AttentionValues, Tensor]:
    """Causal attention in float32 whose scores are any numbers, without rounding.

    Queries are unit vectors, so that score (i, j) is entry i of key j.
    """
    length, d_value = 24, 8
    unit = torch.eye(length)[None, :, None]
    value = drawn(1, length, 1, length, seed=2, dtype=torch.float32)
    value[..., d_value:] = 0.0
    keys = (
        drawn(1, length, 1, length, seed=seed, std=std, dtype=torch.float32) for seed in (0, 1)
    )
    base, donor = (kept(unit, key, value, causal(length)) for key in keys)
    return base, donor, drawn(1, length, 1, length, seed=3, dtype=torch.float32)


@WHOLE
@KINDS
@pytest.mark.parametrize("std", [1.0, 10.0, 20.0, 200.0])
def test_random_scores_in_float32(std, kind, whole):
    base, donor, gradient = random_scores(std)
    if kind == "heads.q":
        # The score of query i with key j is entry j of query i.
        base, donor = (replace(v, query=v.key, key=v.query) for v in (base, donor))
    found = estimates(fix_of(base, donor, kind, whole=whole), gradient)
    slow = (base, donor, kind, causal(24), PLAIN, gradient)
    expected = brute_force(*slow, whole=whole)
    error = (found.double() - expected).abs()
    # A query's change is a difference of two softmaxes: where both give all to one key, digits
    # are lost.
    relative = 1e-4 if kind == "heads.q" else 1e-5

    assert float(error.amax()) <= 1e-6 * float(expected.abs().amax())
    assert (error <= relative * expected.abs() + 1e-9 * expected.abs().amax()).all()


# ---- every kind of attention


def windowed(length: int) -> Tensor:
    return causal(length) & ~causal(length).tril(-3)


def padding(length: int) -> Tensor:
    """Causal; the first two tokens of the first pair are not there, as with left padding."""
    mask = causal(length).expand(2, 1, length, length).clone()
    mask[0, :, :, :2] = False
    return mask


def any_mask(length: int) -> Tensor:
    return drawn(2, 4, length, length, seed=9) > -0.5


MASKS = {
    "causal": causal,
    "sliding": windowed,
    "bidirectional": lambda length: torch.ones(length, length, dtype=torch.bool),
    "padding": padding,
    "any": any_mask,
}
RULES = {
    "plain": PLAIN,
    "scaled": AttentionRule(scale=0.4),
    "capped": AttentionRule(scale=1.0, soft_cap=3.0),
    "sinks": AttentionRule(scale=0.7, sinks=torch.tensor([0.5, -2.0, 12.0, 3.0])),
    "capped sinks": AttentionRule(
        scale=1.0, soft_cap=2.0, sinks=torch.tensor([0.0, 1.0, 2.0, -1.0]).double()
    ),
}


@WHOLE
@KINDS
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("mask", MASKS)
def test_masks_caps_and_sinks(mask, rule, kind, whole):
    seen, constants = MASKS[mask](7), RULES[rule]
    base, donor, gradient = random_case(seen, constants)
    found = estimates(fix_of(base, donor, kind, constants, whole=whole), gradient)
    slow = (base, donor, kind, seen, constants, gradient)

    torch.testing.assert_close(found, brute_force(*slow, whole=whole), rtol=0, atol=1e-11)
    assert found.abs().amax() > 0.1


@WHOLE
@KINDS
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("mask", ["causal", "padding", "any"])
def test_saturation(mask, rule, kind, whole):
    """Each number by its definition."""
    seen, constants = MASKS[mask](6), RULES[rule]
    base, donor, _ = random_case(seen, constants)
    found = fix_of(base, donor, kind, constants, whole=whole).saturation()
    before = pattern(base.query, base.key, seen, constants)
    group = 4 // count(base, kind)
    for index in range(count(base, kind)):
        mine = slice(index * group, (index + 1) * group)
        for label, at in enumerate([slice(None)] if whole else range(6)):
            own = (mine, at) if kind == "heads.q" else (mine, slice(None), at)
            after = patched(base, donor, (kind, index, at), seen, constants)
            change = (after - before).abs()
            here = {name: t[:, index, label] for name, t in found.items()}
            # The sink's weight changes too, and is not among these.
            of_sink = (after - before).sum(-1).abs()[:, mine].sum((1, 2))

            largest = [t[(slice(None), *own)].flatten(1).amax(1) for t in (before, change)]
            torch.testing.assert_close(here["attention"], largest[0])
            torch.testing.assert_close(here["change"], largest[1], rtol=1e-9, atol=1e-14)
            torch.testing.assert_close(
                here["exact"], change[:, mine].sum((1, 2, 3)) + of_sink, rtol=1e-9, atol=1e-14
            )


@KINDS
def test_first_order_change_of_weights(kind):
    """By finite differences: without a soft cap scores are linear in the query or key."""
    seen = causal(6)
    base, donor, _ = random_case(seen)
    found = fix_of(base, donor, kind).saturation()["linear"]
    step = 1e-5

    def towards(t: float) -> AttentionValues:
        return replace(
            donor,
            query=base.query + t * (donor.query - base.query),
            key=base.key + t * (donor.key - base.key),
        )

    group = 4 // count(base, kind)
    for index in range(count(base, kind)):
        for at in range(6):
            ends = [
                patched(base, towards(t), (kind, index, at), seen, PLAIN) for t in (step, -step)
            ]
            slope = (ends[0] - ends[1]).abs() / (2 * step)
            mine = slope[:, index * group : (index + 1) * group].sum((1, 2, 3))
            torch.testing.assert_close(found[:, index, at], mine, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("before", "after"), [(4.0, -5.0), (0.0, 6.0), (-3.0, -2.0)])
def test_the_ratio_of_exact_and_first_order_change_of_one_weight(before, after):
    base = one_head([0.0, 1.0], [before, 0.0], [1.0, 0.0])
    donor = one_head([0.0, 1.0], [after, 0.0], [1.0, 0.0])
    rows = torch.tensor([[False, True]])
    found = fix_of(base, donor, "heads.k").saturation(rows)
    delta, weight = after - before, 1 / (1 + np.exp(-before))

    ratio = float(found["exact"][0, 0, 0] / found["linear"][0, 0, 0])
    assert ratio == pytest.approx(
        np.expm1(delta) / (delta * (1 + weight * np.expm1(delta))), rel=1e-12
    )


@WHOLE
def test_rows_that_do_not_count_are_left_out_of_saturation(whole):
    """Padding behind the shorter prompt is attended with, but is nobody's."""
    base, donor, _ = random_case(causal(6))
    rows = torch.ones(2, 6, dtype=torch.bool)
    rows[0, 4:] = False
    found = fix_of(base, donor, "heads.k", whole=whole).saturation(rows)
    short = [
        AttentionValues(
            query=v.query[:1, :4],
            key=v.key[:1, :4],
            value=v.value[:1, :4],
            output=v.output[:1, :4],
            scores=v.scores[:1, :, :4, :4],
        )
        for v in (base, donor)
    ]
    alone = fix_of(*short, "heads.k", whole=whole).saturation()
    every = fix_of(base, donor, "heads.k", whole=whole).saturation()
    for name, expected in alone.items():
        labels = expected.shape[-1]
        torch.testing.assert_close(found[name][:1, :, :labels], expected)
        torch.testing.assert_close(found[name][1], every[name][1])
    assert (every["exact"] - found["exact"])[0].abs().max() > 1e-3


# ---- laws


@WHOLE
@KINDS
def test_estimates_are_linear_in_the_gradient_stream_by_stream(kind, whole):
    base, donor, one = random_case(causal(6))
    other = drawn(*one.shape, seed=11)
    fix = fix_of(base, donor, kind, whole=whole)
    found = fix.estimates(torch.stack([one, other, 2 * one - 3 * other]))

    assert found.shape == (3, 2, count(base, kind), 1 if whole else 6)
    torch.testing.assert_close(found[2], 2 * found[0] - 3 * found[1])
    assert torch.equal(found[1], estimates(fix, other))


@WHOLE
@KINDS
@pytest.mark.parametrize("rule", ["plain", "capped sinks"])
def test_no_difference_is_exactly_no_effect(kind, whole, rule):
    base, _, gradient = random_case(causal(6), RULES[rule], dtype=torch.float32)
    fix = fix_of(base, base, kind, RULES[rule], whole=whole)
    saturation = fix.saturation()

    assert (estimates(fix, gradient) == 0.0).all()
    assert all((saturation[name] == 0.0).all() for name in ("change", "exact", "linear"))
    assert (saturation["attention"] > 0.0).all()


@WHOLE
@KINDS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_row_with_a_single_key_cannot_change(kind, whole, dtype):
    base, donor, gradient = random_case(causal(6), std=40.0, dtype=dtype)
    gradient[:, 1:] = 0.0
    fix = fix_of(base, donor, kind, whole=whole)

    assert (estimates(fix, gradient) == 0.0).all()


@KINDS
@pytest.mark.parametrize("junk", [0.0, 77.0])
def test_a_query_that_sees_nothing_counts_for_nothing(kind, junk):
    """Whatever its output is, which models leave to chance."""
    mask = padding(6)
    base, donor, gradient = random_case(mask)
    expected = estimates(fix_of(base, donor, kind), gradient)
    base.output[0, :2] = junk
    base.query[0, :2] += junk
    gradient[0, :2] += junk
    found = estimates(fix_of(base, donor, kind), gradient)

    torch.testing.assert_close(found[:, :, 2:], expected[:, :, 2:])
    assert found.isfinite().all()
    assert (found[0, :, :2] == 0.0).all()


@KINDS
def test_some_heads_alone_are_what_they_are_among_all(kind):
    base, donor, gradient = random_case(causal(6))
    all_heads, some = fix_of(base, donor, kind), [1] if kind == "heads.k" else [1, 3]
    mine = fix_of(base, donor, kind, nodes=node_set(kind, some, 6))
    everything, found = all_heads.saturation(), mine.saturation()

    torch.testing.assert_close(
        estimates(mine, gradient), estimates(all_heads, gradient)[:, some]
    )
    for name, values in found.items():
        torch.testing.assert_close(values, everything[name][:, some])


@KINDS
def test_positions_that_a_pair_lacks_and_equal_prefixes_are_zero(kind):
    base, donor, gradient = random_case(causal(6))
    every = fix_of(base, donor, kind)
    at = [[1, 2, 0], [4, 3, 5]]
    covers = [[True, True, False], [True, True, True]]
    live = [[False, True, False], [True, True, True]]
    fix = fix_of(
        base,
        donor,
        kind,
        nodes=node_set(kind, count(base, kind), 3),
        spots=spots_at(at, covers=covers, live=live),
    )
    found, full = estimates(fix, gradient), estimates(every, gradient)
    saturation, attention = fix.saturation(), every.saturation()["attention"]

    assert (found[0, :, [0, 2]] == 0.0).all()
    torch.testing.assert_close(found[0, :, 1], full[0, :, 2])
    torch.testing.assert_close(found[1], full[1][:, [4, 3, 5]])
    assert (saturation["change"][0, :, [0, 2]] == 0.0).all()
    # An attention weight is there whether it changes or not.
    torch.testing.assert_close(saturation["attention"][0, :, 0], attention[0, :, 1])
    assert (saturation["attention"][0, :, 2] == 0.0).all()


@KINDS
def test_a_whole_sequence_is_the_positions_that_it_covers(kind):
    base, donor, gradient = random_case(causal(6))
    covers = [[True, True, True, False], [True, True, True, True]]
    fix = fix_of(
        base,
        donor,
        kind,
        whole=True,
        spots=spots_at([[1, 2, 4, 0], [0, 1, 3, 5]], covers=covers, whole=True),
    )
    found = estimates(fix, gradient)
    for pair, at in enumerate([[1, 2, 4], [0, 1, 3, 5]]):
        for index in range(count(base, kind)):
            before = pattern(base.query, base.key, causal(6), PLAIN)
            after = patched(base, donor, (kind, index, at), causal(6), PLAIN)
            change = ((after - before) @ of_heads(base.value, 4)).transpose(1, 2)
            expected = (change * gradient).sum((1, 2, 3))[pair]
            assert float(found[pair, index, 0]) == pytest.approx(float(expected), abs=1e-12)


@WHOLE
@KINDS
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(kind, whole, dtype):
    """What is kept in 16 bits is taken as it is; nothing more is lost."""
    base, donor, gradient = random_case(causal(6), dtype=dtype)
    found = estimates(fix_of(base, donor, kind, whole=whole), gradient)
    slow = (base, donor, kind, causal(6), PLAIN, gradient)

    assert found.dtype == torch.float32
    expected = brute_force(*slow, whole=whole)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)


@KINDS
@pytest.mark.parametrize("pairing", list(Pairing))
@pytest.mark.parametrize("width", [4, 6])
def test_rotary_embedding_by_two_dimensional_rotations(kind, pairing, width):
    """Donors from other positions are turned by the angle of the place that they get to."""
    base, donor, gradient = random_case(causal(6))
    half = width // 2
    angles = torch.arange(6)[:, None] * torch.tensor([1.0, 0.3, 0.05], dtype=torch.float64)
    angles = angles[:, :half]
    doubled = {
        Pairing.HALVES: torch.cat((angles, angles), dim=-1),
        Pairing.ADJACENT: angles.repeat_interleave(2, dim=-1),
    }[pairing]
    base.cos, base.sin = doubled.cos()[None], doubled.sin()[None]

    def turned(vectors: Tensor) -> Tensor:
        new = vectors.clone()
        for t in range(6):
            for k in range(half):
                a, b = (k, k + half) if pairing is Pairing.HALVES else (2 * k, 2 * k + 1)
                cos, sin = angles[t, k].cos(), angles[t, k].sin()
                new[:, t, :, a] = cos * vectors[:, t, :, a] - sin * vectors[:, t, :, b]
                new[:, t, :, b] = sin * vectors[:, t, :, a] + cos * vectors[:, t, :, b]
        return new

    to, of = [3, 1, 5], [2, 4, 0]
    fix = fix_of(
        base,
        donor,
        kind,
        AttentionRule(scale=1.0, pairing=pairing),
        nodes=node_set(kind, count(base, kind), 3),
        spots=spots_at([to] * 2, [of] * 2),
    )
    found = estimates(fix, gradient)
    before = pattern(turned(base.query), turned(base.key), causal(6), PLAIN)
    for index in range(count(base, kind)):
        for label, (here, there) in enumerate(zip(to, of, strict=True)):
            query, key = base.query.clone(), base.key.clone()
            target, source = (query, donor.query) if kind == "heads.q" else (key, donor.key)
            target[:, here, index] = source[:, there, index]
            after = pattern(turned(query), turned(key), causal(6), PLAIN)
            change = ((after - before) @ of_heads(base.value, 4)).transpose(1, 2)
            torch.testing.assert_close(
                found[:, index, label], (change * gradient).sum((1, 2, 3)), rtol=0, atol=1e-12
            )


def test_other_kinds_and_donors_as_base_are_refused():
    base, donor, _ = random_case(causal(6))
    with pytest.raises(ValueError, match=r"heads\.v"):
        fix_of(base, donor, "heads.v")
    base.scores = None
    with pytest.raises(ValueError, match="scores"):
        fix_of(base, donor, "heads.q")


@WHOLE
@KINDS
@pytest.mark.parametrize("rule", RULES)
def test_everything_is_computed_where_the_run_was(kind, whole, rule):
    """On torch's device without numbers, on which tensors of other devices do not compute."""

    def there(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor.to("meta")

    constants = RULES[rule]
    base, donor, gradient = random_case(causal(6), constants)
    for values in (base, donor):
        for name in ("query", "key", "value", "output", "scores"):
            setattr(values, name, there(getattr(values, name)))
    constants = replace(constants, sinks=there(constants.sinks))
    fix = fix_of(base, donor, kind, constants, whole=whole)

    assert estimates(fix, there(gradient)).device.type == "meta"
    assert {t.device.type for t in fix.saturation().values()} == {"meta"}
