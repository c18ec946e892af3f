"""What is read off a bridge of its attention, and that a wrong reading is noticed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from transformer_lens.config import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge
from transformers import (
    CohereConfig,
    Gemma2Config,
    GlmConfig,
    GptOssConfig,
    MistralConfig,
    Olmo2Config,
)

from atpdsl.nodes.attention import attention_hooks
from atpdsl.problems import RunError
from atpdsl.problems.codes import CODES
from atpdsl.runtime import attention as module
from atpdsl.runtime.attention import (
    Pairing,
    attention_names,
    attention_rule,
    attention_values,
    visible_keys,
)
from atpdsl.runtime.qk_fix import QueryKeyFix
from tests.oracle.float64 import in_float64
from tests.runtime.attending import attention, every_spot, node_set, seen
from tests.small_models import (
    FAMILIES,
    N_LAYERS,
    SLIDING_WINDOW,
    bridge,
    llama_like,
    random_model,
    random_tokens,
    randomise,
    small_model,
)

BASE, DONOR = random_tokens(2, 7, seed=1), random_tokens(2, 7, seed=2)

# Attentions of which the supported families have none: soft caps, sinks with rotary tables of
# half the width, norms by head, partial and adjacent rotary embedding.
OTHERS = {
    "gemma2": lambda: llama_like(
        Gemma2Config,
        head_dim=12,
        query_pre_attn_scalar=12,
        sliding_window=SLIDING_WINDOW,
        attn_logit_softcapping=2.0,
    ),
    "gpt_oss": lambda: llama_like(
        GptOssConfig,
        head_dim=12,
        sliding_window=SLIDING_WINDOW,
        num_local_experts=4,
        num_experts_per_tok=2,
    ),
    "cohere": lambda: llama_like(CohereConfig, use_qk_norm=True),
    "glm": lambda: llama_like(GlmConfig, head_dim=8, partial_rotary_factor=0.5),
    "mistral": lambda: llama_like(MistralConfig, sliding_window=SLIDING_WINDOW),
}
NATIVE: dict[str, dict[str, Any]] = {
    "bidirectional": {"attention_dir": "bidirectional"},
    "causal": {"attention_dir": "causal"},
    "rotary": {"positional_embedding_type": "rotary", "rotary_dim": 2, "n_key_value_heads": 2},
    "capped": {"attn_scores_soft_cap": 1.5, "n_key_value_heads": 2},
}


@cache
def other(name: str) -> Any:
    model = random_model(OTHERS[name]())
    if name == "gpt_oss":
        model.set_experts_implementation("eager")
    return bridge(model)


@cache
def native(name: str) -> Any:
    """TransformerLens' own model, as compiled programs are loaded into."""
    config = TransformerBridgeConfig(
        n_layers=2,
        d_model=16,
        d_head=4,
        n_heads=4,
        n_ctx=12,
        d_vocab=61,
        d_mlp=20,
        act_fn="gelu",
        normalization_type="LN",
        seed=0,
        **NATIVE[name],
    )
    model = TransformerBridge.boot_native(config).eval().double().requires_grad_(False)
    randomise(model, seed=3, scale=0.5)
    return model


@cache
def family_bridge(family: str, dtype: torch.dtype = torch.float64) -> Any:
    return bridge(family, dtype)


# ---- the rules


def test_scales():
    gemma = attention_rule(family_bridge("gemma3"), 1)

    assert attention_rule(family_bridge("gpt2"), 1).scale == pytest.approx(8**-0.5)
    assert attention_rule(family_bridge("neox"), 1).scale == pytest.approx(8**-0.5)
    assert attention_rule(family_bridge("llama"), 1).scale == pytest.approx(8**-0.5)
    assert gemma.scale == pytest.approx(12**-0.5)
    assert (gemma.soft_cap, gemma.sinks, gemma.causal) == (None, None, None)


def test_gpt2_divided_by_layers():
    hf = small_model("gpt2")
    hf.config.scale_attn_by_inverse_layer_idx = True
    model = bridge(hf)
    names = attention_names(model, 2, scores=True)

    assert attention_rule(model, 2).scale == pytest.approx(8**-0.5 / 3)
    assert attention_values(model, 2, seen(model, BASE, names)).scores is not None


