"""Where everything after an attention is linear, the QK fix is exact patching; AtP is not.

The last layer of each family with its MLP's weights set to 0 and without the norms that come
after its attention: then logits, and a difference of logits, are linear in its outputs.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from atpdsl.runtime.attention import attention_rule
from atpdsl.runtime.qk_fix import QueryKeyFix
from tests.oracle.attention import output_gradients
from tests.oracle.cases import SAME_LENGTH, oracle_metric
from tests.oracle.families import places
from tests.oracle.float64 import in_float64
from tests.oracle.plain import every_effect, every_finite_difference
from tests.runtime.attending import attention, every_spot, node_set
from tests.small_models import FAMILIES, bridge, small_model

LAST = 2
CLEAN, CORRUPTED = (torch.tensor(s) for s in (SAME_LENGTH.clean, SAME_LENGTH.corrupted))


def linear_after_its_last_attention(model: nn.Module) -> nn.Module:
    """A copy whose last layer is its attention alone, read off without a norm."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in places(model, LAST)["neurons"].module.parameters():
            parameter.zero_()
    inner = model.base_model
    for name in ("ln_f", "final_layer_norm", "norm"):
        if hasattr(inner, name):
            setattr(inner, name, nn.Identity())
    if model.config.model_type == "gemma3_text":
        inner.layers[LAST].post_attention_layernorm = nn.Identity()
    return model


@pytest.mark.parametrize("kind", ["heads.q", "heads.k"])
@pytest.mark.parametrize(
    ("family", "whole"), [*((f, False) for f in FAMILIES), ("gpt2", True), ("gemma3", True)]
)
def test_the_fix_is_exact_and_atp_is_not(family, kind, whole):
    with in_float64(small_model(family)) as model:
        linear = linear_after_its_last_attention(model)
        metric = oracle_metric(linear, SAME_LENGTH, "logit_diff")
        sides = (linear, CLEAN, CORRUPTED, kind, metric)
        exact = every_effect(*sides, whole=whole)[:, LAST]
        first_order = every_finite_difference(*sides, whole=whole)[:, LAST]
        # What comes after the attention has no part in queries, keys and values.
        wrapped = bridge(model)
        fix = QueryKeyFix(
            attention(wrapped, CLEAN, LAST, scores=True),
            attention(wrapped, CORRUPTED, LAST, scores=False),
            attention_rule(wrapped, LAST),
            node_set(kind, exact.shape[1], None if whole else CLEAN.shape[1]),
            every_spot(*CLEAN.shape, whole=whole),
        )
        found = fix.estimates(output_gradients(linear, CLEAN, metric)[LAST][None])[0]

    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-10)
    assert (first_order - exact).abs().max() > 0.05
