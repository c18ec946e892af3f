"""The QK fix against brute force on the plain model, for every query and key, in float64."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from atpdsl.planning.ops import Side
from atpdsl.runtime.attention import attention_rule
from atpdsl.runtime.qk_fix import QueryKeyFix
from atpdsl.runtime.spots import spots
from tests.engine import token_pair
from tests.oracle.attention import (
    Fix,
    every_fixed_estimate,
    for_every_head,
    output_gradients,
    pattern,
)
from tests.oracle.cases import SAME_LENGTH, UNEQUAL, Pairs, oracle_metric
from tests.oracle.float64 import in_float64
from tests.oracle.plain import capture
from tests.runtime.attending import attention, node_set, spots_at
from tests.small_models import FAMILIES, bridge, small_model

KINDS = ("heads.q", "heads.k")
TOLERANCE = {"rtol": 0, "atol": 1e-9}


@cache
def the_model(family: str) -> nn.Module:
    return small_model(family)


@cache
def the_bridge(family: str):
    return bridge(the_model(family))


def padded(prompts: list[list[int]]) -> Tensor:
    longest = max(map(len, prompts))
    return torch.tensor([prompt + [0] * (longest - len(prompt)) for prompt in prompts])


def gradients(model: nn.Module, pairs: Pairs) -> list[Tensor]:
    """dL/dz of each layer, each pair by itself and filled up with 0 to the longest."""
    longest = max(map(len, pairs.clean))
    alone = []
    for number in range(len(pairs.clean)):
        pair = pairs.only(number)
        metric = oracle_metric(model, pair, "logit_diff")
        found = output_gradients(model, torch.tensor(pair.clean), metric)
        fill = (0, 0, 0, 0, 0, longest - len(pair.clean[0]))
        alone.append([nn.functional.pad(g, fill) for g in found])
    return [torch.cat(of_layer) for of_layer in zip(*alone, strict=True)]


def fix(family: str, pairs: Pairs, kind: str, layer: int, *, whole: bool) -> QueryKeyFix:
    """The QK fix of all nodes of a layer, all pairs in one batch."""
    model = the_bridge(family)
    base = attention(model, padded(pairs.clean), layer, scores=True)
    donor = attention(model, padded(pairs.corrupted), layer, scores=False)
    heads = (base.query if kind == "heads.q" else base.key).shape[2]
    nodes = node_set(kind, heads, None if whole else pairs.longest)
    token_pairs = [
        token_pair(clean, corrupted)
        for clean, corrupted in zip(pairs.clean, pairs.corrupted, strict=True)
    ]
    where = spots(token_pairs, nodes, Side.CLEAN, skip_equal_prefix=False)
    return QueryKeyFix(base, donor, attention_rule(model, layer), nodes, where)


@pytest.mark.parametrize("whole", [False, True], ids=["positions", "whole"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_query_and_key_is_as_by_brute_force(family, kind, whole):
    with in_float64(the_model(family)) as model:
        metric = oracle_metric(model, SAME_LENGTH, "logit_diff")
        clean, corrupted = (
            torch.tensor(side) for side in (SAME_LENGTH.clean, SAME_LENGTH.corrupted)
        )
        expected = every_fixed_estimate(model, clean, corrupted, kind, metric, whole=whole)
        found = [
            fix(family, SAME_LENGTH, kind, layer, whole=whole).estimates(g[None])[0]
            for layer, g in enumerate(gradients(model, SAME_LENGTH))
        ]

    assert expected.abs().max() > 1e-2
    np.testing.assert_allclose(torch.stack(found, dim=1), expected, **TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("whole", [False, True], ids=["positions", "whole"])
@pytest.mark.parametrize("family", ["gpt2", "gemma3"])
def test_padding_changes_nothing(family, kind, whole):
    """By brute force each pair is alone."""
    with in_float64(the_model(family)) as model:
        grads = gradients(model, UNEQUAL)
        found = torch.stack(
            [
                fix(family, UNEQUAL, kind, layer, whole=whole).estimates(g[None])[0]
                for layer, g in enumerate(grads)
            ],
            dim=1,
        )
        for number in range(len(UNEQUAL.clean)):
            pair = UNEQUAL.only(number)
            metric = oracle_metric(model, pair, "logit_diff")
            clean, corrupted = torch.tensor(pair.clean), torch.tensor(pair.corrupted)
            alone = every_fixed_estimate(model, clean, corrupted, kind, metric, whole=whole)
            here = found[number, ..., : alone.shape[-1]]
            np.testing.assert_allclose(here, alone[0], **TOLERANCE)
            assert (found[number, ..., alone.shape[-1] :] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("whole", [False, True], ids=["positions", "whole"])
@pytest.mark.parametrize("family", ["gpt2", "neox", "llama", "gemma3"])
def test_a_donor_from_elsewhere_is_turned_to_where_it_gets(family, kind, whole):
    """Positions of base and donor that differ, as with prompts of unequal length."""
    layer, base_at, donor_at = 1, [2, 5, 3], [4, 1, 6]
    clean = torch.tensor([[0, 11, 23, 7, 42, 5], [0, 19, 3, 3, 8, 51]])
    corrupted = torch.tensor([[0, 9, 11, 58, 7, 42, 5, 8], [0, 30, 3, 9, 8, 2, 33, 4]])
    with in_float64(the_model(family)) as model:
        mine, theirs = capture(model, clean), capture(model, corrupted)
        heads = mine[kind, layer].shape[2]
        gradient = torch.randn(
            mine["heads.z", layer].shape,
            generator=torch.Generator().manual_seed(0),
            dtype=torch.float64,
        )
        fixed = QueryKeyFix(
            attention(the_bridge(family), clean, layer, scores=True),
            attention(the_bridge(family), corrupted, layer, scores=False),
            attention_rule(the_bridge(family), layer),
            node_set(kind, heads, None if whole else len(base_at)),
            spots_at([base_at] * 2, [donor_at] * 2, whole=whole),
        )
        found = fixed.estimates(gradient[None])[0]
        slow = Fix(model, layer, mine, gradient)
        for index in range(heads):
            for label in range(found.shape[-1]):
                new = mine[kind, layer].clone()
                to, of = (base_at, donor_at) if whole else (base_at[label], donor_at[label])
                new[:, to, index] = theirs[kind, layer][:, of, index]
                expected = slow.estimate(kind, new)
                np.testing.assert_allclose(found[:, index, label], expected, **TOLERANCE)


@pytest.mark.parametrize("family", FAMILIES)
def test_brute_force_knows_how_the_model_attends(family):
    """Its attention weights give the plain model's own outputs."""
    with in_float64(the_model(family)) as model:
        seen = capture(model, torch.tensor(SAME_LENGTH.clean))
        for layer in range(model.config.num_hidden_layers):
            weights = pattern(model, layer, seen["heads.q", layer], seen["heads.k", layer])
            output = weights @ for_every_head(model, seen["heads.v", layer])
            np.testing.assert_allclose(
                output.transpose(1, 2), seen["heads.z", layer], rtol=0, atol=1e-12
            )


@pytest.mark.parametrize("family", ["gpt2", "gemma3"])
def test_all_queries_are_the_sum_of_single_ones_and_all_keys_are_not(family):
    with in_float64(the_model(family)) as model:
        gradient = gradients(model, SAME_LENGTH)[0][None]
        single, whole = (
            {
                kind: fix(family, SAME_LENGTH, kind, 0, whole=whole).estimates(gradient)
                for kind in KINDS
            }
            for whole in (False, True)
        )
    sums = {kind: single[kind].sum(-1, keepdim=True) for kind in KINDS}

    np.testing.assert_allclose(whole["heads.q"], sums["heads.q"], rtol=0, atol=1e-12)
    assert (whole["heads.k"] - sums["heads.k"]).abs().max() > 1e-3