def test_caps_sinks_and_pairings():
    assert attention_rule(other("gemma2"), 0).soft_cap == 2.0
    assert attention_rule(other("gpt_oss"), 0).sinks.shape == (4,)
    assert attention_rule(other("cohere"), 0).pairing is Pairing.ADJACENT
    assert attention_rule(other("glm"), 0).pairing is Pairing.ADJACENT
    assert attention_rule(native("capped"), 0).soft_cap == 1.5
    assert attention_rule(native("capped"), 0).scale == 0.5
    assert attention_rule(native("bidirectional"), 0).causal is False
    assert attention_rule(native("causal"), 0).causal is True


# ---- what is kept


@pytest.mark.parametrize("family", FAMILIES)
def test_shapes(family):
    model = family_bridge(family)
    base = attention(model, BASE, 1, scores=True)
    donor = attention(model, DONOR, 1, scores=False)
    heads, kv_heads = model.cfg.n_heads, model.cfg.n_key_value_heads or model.cfg.n_heads
    d_head = model.cfg.d_head

    assert base.query.shape == base.output.shape == (2, 7, heads, d_head)
    assert base.key.shape == base.value.shape == (2, 7, kv_heads, d_head)
    assert base.scores.shape == (2, heads, 7, 7)
    assert donor.scores is None
    assert (base.cos is None) == (family == "gpt2")
    kept = (base.query, base.key, base.value, base.output, base.scores)
    assert not any(t.requires_grad for t in kept)


def test_a_graph_is_left_behind():
    model, names = (
        family_bridge("qwen3"),
        attention_names(family_bridge("qwen3"), 0, scores=True),
    )
    found = {n: t.requires_grad_(True) * 1 for n, t in seen(model, BASE, names).items()}
    values = attention_values(model, 0, found)

    assert not any(
        t.requires_grad
        for t in (values.query, values.key, values.value, values.output, values.scores)
    )
    assert not values.cos.requires_grad


def test_masks():
    """As the model has them: a window in the first layer of Gemma 3, none in the second."""
    model = family_bridge("gemma3")
    sliding, full = (attention(model, BASE, layer, scores=True).scores for layer in (0, 1))
    age = torch.arange(7)[:, None] - torch.arange(7)

    assert torch.equal(visible_keys(full)[0, 0], age >= 0)
    assert torch.equal(visible_keys(sliding)[0, 0], (age >= 0) & (age < SLIDING_WINDOW))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_masked_scores_are_told_from_low_ones(dtype):
    lowest = torch.finfo(dtype).min
    scores = torch.tensor(
        [lowest, -torch.inf, lowest + lowest / 8, -1e4, 0.0, 3e4], dtype=dtype
    )

    assert visible_keys(scores).tolist() == [False, False, False, True, True, True]
    in_float64 = torch.tensor([torch.finfo(torch.float32).min], dtype=torch.float64)
    assert not visible_keys(in_float64).any()


# ---- the model itself, with one query or key replaced


def moved_output(model: Any, layer: int, node: tuple[str, Any, Any], donated: Tensor) -> Tensor:
    """z of a run with a head's projection set to the donor's at some positions."""
    name, index, at = node

    def change(tensor: Tensor) -> Tensor:
        new = tensor.clone()
        new[:, at, index] = donated[:, at, index]
        return new

    output = attention_hooks(layer).output
    return seen(model, BASE, [output], (name, change))[output]


