"""The native engine is used where it agrees with the bridge on a sample, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForCausalLM, OPTConfig

from atpdsl.runtime.bridge import BridgeEngine
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.native import agreement
from atpdsl.runtime.native.agreement import checked_engine, disagreement
from atpdsl.runtime.native.engine import NativeEngine
from atpdsl.runtime.native.families import UnknownModelError, native_model
from tests.engine import loaded
from tests.small_models import N_CONTEXT, PARALLEL, small_model

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}


def model_of(family: str, dtype: str = "float32") -> LoadedModel:
    model = loaded(small_model(family, DTYPES[dtype]))
    shape = replace(model.shape, parallel=family in PARALLEL, n_context=N_CONTEXT)
    return replace(model, dtype=dtype, shape=shape)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_family_agrees_in_every_precision(family, dtype):
    engine, reason = checked_engine(model_of(family, dtype))

    assert isinstance(engine, NativeEngine)
    assert reason == ""


def changed(change: Callable[[NativeEngine], None], family: str = "llama") -> str:
    """What is said after a change of the native engine alone."""
    model = model_of(family)
    engine = NativeEngine(model)
    change(engine)
    return disagreement(BridgeEngine(model), engine)


def other(engine: NativeEngine, layer: int, part: str, **fields: object) -> None:
    """Replace something in one block; `attention.window` or `parallel`."""
    blocks = list(engine._native.blocks)
    block = blocks[layer]
    if part:
        fields = {part: replace(getattr(block, part), **fields)}
    blocks[layer] = replace(block, **fields)
    engine._native = replace(engine._native, blocks=tuple(blocks))


@pytest.mark.parametrize(
    ("family", "layer", "part", "fields"),
    [
        ("llama", 1, "attention", {"scale": 0.3}),
        ("llama", 2, "attention_norm", {"eps": 0.5}),
        ("qwen3", 0, "attention", {"key_norm": None}),
        ("gemma3", 0, "attention", {"window": 2}),
        ("gemma3", 1, "attention", {"rotary": "sliding_attention"}),
        ("gemma3", 2, "", {"mlp_post": None}),
        ("neox", 1, "", {"parallel": False}),
    ],
)
def test_a_constant_that_is_wrong_is_found(family, layer, part, fields):
    reason = changed(lambda engine: other(engine, layer, part, **fields), family)

    assert "differ from the bridge's by" in reason


def test_weights_that_are_wrong_are_found(family):
    def scale(engine: NativeEngine) -> None:
        mlp = engine._native.blocks[1].mlp
        # One row: a norm after the MLP would undo a change of all.
        weight = mlp.output.weight.clone()
        weight[3] *= 2
        other(engine, 1, "mlp", output=replace(mlp.output, weight=weight))

    assert "differ from the bridge's" in changed(scale, family)


def test_a_wrong_derivative_is_found_where_the_forward_is_right():
    def flatten(engine: NativeEngine) -> None:
        activation = engine._native.blocks[1].mlp.activation
        wrong = replace(activation, pull=lambda g, x: 0.9 * activation.pull(g, x))
        other(engine, 1, "mlp", activation=wrong)

    assert "its gradients at" in changed(flatten)


def test_wrong_patches_are_found(monkeypatch):
    right = NativeEngine.patched
    monkeypatch.setattr(NativeEngine, "patched", lambda *a: right(*a).roll(1, 0))

    assert "its logits after patching" in changed(lambda _: None)


def test_numbers_that_are_not_finite_are_no_agreement():
    def spoil(engine: NativeEngine) -> None:
        other(engine, 1, "attention", scale=float("nan"))

    assert "differ" in changed(spoil)


def test_a_model_is_checked_once(monkeypatch):
    calls = []

    def count(one: object, two: object) -> str:
        calls.append((one, two))
        return ""

    monkeypatch.setattr(agreement, "disagreement", count)
    model = model_of("gpt2")
    for _ in range(2):
        assert checked_engine(model)[0] is not None
    checked_engine(model_of("gpt2"))

    assert len(calls) == 2


def test_an_unknown_architecture_has_no_engine():
    config = OPTConfig(
        vocab_size=61, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=16
    )
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(config)
    fake = SimpleNamespace(bridge=SimpleNamespace(original_model=plain))
    engine, reason = checked_engine(fake)  # type: ignore[arg-type]

    assert engine is None
    assert reason == "`OPTForCausalLM` has no native code"


@pytest.mark.parametrize(
    ("family", "name", "value", "reason"),
    [
        ("gpt2", "reorder_and_upcast_attn", True, "in another precision"),
        ("gemma3", "attn_logit_softcapping", 50.0, "scores are capped"),
    ],
)
def test_settings_without_native_code_are_refused(family, name, value, reason):
    bridge = model_of(family).bridge
    setattr(bridge.blocks[1].attn.original_component, name, value)

    with pytest.raises(UnknownModelError, match=reason):
        native_model(bridge)