def worst_error(model: Any, layer: int, kind: str, *, whole: bool) -> tuple[float, float]:
    """The largest error against the model's own patched runs, and the largest estimate."""
    hooks = attention_hooks(layer)
    name = hooks.query if kind == "heads.q" else hooks.key
    base = attention(model, BASE, layer, scores=True)
    donor = attention(model, DONOR, layer, scores=False)
    donated = seen(model, DONOR, [name])[name]
    heads = donated.shape[2]
    gradient = torch.randn(
        base.output.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    fix = QueryKeyFix(
        base,
        donor,
        attention_rule(model, layer),
        node_set(kind, heads, None if whole else 7),
        every_spot(2, 7, whole=whole),
    )
    found = fix.estimates(gradient[None])[0]
    errors = []
    for index in range(heads):
        for label, at in enumerate([slice(None)] if whole else range(7)):
            moved = moved_output(model, layer, (name, index, at), donated) - base.output
            exact = (moved * gradient).sum((1, 2, 3))
            errors.append(float((found[:, index, label] - exact).abs().max()))
    return max(errors), float(found.abs().max())


@pytest.mark.parametrize("kind", ["heads.q", "heads.k"])
@pytest.mark.parametrize("whole", [False, True], ids=["positions", "whole"])
@pytest.mark.parametrize("name", [*OTHERS, *NATIVE])
def test_the_fix_is_what_the_model_does(name, kind, whole):
    """z of the model, run once more for each node: for models that the oracle lacks."""
    model = other(name) if name in OTHERS else native(name)
    with in_float64(model):
        error, largest = worst_error(model, 1, kind, whole=whole)

    assert error < 1e-11
    assert largest > 0.1


# ---- the check


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("family", FAMILIES)
def test_rounding_is_not_refused(family, dtype):
    model = family_bridge(family, dtype)
    for layer in range(N_LAYERS):
        assert attention(model, BASE, layer, scores=True).scores is not None


@pytest.mark.parametrize("name", [*OTHERS, *NATIVE])
def test_known_attentions_are_not_refused(name):
    model = other(name) if name in OTHERS else native(name)
    for layer in (0, 1):
        assert attention(model, BASE, layer, scores=True).scores is not None


def refusal(model: Any, layer: int, found: dict[str, Tensor]) -> str:
    with pytest.raises(RunError) as caught:
        attention_values(model, layer, found)
    (problem,) = caught.value.problems
    assert problem.code == "ATP406"
    assert f"the attention of layer {layer}" in problem.message
    assert "`qk_fix = off`" in problem.help
    return problem.message


@pytest.mark.parametrize(
    ("wrong", "factor", "says"),
    [("scores", 1.01, "scores"), ("query", 1.01, "scores"), ("output", 1.1, "outputs")],
)
@pytest.mark.parametrize("family", ["gpt2", "neox", "llama"])
def test_other_numbers_than_the_models_are_refused(family, wrong, factor, says):
    model = family_bridge(family, torch.float32)
    found = seen(model, BASE, attention_names(model, 1, scores=True))
    name = getattr(attention_hooks(1), wrong)
    found[name] = torch.where(found[name] > -1e30, found[name] * factor, found[name])

    assert f"its {says} are off by" in refusal(model, 1, found)


@pytest.mark.parametrize(
    "change",
    [
        {"scale": 0.36},
        {"soft_cap": 30.0},
        {"pairing": Pairing.ADJACENT},
        {"sinks": torch.zeros(4)},
    ],
    ids=str,
)
def test_a_rule_that_is_not_the_models_is_refused(change, monkeypatch):
    model = family_bridge("llama", torch.float32)
    found = seen(model, BASE, attention_names(model, 1, scores=True))
    wrong = replace(attention_rule(model, 1), **change)
    monkeypatch.setattr(module, "attention_rule", lambda *_: wrong)

    refusal(model, 1, found)


def test_a_native_models_pattern_is_compared():
    model = native("causal")
    found = seen(model, BASE, attention_names(model, 1, scores=True))
    name = attention_hooks(1).pattern
    found[name] = found[name].roll(1, dims=-1)

    assert "its weights are off by" in refusal(model, 1, found)


def test_norms_over_all_heads_together_are_refused():
    model = bridge(random_model(llama_like(Olmo2Config)))
    found = seen(model, BASE, attention_names(model, 0, scores=True))

    assert "normed over all heads" in refusal(model, 0, found)


def test_norms_after_the_rotary_embedding_are_refused():
    model = bridge("qwen3")
    found = seen(model, BASE, attention_names(model, 0, scores=True))
    model.blocks[0].attn.config.qk_norm_after_rope = True

    assert "after the rotary embedding" in refusal(model, 0, found)


def test_an_unknown_attention_is_refused():
    unknown = SimpleNamespace(config=None, original_component=None)
    model = SimpleNamespace(blocks=[SimpleNamespace(attn=unknown)])

    assert "`SimpleNamespace` is not known" in refusal(model, 0, {})


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_numbers_that_are_not_finite_are_left_to_the_run(value):
    """The run refuses them as what they are (ATP404)."""
    model = family_bridge("gpt2", torch.float32)
    found = seen(model, BASE, attention_names(model, 1, scores=True))
    broken = {name: torch.full_like(t, value) for name, t in found.items()}

    attention_values(model, 1, broken)


def test_the_code_is_explained():
    assert "QK fix" in CODES["ATP406"].explanation
